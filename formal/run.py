"""Runs the proofs side by side and reports on them.

python -m amxfp4.formal.run              what takes minutes
python -m amxfp4.formal.run --full       everything
python -m amxfp4.formal.run sums scale   proofs whose name contains one of the words, also slow ones
"""

import importlib
import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from amxfp4.errors import UsageError
from amxfp4.files import write_text

if TYPE_CHECKING:
    from amxfp4.formal.proof import Proof, Verdict

REPORT = Path("build/formal/formal.json")

# Where proofs are, those that take longest first, so that no core is left with one of them at the end.
MODULES = (
    "float32",
    "float32_steps",
    "words",
    "exact",
    "sums",
    "rounding",
    "streams",
    "scales",
    "quantizer",
    "elements",
)


def all_proofs() -> list["Proof"]:
    """Every proof, in the order in which they are best begun."""
    found = [proof for name in MODULES for proof in _module_proofs(name)]
    assert len({proof.name for proof in found}) == len(found), "two proofs have the same name"
    return sorted(found, key=lambda proof: not proof.full)


def _module_proofs(module: str) -> list["Proof"]:
    return importlib.import_module(f"amxfp4.formal.{module}").proofs()


def chosen(words: Sequence[str], full: bool) -> list["Proof"]:
    """Proofs whose names contain one of the words; without words those that are not slow, or all.

    Raises `UsageError` when no proof's name contains a word.
    """
    proofs = all_proofs()
    for word in words:
        if not any(word in proof.name for proof in proofs):
            names = ", ".join(sorted(proof.name for proof in proofs))
            raise UsageError(f"no proof's name contains {word!r}; there are: {names}")
    if words:
        return [proof for proof in proofs if any(word in proof.name for word in words)]
    return [proof for proof in proofs if full or not proof.full]


def prove_by_name(name: str) -> "Verdict":
    """Decides one proof and its twin; what a worker process does, as claims cannot be sent to it."""
    from amxfp4.formal.proof import prove

    return prove(next(proof for proof in all_proofs() if proof.name == name))


def prove_all(
    proofs: Sequence["Proof"], *, jobs: int = 2, done: Callable[["Verdict"], None] = lambda verdict: None
) -> list["Verdict"]:
    """Decides proofs, `jobs` at a time, and calls `done` with each verdict as it comes; verdicts in the order of
    `proofs`."""
    # Not forked: a copy of a process that has used z3 may wait for ever for one of its threads.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(prove_by_name, proof.name): proof.name for proof in proofs}
        try:
            for future in as_completed(futures):
                done(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def report(proofs: Sequence["Proof"], verdicts: Sequence["Verdict"]) -> str:
    """Proofs and what became of them, as JSON."""
    import z3

    entries = []
    for proof, verdict in zip(proofs, verdicts, strict=True):
        words = {key: getattr(proof, key) for key in ("name", "statement", "method", "scope", "twin", "full")}
        entries.append(words | {k: v for k, v in asdict(verdict).items() if k != "proof"})
    return json.dumps({"z3": z3.get_version_string(), "proofs": entries}, indent=2) + "\n"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1)
@click.option("--full", is_flag=True, help="Slow proofs too.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores")
def main(words: tuple[str, ...], full: bool, jobs: int) -> int:
    """Prove the hardware right for all inputs, and see a broken twin of each proof fail.

    WORDS choose proofs by name. The report goes to build/formal/formal.json.
    """
    proofs = chosen(words, full)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("proofs", total=len(proofs))

        def done(verdict: "Verdict") -> None:
            progress.console.print(_line(verdict), highlight=False, soft_wrap=True)
            progress.advance(task)

        verdicts = prove_all(proofs, jobs=jobs, done=done)
    _show(console, proofs, verdicts)
    write_text(REPORT, report(proofs, verdicts))
    good = sum(verdict.good for verdict in verdicts)
    console.print(f"{good} of {len(verdicts)} proven and their twins refuted; report in {REPORT}")
    return 0 if good == len(verdicts) else 1


def _line(verdict: "Verdict") -> str:
    if verdict.good:
        return f"{verdict.proof}: {verdict.claims} claims proven in {verdict.seconds:.1f} s, twin refuted"
    if verdict.proven:
        return f"[red]{verdict.proof}: proven, but so is its broken twin[/red]"
    return f"[red]{verdict.proof}: FAILED, {verdict.found}[/red]"


def _show(console: Console, proofs: Sequence["Proof"], verdicts: Sequence["Verdict"]) -> None:
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


if __name__ == "__main__":
    from amxfp4.main import main as run_command

    run_command(main)
