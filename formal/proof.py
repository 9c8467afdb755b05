"""What a proof is, and how it is decided."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import z3

from amxfp4.errors import RunError
from amxfp4.formal.netlist import Word

Claim = Any
"""A z3 condition that must hold whatever values its symbols take. z3's own classes have no usable types."""


@dataclass(frozen=True)
class Proof:
    """A statement about the hardware.

    Attributes:
        name: short, without blanks.
        statement: in words, what is proven.
        method: how.
        scope: formats and widths.
        twin: in words, what is wrong with the broken twin.
        claims: called with False, the claims that make up the proof; called with True, those of the twin. One claim
            that does not hold refutes the twin.
        full: whether the proof is too slow for every run.
    """

    name: str
    statement: str
    method: str
    scope: str
    twin: str
    claims: Callable[[bool], Iterable[Claim]]
    full: bool = False


@dataclass(frozen=True)
class Verdict:
    """What became of a proof and its twin.

    Attributes:
        proof: the proof's name.
        proven: whether every claim holds.
        refuted: whether a claim of the twin does not hold.
        claims: how many claims there are.
        found: values that contradict a claim of the proof; empty when there are none.
        seconds, twin_seconds: CPU time of the proof, and of its twin.
    """

    proof: str
    proven: bool
    refuted: bool
    claims: int
    found: str
    seconds: float
    twin_seconds: float

    @property
    def good(self) -> bool:
        return self.proven and self.refuted


def counterexample(claim: Claim) -> z3.ModelRef | None:
    """Values for which a claim does not hold, or None if there are none.

    Raises:
        RunError: z3 gives up.
    """
    solver = z3.Then("simplify", "propagate-values", "solve-eqs", "simplify", "bit-blast", "aig", "sat").solver()
    solver.add(z3.Not(claim))
    result = solver.check()
    if result == z3.unknown:
        raise RunError(f"z3 gave up: {solver.reason_unknown()}")
    return solver.model() if result == z3.sat else None


def prove(proof: Proof) -> Verdict:
    """Decides a proof and its twin."""
    start = time.process_time()
    proven, count, found = _holds(proof.claims(False))
    middle = time.process_time()
    assert count, f"{proof.name} claims nothing"
    twin_holds, _, _ = _holds(proof.claims(True))
    end = time.process_time()
    return Verdict(proof.name, proven, not twin_holds, count, found, middle - start, end - middle)


def _holds(claims: Iterable[Claim]) -> tuple[bool, int, str]:
    """Decides claims up to the first that does not hold.

    Returns:
        Whether all hold, how many were decided, and the values that contradict the last one.
    """
    count = 0
    for count, claim in enumerate(claims, 1):
        model = counterexample(claim)
        if model is not None:
            values = ", ".join(sorted(f"{symbol} = {model[symbol]}" for symbol in model))
            return False, count, f"claim {count} does not hold for {values}"
    return True, count, ""


def by_cases(claim: Claim, word: Word, patterns: Iterable[Word], *, given: Claim | None = None) -> Iterator[Claim]:
    """A claim about any value of the symbol `word`, case by case.

    A pattern is as wide as `word`. It is made of constants and of slices of `word` itself, such as `word` with its top
    bits set, and stands for the values that equal it. The constants simplify what is to be solved.

    Args:
        claim: what must hold.
        word: the symbol.
        patterns: the cases.
        given: what may be assumed of `word`; nothing when None.

    Yields:
        First that the patterns cover all values, or all that `given` allows. Then for each pattern the claim with the
        pattern in the place of `word`.
    """
    patterns = list(patterns)
    covered = z3.Or(*(word == pattern for pattern in patterns))
    yield covered if given is None else z3.Implies(given, covered)
    for pattern in patterns:
        yield z3.simplify(z3.substitute(claim, (word, pattern)))
