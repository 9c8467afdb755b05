"""Runs the proofs side by side, and reports on them as JSON."""

import importlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from amxfp4.errors import UsageError
from amxfp4.workers import Workers

if TYPE_CHECKING:
    from amxfp4.formal.proof import Proof, Verdict

REPORT = Path("build/formal/formal.json")

# The modules with proofs. Those that take longest come first, so that no core ends with one of them alone.
MODULES = (
    "float32",
    "float32_steps",
    "words",
    "exact",
    "sums",
    "rounding",
    "streams",
    "scales",
    "special_values",
    "quantizer",
    "elements",
)


def all_proofs() -> list["Proof"]:
    """Every proof, in the order in which they are best begun: slow ones first."""
    found = [proof for name in MODULES for proof in _module_proofs(name)]
    assert len({proof.name for proof in found}) == len(found), "two proofs have the same name"
    return sorted(found, key=lambda proof: not proof.full)


def _module_proofs(module: str) -> list["Proof"]:
    return importlib.import_module(f"amxfp4.formal.{module}").proofs()


def chosen_proofs(words: Sequence[str], full: bool) -> list["Proof"]:
    """The proofs that a command line asks for.

    Args:
        words: proofs whose names contain one of these are chosen.
        full: without words, whether slow proofs are chosen too.

    Raises:
        UsageError: no proof's name contains a word.
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
    """Decides one proof and its twin, found by name: claims cannot be sent to a worker process, names can."""
    from amxfp4.formal.proof import prove

    return prove(next(proof for proof in all_proofs() if proof.name == name))


def prove_all(
    proofs: Sequence["Proof"], *, jobs: int = 2, done: Callable[["Verdict"], None] = lambda verdict: None
) -> list["Verdict"]:
    """Decides proofs side by side.

    Args:
        proofs: what is decided.
        jobs: how many at a time.
        done: called with each verdict as it comes.

    Returns:
        The verdicts, in the order of `proofs`.
    """
    with Workers(jobs) as pool:
        futures = [pool.submit(prove_by_name, proof.name) for proof in proofs]
        for future in as_completed(futures):
            done(future.result())
    return [future.result() for future in futures]


def proofs_as_json(proofs: Sequence["Proof"], verdicts: Sequence["Verdict"]) -> str:
    """Proofs and what became of them, as JSON."""
    import z3

    entries = []
    for proof, verdict in zip(proofs, verdicts, strict=True):
        words = {key: getattr(proof, key) for key in ("name", "statement", "method", "scope", "twin", "full")}
        entries.append(words | {k: v for k, v in asdict(verdict).items() if k != "proof"})
    return json.dumps({"z3": z3.get_version_string(), "proofs": entries}, indent=2) + "\n"


if __name__ == "__main__":
    from amxfp4.cli.main import run

    run("formal")
