"""Runs a job on the compiled unit and compares every result, and its cycle, with the golden model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.sim.layer.cycles import predicted_cycles
from amxfp4.sim.layer.harness import Harness, Trace
from amxfp4.sim.layer.job import Job
from amxfp4.sim.verilate import BUILD, build_harness

EXAMPLES = 5
"""Mismatches kept for the report."""

Progress = Callable[[int], None]
"""Called with the number of outputs compared since the last call."""


@dataclass(frozen=True)
class Mismatched:
    """An output that differs from the golden model's.

    Attributes:
        index: its place in the order of results.
        expected, found: the payloads as integers.
        expected_cycle, found_cycle: the cycles in which they come.
    """

    index: int
    expected: int
    found: int
    expected_cycle: int
    found_cycle: int


@dataclass(frozen=True)
class Comparison:
    """What came of a job.

    Attributes:
        outputs: how many were expected, and compared.
        mismatches: outputs whose bits, flags or cycle differ, or that did not come.
        extra: results beyond those expected.
        cycles: from the first beat to the last result.
        examples: the first few mismatches.
        payloads: uint32 (outputs, words), as the unit gave them; zero where none came.
    """

    outputs: int
    mismatches: int
    extra: int
    cycles: int
    examples: tuple[Mismatched, ...]
    payloads: NDArray[np.uint32]

    @property
    def good(self) -> bool:
        return self.outputs > 0 and not self.mismatches and not self.extra


def run_job(job: Job, *, build: Path = BUILD, progress: Progress = lambda outputs: None) -> Comparison:
    """Builds the unit's simulator, sends every beat and compares every result and its cycle.

    Args:
        job: the beats, and what must come of them.
        build: folder for builds.
        progress: called as outputs are compared.

    Raises:
        RunError: the simulator could not be built, or died.
    """
    words = job.expected.shape[1]
    executable = build_harness(job.verilog, job.top, job.inputs, build=build) / job.top
    comparing = _Comparing(job)
    with Harness(executable, result_words=words, drain=job.latency + 2 * job.beats_per_dot) as harness:
        for trace in harness.run(job.beats()):
            progress(comparing.take(trace))
    return comparing.finished()


class _Comparing:
    """A comparison under way: results come in order, some at a time."""

    def __init__(self, job: Job) -> None:
        self._expected = job.expected
        self._due = predicted_cycles(job, len(job.expected))
        self._payloads = np.zeros_like(job.expected)
        self._examples: list[Mismatched] = []
        self._done = self._wrong = self._extra = self._cycles = 0

    def take(self, trace: Trace) -> int:
        """Compares the next results.

        Returns:
            How many of them were expected.
        """
        count = min(len(trace.given), len(self._expected) - self._done)
        part = slice(self._done, self._done + count)
        self._payloads[part] = trace.payloads[:count]
        wrong_bits = (self._payloads[part] != self._expected[part]).any(axis=1)
        differs = wrong_bits | (trace.given[:count] != self._due[part])
        for place in np.flatnonzero(differs)[: EXAMPLES - len(self._examples)]:
            self._examples.append(self._mismatched(self._done + int(place), int(trace.given[place])))
        self._wrong += int(differs.sum())
        self._extra += len(trace.given) - count
        self._done += count
        if len(trace.given):
            self._cycles = int(trace.given[-1]) + 1
        return count

    def _mismatched(self, index: int, cycle: int) -> Mismatched:
        expected, found = (_integer(payloads[index]) for payloads in (self._expected, self._payloads))
        return Mismatched(index, expected, found, int(self._due[index]), cycle)

    def finished(self) -> Comparison:
        """What came of the job; outputs that have not come count as mismatches."""
        outputs = len(self._expected)
        missing = outputs - self._done
        return Comparison(
            outputs, self._wrong + missing, self._extra, self._cycles, tuple(self._examples), self._payloads
        )


def _integer(payload: NDArray[np.uint32]) -> int:
    """A packed payload as one integer."""
    return int.from_bytes(payload.astype("<u4").tobytes(), "little")
