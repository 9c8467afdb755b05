"""The cycle models by hand, against a pipeline simulated register by register, and the chain against its parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden.cycles import ChainSchedule, Schedule, chain_schedule, quantizer_schedule, schedule

# -- a MAC unit


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


def test_no_beats() -> None:
    assert as_lists(schedule([], latency=4)) == ([], [], [])
    assert schedule(np.zeros(0, np.bool_), latency=4).taken.dtype == np.int64


def test_refused_arguments() -> None:
    with pytest.raises(UsageError, match="latency 0 is not allowed; it is at least 1"):
        schedule([True], latency=0)
    with pytest.raises(UsageError, match="beats_per_block 0 is not allowed"):
        schedule([True], latency=1, beats_per_block=0)


# -- a quantiser


@pytest.mark.parametrize("drain", (1, 2, 3))
@pytest.mark.parametrize("beats", (1, 4, 32))
def test_without_gaps_and_stalls_every_beat_comes_a_latency_later(beats: int, drain: int) -> None:
    found = quantizer_schedule(5, beats_per_block=beats, drain=drain)
    np.testing.assert_array_equal(found.taken, np.arange(5 * beats))
    np.testing.assert_array_equal(found.given, found.taken + beats - 1 + drain)
    np.testing.assert_array_equal(found.shown, found.given)


def test_a_block_with_gaps_drains_in_one_go() -> None:
    offered = [True, False, False, True, False] + [True] * 2 + [False] * 20
    found = quantizer_schedule(1, beats_per_block=4, drain=3, offered=offered)
    assert found.taken.tolist() == [0, 3, 5, 6]
    assert found.given.tolist() == [9, 10, 11, 12]


def test_an_output_that_waits_stops_everything() -> None:
    ready = [True] * 4 + [False] * 5 + [True] * 20
    found = quantizer_schedule(2, beats_per_block=2, drain=2, ready=ready)
    # Beat 1 of block 0 is shown in cycle 4 and waits through cycle 8; nothing is taken meanwhile.
    assert found.shown.tolist() == [3, 4, 10, 11]
    assert found.given.tolist() == [3, 9, 10, 11]
    assert found.taken.tolist() == [0, 1, 2, 3]


def test_stalled_cycles_count_for_nothing() -> None:
    """Taking the cycles out in which an output waits gives the schedule of a taker that never waits."""
    rng = np.random.default_rng(1)
    for beats in (1, 2, 4):
        offered, ready = rng.random(400) < 0.6, rng.random(400) < 0.6
        found = quantizer_schedule(20, beats_per_block=beats, drain=3, offered=offered, ready=ready)
        stalled = np.zeros(2000, bool)
        for shown, given_in in zip(found.shown, found.given, strict=True):
            stalled[shown:given_in] = True
        moves = np.cumsum(~stalled) - 1
        ends = moves[found.taken[beats - 1 :: beats]]
        expected = (ends[:, None] + 3 + np.arange(beats)).ravel()
        np.testing.assert_array_equal(moves[found.given], expected)
        assert not stalled[found.taken].any()


@pytest.mark.parametrize("name, value", (("drain", 0), ("beats_per_block", 0), ("blocks", -1)))
def test_refused_arguments_of_a_quantizer(name: str, value: int) -> None:
    arguments = {"blocks": 1, "beats_per_block": 4, "drain": 2} | {name: value}
    with pytest.raises(UsageError, match=rf"{name} {value} is not allowed; it is at least"):
        quantizer_schedule(arguments.pop("blocks"), **arguments)


# -- a quantiser with a MAC unit behind it

LAST = ([False] * 7 + [True]) * 3 + [False] * 3 + [True]
"""Dot products of two blocks of 4 beats, and of one."""


def chained(**ends: object) -> ChainSchedule:
    return chain_schedule(LAST, beats_per_block=4, drain=3, latency=5, **ends)  # type: ignore[arg-type]


def test_a_chain_in_which_nothing_stands_still() -> None:
    """Latencies add up: 3 more beats of the block and the drain, then the MAC unit's."""
    found = chained()
    assert found.activations.tolist() == list(range(28))
    assert found.weights.tolist() == list(range(6, 34))
    assert found.given.tolist() == [7 + 6 + 5, 15 + 6 + 5, 23 + 6 + 5, 27 + 6 + 5]


def test_last_counts_in_a_block_s_last_beat_only_in_a_chain() -> None:
    assert len(chain_schedule([True, True], beats_per_block=2, drain=1, latency=1).given) == 1


@pytest.mark.parametrize("seed", range(20))
def test_both_parts_of_a_chain_agree_with_their_own_models(seed: int) -> None:
    """What stands between them is given to each as a record: the quantiser's `ready`, the MAC unit's `valid`."""
    rng = np.random.default_rng(seed)
    a, w, ready = (rng.random(4000) < share for share in rng.choice([0.3, 0.7, 0.9, 1], 3))
    found = chained(activations=a, weights=w, ready=ready)
    met = np.zeros(4000, bool)
    met[found.weights] = True
    quantizer = quantizer_schedule(7, beats_per_block=4, drain=3, offered=a, ready=met)
    assert np.array_equal(quantizer.taken, found.activations)
    assert np.array_equal(quantizer.given, found.weights)
    mac = schedule(LAST, latency=5, beats_per_block=4, offered=met, ready=ready)
    assert np.array_equal(mac.taken, found.weights)
    assert np.array_equal(mac.given, found.given)
    # Nothing waits without a reason: a beat that is shown meets as soon as its weights are there and the MAC moves.
    for beat, (shown, cycle) in enumerate(zip(quantizer.shown, found.weights, strict=True)):
        begin = max(shown, found.weights[beat - 1] + 1 if beat else 0)
        offered = begin + int(np.argmax(w[begin:]))
        before = found.weights[beat - 1] + 1 if beat else 0
        offered = min(offered, before + int(np.argmax(w[before:]))) if w[before:].any() else offered
        still = [c for c in range(max(begin, offered), cycle) if not _mac_waits(mac, ready, c)]
        assert not still, f"beat {beat}"


def _mac_waits(mac: object, ready: np.ndarray, cycle: int) -> bool:
    shown, given = mac.shown, mac.given  # type: ignore[attr-defined]
    return bool(((shown <= cycle) & (cycle < given)).any())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"drain": 0}, "drain 0 is not allowed"),
        ({"latency": 0}, "latency 0 is not allowed"),
        ({"beats_per_block": 0}, "beats_per_block 0 is not allowed"),
        ({"beats_per_block": 3}, "28 beats are not whole blocks of 3"),
    ],
)
def test_refused_arguments_of_a_chain(change: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        chain_schedule(LAST, **({"beats_per_block": 4, "drain": 3, "latency": 5} | change))
