"""Compares what a unit did with what the golden model says: every result in order, and the cycle of every transfer."""

from collections.abc import Sequence
from dataclasses import dataclass

from amxfp4.golden.cycles import Schedule

SHOWN_AT_MOST = 5
"""Differences a report lists one by one; the rest is a count."""


@dataclass(frozen=True)
class Result:
    """One result of a unit.

    Attributes:
        value: the float32's 32 bits.
        nan, overflow: the flags.
    """

    value: int
    nan: bool
    overflow: bool

    @classmethod
    def unpack(cls, payload: int) -> "Result":
        """From a result payload: value in bits 0..31, nan in bit 32, overflow in bit 33."""
        return cls(payload & 0xFFFFFFFF, bool(payload >> 32 & 1), bool(payload >> 33 & 1))

    def __str__(self) -> str:
        return f"{self.value:#010x} nan={self.nan:d} overflow={self.overflow:d}"


@dataclass(frozen=True)
class Expected:
    """A result as the golden model has it, and where it comes from.

    Attributes:
        result: bits and flags.
        what: the dot product in words, for reports.
        first_beat, last_beat: its beats' indices in the order of driving.
    """

    result: Result
    what: str
    first_beat: int
    last_beat: int


class Mismatch(AssertionError):
    """The unit and the golden model differ; the message is a report."""


def compare(
    expected: Sequence[Expected],
    schedule: Schedule,
    *,
    taken: Sequence[int],
    given: Sequence[int],
    results: Sequence[Result],
) -> int:
    """Compares a run with the golden model and returns the number of transfers compared.

    Args:
        expected, schedule: from the golden model.
        taken: the cycle in which each beat was transferred.
        given, results: the cycle and the payload of each result.

    Raises:
        Mismatch: anything differs, or there was nothing to compare.
    """
    if not taken or not results or not expected:
        raise Mismatch(f"nothing was compared: {len(taken)} beats, {len(results)} results, {len(expected)} expected")
    found = [
        *_beats(taken, schedule),
        *_results(expected, schedule, given, results),
    ]
    if found:
        more = [f"... and {len(found) - SHOWN_AT_MOST} more"] if len(found) > SHOWN_AT_MOST else []
        raise Mismatch("\n".join([f"{len(found)} differences", *found[:SHOWN_AT_MOST], *more]))
    return len(taken) + len(results)


def _beats(taken: Sequence[int], schedule: Schedule) -> list[str]:
    if len(taken) != len(schedule.taken):
        return [f"{len(taken)} beats were taken, expected {len(schedule.taken)}"]
    pairs = enumerate(zip(taken, schedule.taken.tolist(), strict=True))
    return [f"beat {beat}: expected to be taken in cycle {e}, found {t}" for beat, (t, e) in pairs if t != e]


def _results(
    expected: Sequence[Expected], schedule: Schedule, given: Sequence[int], results: Sequence[Result]
) -> list[str]:
    found = []
    for index, (want, cycle) in enumerate(zip(expected, schedule.given.tolist(), strict=True)):
        if index >= len(results):
            break
        if results[index] != want.result or given[index] != cycle:
            found.append(
                f"result {index} ({want.what}, beats {want.first_beat}..{want.last_beat}): "
                f"expected {want.result} in cycle {cycle}, found {results[index]} in cycle {given[index]}"
            )
    if len(results) < len(expected):
        want = expected[len(results)]
        found.append(
            f"result {len(results)} ({want.what}, beats {want.first_beat}..{want.last_beat}): "
            f"expected {want.result}, found none; {len(results)} of {len(expected)} results came"
        )
    for extra in range(len(expected), len(results)):
        found.append(
            f"result {extra}: expected none, found {results[extra]} in cycle {given[extra]}; "
            f"{len(expected)} results were expected"
        )
    return found
