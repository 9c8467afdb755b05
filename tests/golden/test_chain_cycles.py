"""The cycle model of a quantiser with a MAC unit behind it, against its two parts' own models."""

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden.chain_cycles import ChainSchedule, chain_schedule
from amxfp4.golden.cycles import schedule
from amxfp4.golden.quantizer_cycles import quantizer_schedule

LAST = ([False] * 7 + [True]) * 3 + [False] * 3 + [True]
"""Dot products of two blocks of 4 beats, and of one."""


def chained(**ends: object) -> ChainSchedule:
    return chain_schedule(LAST, beats_per_block=4, drain=3, latency=5, **ends)  # type: ignore[arg-type]


def test_nothing_stands_still() -> None:
    """Latencies add up: 3 more beats of the block and the drain, then the MAC unit's."""
    found = chained()
    assert found.activations.tolist() == list(range(28))
    assert found.weights.tolist() == list(range(6, 34))
    assert found.given.tolist() == [7 + 6 + 5, 15 + 6 + 5, 23 + 6 + 5, 27 + 6 + 5]


def test_last_counts_in_a_blocks_last_beat_only() -> None:
    assert len(chain_schedule([True, True], beats_per_block=2, drain=1, latency=1).given) == 1


@pytest.mark.parametrize("seed", range(20))
def test_both_parts_agree_with_their_own_models(seed: int) -> None:
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
def test_wrong_arguments(change: dict[str, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        chain_schedule(LAST, **({"beats_per_block": 4, "drain": 3, "latency": 5} | change))
