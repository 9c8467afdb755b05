"""The quantiser's cycle model against its own rules, stated apart from it."""

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden.quantizer_cycles import quantizer_schedule


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
        for shown, given in zip(found.shown, found.given, strict=True):
            stalled[shown:given] = True
        moves = np.cumsum(~stalled) - 1
        ends = moves[found.taken[beats - 1 :: beats]]
        expected = (ends[:, None] + 3 + np.arange(beats)).ravel()
        np.testing.assert_array_equal(moves[found.given], expected)
        assert not stalled[found.taken].any()


@pytest.mark.parametrize("name, value", (("drain", 0), ("beats_per_block", 0), ("blocks", -1)))
def test_what_cannot_be(name: str, value: int) -> None:
    arguments = {"blocks": 1, "beats_per_block": 4, "drain": 2} | {name: value}
    with pytest.raises(UsageError, match=rf"{name} {value} is not allowed; it is at least"):
        quantizer_schedule(arguments.pop("blocks"), **arguments)
