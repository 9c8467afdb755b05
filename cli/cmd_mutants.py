"""`amxfp4 mutants`: faults put into the RTL, each of which the benches must catch."""

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from amxfp4.sim.mutants.run import Trial

DEFAULT_SEED = 1


@click.command("mutants")
@click.option("--only", default="", metavar="WORDS", help="Only mutants whose name contains this.")
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores")
def command(only: str, seed: int, jobs: int) -> int:
    """Break the RTL on purpose, one fault at a time, and see each caught by the bench."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from amxfp4.sim.mutants.run import BEATS, mutants_named, try_mutants
    from amxfp4.sim.run import BenchOptions

    mutants = mutants_named(only)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("mutants", total=len(mutants))
        verdicts, broken = try_mutants(
            mutants,
            BenchOptions(seed=seed, beats=BEATS, stop=1),
            jobs=jobs,
            done=lambda verdict: progress.advance(task),
        )
    _show(console, verdicts)
    for sentence in broken:
        console.print(f"[red]{sentence}[/red]", soft_wrap=True)
    missed = [verdict for verdict in verdicts if not verdict.good]
    console.print(f"{len(verdicts) - len(missed)} of {len(verdicts)} mutants caught")
    return 1 if missed or broken else 0


def _show(console: "Console", verdicts: "Sequence[Trial]") -> None:
    from rich.table import Table

    table = Table(title="faults put into the RTL")
    for heading in ("fault", "unit", "caught by"):
        table.add_column(heading, overflow="fold")
    for verdict in verdicts:
        config = verdict.mutant.config
        outcome = verdict.caught_by or f"[red]{verdict.error or 'SURVIVED'}[/red]"
        table.add_row(verdict.mutant.name, config.name, outcome)
    console.print(table)
