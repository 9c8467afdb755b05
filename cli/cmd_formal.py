"""`amxfp4 formal`: proofs that the hardware computes what plain arithmetic says, each with a broken twin."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from amxfp4.formal.proof import Proof, Verdict


@click.command("formal")
@click.argument("words", nargs=-1)
@click.option("--full", is_flag=True, help="Slow proofs too.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores")
def command(words: tuple[str, ...], full: bool, jobs: int) -> int:
    """Prove the hardware right for all inputs, and see a broken twin of each proof fail.

    WORDS choose proofs by name. The report goes to build/formal/formal.json.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from amxfp4.files import write_text
    from amxfp4.formal.run import REPORT, chosen_proofs, proofs_as_json, prove_all

    proofs = chosen_proofs(words, full)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("proofs", total=len(proofs))

        def done(verdict: "Verdict") -> None:
            progress.console.print(_line(verdict), highlight=False, soft_wrap=True)
            progress.advance(task)

        verdicts = prove_all(proofs, jobs=jobs, done=done)
    _show(console, proofs, verdicts)
    write_text(REPORT, proofs_as_json(proofs, verdicts))
    good = sum(verdict.good for verdict in verdicts)
    console.print(f"{good} of {len(verdicts)} proven and their twins refuted; report in {REPORT}")
    return 0 if good == len(verdicts) else 1


def _line(verdict: "Verdict") -> str:
    if verdict.good:
        return f"{verdict.proof}: {verdict.claims} claims proven in {verdict.seconds:.1f} s, twin refuted"
    if verdict.proven:
        return f"[red]{verdict.proof}: proven, but so is its broken twin[/red]"
    return f"[red]{verdict.proof}: FAILED, {verdict.found}[/red]"


def _show(console: "Console", proofs: Sequence["Proof"], verdicts: Sequence["Verdict"]) -> None:
    from rich.table import Table

    table = Table(title="proofs, each with a broken twin that must be refuted", show_lines=True)
    table.add_column("proof", no_wrap=True)
    table.add_column("what is proven, how, for what; what is wrong with the twin")
    for proof, verdict in sorted(zip(proofs, verdicts, strict=True), key=lambda pair: pair[0].name):
        proven = f"{verdict.claims} claims" if verdict.proven else "[red]FAILED[/red]"
        refuted = "twin refuted" if verdict.refuted else "[red]twin NOT REFUTED[/red]"
        table.add_row(
            f"{proof.name}\n{proven}, {verdict.seconds:.1f} s\n{refuted}, {verdict.twin_seconds:.1f} s",
            f"{proof.statement}\n[dim]{proof.method}\n{proof.scope}\ntwin: {proof.twin}[/dim]",
        )
    console.print(table)
