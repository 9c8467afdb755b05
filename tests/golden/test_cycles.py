"""Cycles by hand, and against a pipeline simulated register by register."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import Schedule, schedule


def shift_register(
    last: list[bool], latency: int, beats_per_block: int, offered: list[bool], ready: list[bool]
) -> tuple[list[int], list[int], list[int]]:
    """The same unit as `latency` registers in a row, all of which move or none."""
    registers = [False] * latency
    beat, holding = 0, False
    taken: list[int] = []
    shown: list[int] = []
    given_in: list[int] = []
    waiting = False
    for cycle in range(10_000):
        i_valid = beat < len(last) and (holding or cycle >= len(offered) or offered[cycle])
        o_valid = registers[-1]
        o_ready = cycle >= len(ready) or ready[cycle]
        i_ready = not (o_valid and not o_ready)
        if o_valid and not waiting:
            shown.append(cycle)
        if o_valid and o_ready:
            given_in.append(cycle)
        waiting = o_valid and not o_ready
        transfer = i_valid and i_ready
        ends = transfer and last[beat] and (beat + 1) % beats_per_block == 0
        if transfer:
            taken.append(cycle)
            beat += 1
        holding = i_valid and not transfer
        if i_ready:
            registers = [ends, *registers[:-1]]
    return taken, shown, given_in


def as_lists(found: Schedule) -> tuple[list[int], list[int], list[int]]:
    return found.taken.tolist(), found.shown.tolist(), found.given.tolist()


PATTERN = st.lists(st.booleans(), max_size=60)


@given(PATTERN, st.integers(1, 9), st.sampled_from([1, 2, 4]), PATTERN, PATTERN)
def test_any_stalls(
    last: list[bool], latency: int, beats_per_block: int, offered: list[bool], ready: list[bool]
) -> None:
    found = schedule(last, latency=latency, beats_per_block=beats_per_block, offered=offered, ready=ready)
    assert as_lists(found) == shift_register(last, latency, beats_per_block, offered, ready)


def test_without_stalls_there_are_no_bubbles() -> None:
    found = schedule([False, False, False, True] * 3, latency=5, beats_per_block=4)
    assert as_lists(found) == (list(range(12)), [8, 12, 16], [8, 12, 16])


def test_a_result_that_waits_stops_the_input() -> None:
    found = schedule([True] * 4, latency=2, ready=[True, True, False, False, True])
    # The first result shows in cycle 2 and waits for two cycles, and with it the third beat.
    assert as_lists(found) == ([0, 1, 4, 5], [2, 5, 6, 7], [4, 5, 6, 7])


def test_an_output_that_is_not_ready_stops_nothing_until_a_result_shows() -> None:
    found = schedule([False] * 8, latency=2, ready=[False] * 20)
    assert as_lists(found) == (list(range(8)), [], [])


def test_a_late_driver() -> None:
    found = schedule([False, True], latency=3, offered=[False, True, False, False, True])
    assert as_lists(found) == ([1, 4], [7], [7])


def test_a_beat_on_offer_stays_on_offer() -> None:
    found = schedule([True, True], latency=1, offered=[True, True, False], ready=[True, False, True])
    assert as_lists(found) == ([0, 2], [1, 3], [2, 3])


def test_last_counts_in_a_block_s_last_beat_only() -> None:
    found = schedule([True, False, True, True], latency=1, beats_per_block=2)
    assert as_lists(found) == ([0, 1, 2, 3], [4], [4])


def test_nothing_to_do() -> None:
    assert as_lists(schedule([], latency=4)) == ([], [], [])
    assert schedule(np.zeros(0, np.bool_), latency=4).taken.dtype == np.int64


def test_bad_input() -> None:
    with pytest.raises(UsageError, match="latency 0 is not allowed; it is at least 1"):
        schedule([True], latency=0)
    with pytest.raises(UsageError, match="beats_per_block 0 is not allowed"):
        schedule([True], latency=1, beats_per_block=0)
