"""A sum scaled and shifted in one register: random and extreme sums at every place in a word."""

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.gates import signed

from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_placed import Placed, PlacedTerm

PLACED = {
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    "e5m2": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1),
    "e4m3, block of 64": MacConfig("MXFP4-E4M3", "MXFP4-E4M3", block_size=64, lanes=2),
    "wide": MacConfig("MXFP4-E5M2", "MXFP4-UE5M3", block_size=128, lanes=4, accumulator_bits=128),
}


@pytest.mark.parametrize("config", PLACED.values(), ids=PLACED.keys())
def test_places(config: MacConfig) -> None:
    """The term comes `digits` + `word_bits` cycles after `start`, at its place in a word. It stays there, except that
    it moves down by the words that are taken. The next `start` comes one block later."""
    rng, plan = generator(), config.plan.term
    assert isinstance(plan, Placed), "these are the units that have the time"
    scales, words, word_bits = plan.scales, plan.split.words, plan.split.word_bits
    count, sums = 200, 5
    largest = plan.sums.largest
    wait = plan.digits + word_bits
    steps, expected = [], []
    for _ in range(sums):
        value = rng.integers(-largest, largest + 1, count)
        value[:90] = np.repeat([largest, -largest, 0, 1, -1, largest - 1], 15)
        scale = {
            "significand": rng.integers(scales.significand_max + 1, size=count),
            "exponent": rng.integers(scales.exponent_min, scales.exponent_max + 1, size=count),
            "nan": rng.integers(2, size=count),
        }
        scale["significand"][::2] = scales.significand_max
        scale["exponent"][::7] = scales.exponent_min
        scale["exponent"][::11] = scales.exponent_max
        moved = np.zeros(count, int)
        for cycle in range(config.beats_per_block + int(rng.integers(2))):
            sum_now = value if cycle == 0 else rng.integers(-largest, largest + 1, count)
            take = rng.integers(2, size=count) if wait <= cycle < wait + words else np.zeros(count, int)
            step = {"start": [cycle == 0], "sum": sum_now % (1 << plan.sums.bits), "scale": scale, "take": take}
            steps.append(step)
            expected.append((value, scale, moved, cycle == wait) if wait <= cycle < wait + words else None)
            moved = moved + take * word_bits
    found = run(PlacedTerm(plan), steps, count, simulated=100)
    bits = plan.bits + 1 + plan.places
    for outputs, due in zip(found, expected, strict=True):
        assert (outputs["ready"] == (due is not None and due[3])).all()
        if due is not None:
            value, scale, moved, _ = due
            term = outputs["term"]
            place = (scale["exponent"] - scales.exponent_min) % word_bits
            np.testing.assert_array_equal(signed(term["value"], bits), value * scale["significand"] << place >> moved)
            np.testing.assert_array_equal(term["exponent"], scale["exponent"])
            np.testing.assert_array_equal(term["nan"], scale["nan"])
