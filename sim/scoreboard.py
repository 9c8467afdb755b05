"""Compares what a unit did with what the golden model says: every result in order, and the cycle of every transfer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

SHOWN_AT_MOST = 5
"""Differences that a report lists one by one. The others are only counted."""


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
        """Reads a result payload: value in bits 0..31, nan in bit 32, overflow in bit 33."""
        return cls(payload & 0xFFFFFFFF, bool(payload >> 32 & 1), bool(payload >> 33 & 1))

    def __str__(self) -> str:
        return f"{self.value:#010x} nan={self.nan:d} overflow={self.overflow:d}"


@dataclass(frozen=True)
class Expected:
    """A result of the golden model, and where it comes from.

    Attributes:
        result: what the payload must read as.
        what: the stimulus in words, for reports.
        first_beat, last_beat: indices of the stimulus's beats, in the order of driving.
        read: turns a payload into what is compared with `result`.
    """

    result: object
    what: str
    first_beat: int
    last_beat: int
    read: Callable[[int], object] = Result.unpack


@dataclass(frozen=True)
class Due:
    """The golden model's cycles.

    Attributes:
        taken: per input stream, the cycle in which each beat is transferred.
        given: the cycle in which each result is transferred.
    """

    taken: Mapping[str, Sequence[int]]
    given: Sequence[int]


class Mismatch(AssertionError):
    """The unit and the golden model differ. The message is a report."""


def compare(
    expected: Sequence[Expected],
    due: Due,
    *,
    taken: Mapping[str, Sequence[int]],
    given: Sequence[int],
    payloads: Sequence[int],
) -> int:
    """Compares a run with the golden model.

    Args:
        expected, due: from the golden model.
        taken: per input stream, the cycle in which each beat was transferred.
        given, payloads: the cycle and the payload of each result.

    Raises:
        Mismatch: anything differs, or there was nothing to compare.
    """
    beats = min((len(cycles) for cycles in taken.values()), default=0)
    if not beats or not payloads or not expected:
        raise Mismatch(f"nothing was compared: {beats} beats, {len(payloads)} results, {len(expected)} expected")
    found = [
        *(line for stream in due.taken for line in _beats(stream, taken[stream], due.taken[stream])),
        *_results(expected, due.given, given, payloads),
    ]
    if found:
        more = [f"... and {len(found) - SHOWN_AT_MOST} more"] if len(found) > SHOWN_AT_MOST else []
        raise Mismatch("\n".join([f"{len(found)} differences", *found[:SHOWN_AT_MOST], *more]))
    return sum(len(cycles) for cycles in taken.values()) + len(payloads)


def _beats(stream: str, taken: Sequence[int], due: Sequence[int]) -> list[str]:
    if len(taken) != len(due):
        return [f"{len(taken)} beats of {stream} were taken, expected {len(due)}"]
    cycles = enumerate(zip(due, taken, strict=True))
    say = "beat {} of {}: expected to be taken in cycle {}, found {}"
    return [say.format(beat, stream, want, found) for beat, (want, found) in cycles if want != found]


def _results(
    expected: Sequence[Expected], due: Sequence[int], given: Sequence[int], payloads: Sequence[int]
) -> list[str]:
    found = []
    for index, (want, cycle) in enumerate(zip(expected, due, strict=True)):
        if index >= len(payloads):
            break
        result = want.read(payloads[index])
        if result != want.result or given[index] != cycle:
            found.append(
                f"result {index} ({_where(want)}): "
                f"expected {want.result} in cycle {cycle}, found {result} in cycle {given[index]}"
            )
    if len(payloads) < len(expected):
        want = expected[len(payloads)]
        found.append(
            f"result {len(payloads)} ({_where(want)}): "
            f"expected {want.result}, found none; {len(payloads)} of {len(expected)} results came"
        )
    for extra in range(len(expected), len(payloads)):
        found.append(
            f"result {extra}: expected none, found {payloads[extra]:#x} in cycle {given[extra]}; "
            f"{len(expected)} results were expected"
        )
    return found


def _where(expected: Expected) -> str:
    return f"{expected.what}, beats {expected.first_beat}..{expected.last_beat}"
