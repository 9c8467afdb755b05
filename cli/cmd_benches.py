"""`amxfp4 benches`: the cocotb benches, on one config or on a matrix of them.

amxfp4 benches                                     the small matrix of every unit
amxfp4 benches --unit quantizer                    the small matrix of one unit
amxfp4 benches --matrix full                       everything
amxfp4 benches --unit mac --lanes 8 --test ties    one config, tests whose name contains a word
WAVES=1 amxfp4 benches --unit mac --lanes 8        one config, with a VCD file for GTKWave or Surfer
"""

import os
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from amxfp4.cli.config_options import config_options, given
from amxfp4.errors import UsageError
from amxfp4.hw.config import Config
from amxfp4.hw.units import UNITS, spelling
from amxfp4.sim.run import BEATS, DEFAULT_SEED, BenchOptions, Outcome, run_matrix
from amxfp4.sim.units import full, small


@click.command("benches")
@click.option("--unit", type=click.Choice(list(UNITS)), help="Only this unit.")
@click.option("--matrix", type=click.Choice(list(BEATS)), help="Which configs, unless one is given below.")
@config_options(UNITS.values())
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
@click.option("--beats", type=click.IntRange(1), help="Beats of a random test.")
@click.option("--test", "tests", default="", help="Only tests whose name matches this regular expression.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores")
def command(
    unit: str | None, matrix: str | None, seed: int, beats: int | None, tests: str, jobs: int, **fields: Any
) -> int:
    """Run the cocotb benches on simulated RTL; JUnit XML goes to build/sim."""
    asked = given(fields)
    if asked and matrix:
        raise UsageError(f"--matrix {matrix} was given with {spelling(next(iter(asked)))}; it is one or the other")
    if asked and not unit:
        raise UsageError(f"{spelling(next(iter(asked)))} was given without --unit; it is one of {', '.join(UNITS)}")
    configs: list[Config]
    if unit and asked:
        configs = [UNITS[unit].configure(asked)]
    else:
        choose = full if matrix == "full" else small
        configs = [config for name in ([unit] if unit else UNITS) for config in choose(name)]
    options = BenchOptions(
        seed=seed,
        beats=beats or BEATS[matrix or "small"],
        tests=tests,
        waves=os.environ.get("WAVES", "0") not in ("", "0"),
    )
    return run_and_show(configs, options, jobs)


def run_and_show(configs: Sequence[Config], options: BenchOptions, jobs: int) -> int:
    """Runs the configs with progress and prints what failed.

    Returns:
        The exit status.
    """
    console = Console()
    console.print(f"{len(configs)} configs, seed {options.seed}, reports in {options.build}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tests = failed = 0
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("benches", total=len(configs))

        def done(outcome: Outcome) -> None:
            nonlocal tests, failed
            tests += len(outcome.passed) + len(outcome.failures)
            failed += len(outcome.failures)
            verdict = f"[red]{len(outcome.failures)} failed[/red]" if outcome.failures else "passed"
            progress.console.print(
                f"{outcome.name}: {len(outcome.passed) + len(outcome.failures)} tests {verdict}, "
                f"built in {outcome.built_in:.1f} s, run in {outcome.run_in:.1f} s",
                highlight=False,
                soft_wrap=True,
            )
            for failure in outcome.failures:
                progress.console.print(f"[red]{failure.test}[/red]")
                progress.console.print(failure.report, markup=False, highlight=False, soft_wrap=True)
            if outcome.waves:
                progress.console.print(f"waves: {os.path.relpath(outcome.waves)}", soft_wrap=True)
            progress.advance(task)

        run_matrix(configs, options, jobs=jobs, done=done)
    console.print(f"{tests} tests on {len(configs)} configs, {failed} failed")
    return 1 if failed else 0
