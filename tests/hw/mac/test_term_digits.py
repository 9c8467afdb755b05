"""A sum scaled by a digit a cycle: every product of random and extreme sums with every significand, back to back."""

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.gates import signed

from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_digits import DigitTerm, PlacedTerm

CONFIGS = {
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    "ue5m3": MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", lanes=8),
    "a bit a cycle": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=2),
    "mixed": MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=2),
    "float32": MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=1, accumulator="fp32"),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_products(config: MacConfig) -> None:
    """The term is there `digits` - 1 cycles after `start`, and only then; a new sum may come `loop_stages` after."""
    rng = generator()
    assert 1 < config.digits <= config.loop_stages, "these are the units that scale by digits"
    count, sums = 200, 12
    largest = config.product_max * config.block_size
    steps, expected, ready = [], [], []
    for _ in range(sums):
        value = rng.integers(-largest, largest + 1, count)
        value[:6] = [largest, -largest, 0, 1, -1, largest - 1]
        scale = {
            "significand": rng.integers(config.scale_significand_max + 1, size=count),
            "exponent": rng.integers(1 << config.exponent_bits, size=count),
            "nan": rng.integers(2, size=count),
        }
        scale["significand"][::2] = config.scale_significand_max
        for cycle in range(config.loop_stages + int(rng.integers(2))):
            sum_now = value if cycle == 0 else rng.integers(-largest, largest + 1, count)
            held = (
                scale
                if cycle < config.digits + config.term_held
                else {name: 1 - np.minimum(v, 1) for name, v in scale.items()}
            )
            steps.append({"start": [cycle == 0], "sum": sum_now % (1 << config.sum_bits), "scale": held})
            expected.append((value, scale) if cycle == config.digits - 1 + config.term_held else None)
            ready.append(cycle == config.digits - 1)
    found = run(DigitTerm(config), steps, count)
    for outputs, due, now in zip(found, expected, ready, strict=True):
        assert (outputs["ready"] == now).all()
        if due is not None:
            value, scale = due
            term = outputs["term"]
            if config.exact:
                product = signed(term["value"], config.term_bits + 1)
            else:
                product = term["magnitude"] * (1 - 2 * term["negative"])
            np.testing.assert_array_equal(product, value * scale["significand"])
            np.testing.assert_array_equal(term["exponent"], scale["exponent"])
            np.testing.assert_array_equal(term["nan"], scale["nan"])


PLACED = {
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    "e5m2": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1),
    "e4m3, block of 64": MacConfig("MXFP4-E4M3", "MXFP4-E4M3", block_size=64, lanes=2),
    "wide": MacConfig("MXFP4-E5M2", "MXFP4-UE5M3", block_size=128, lanes=4, accumulator_bits=128),
}


@pytest.mark.parametrize("config", PLACED.values(), ids=PLACED.keys())
def test_places(config: MacConfig) -> None:
    """The term comes `digits` + `word_bits` cycles after `start`, at its place in a word, stays there but for words
    that are taken, and a block after a `start` comes the next."""
    rng = generator()
    assert config.placed, "these are the units that have the time"
    count, sums = 200, 5
    largest = config.product_max * config.block_size
    wait = config.digits + config.word_bits
    steps, expected = [], []
    for _ in range(sums):
        value = rng.integers(-largest, largest + 1, count)
        value[:90] = np.repeat([largest, -largest, 0, 1, -1, largest - 1], 15)
        scale = {
            "significand": rng.integers(config.scale_significand_max + 1, size=count),
            "exponent": rng.integers(config.exponent_min, config.exponent_max + 1, size=count),
            "nan": rng.integers(2, size=count),
        }
        scale["significand"][::2] = config.scale_significand_max
        scale["exponent"][::7] = config.exponent_min
        scale["exponent"][::11] = config.exponent_max
        moved = np.zeros(count, int)
        for cycle in range(config.beats_per_block + int(rng.integers(2))):
            sum_now = value if cycle == 0 else rng.integers(-largest, largest + 1, count)
            take = rng.integers(2, size=count) if wait <= cycle < wait + config.words else np.zeros(count, int)
            step = {"start": [cycle == 0], "sum": sum_now % (1 << config.sum_bits), "scale": scale, "take": take}
            steps.append(step)
            expected.append((value, scale, moved, cycle == wait) if wait <= cycle < wait + config.words else None)
            moved = moved + take * config.word_bits
    found = run(PlacedTerm(config), steps, count, simulated=100)
    bits = config.term_bits + 1 + config.places
    for outputs, due in zip(found, expected, strict=True):
        assert (outputs["ready"] == (due is not None and due[3])).all()
        if due is not None:
            value, scale, moved, _ = due
            term = outputs["term"]
            place = (scale["exponent"] - config.exponent_min) % config.word_bits
            np.testing.assert_array_equal(signed(term["value"], bits), value * scale["significand"] << place >> moved)
            np.testing.assert_array_equal(term["exponent"], scale["exponent"])
            np.testing.assert_array_equal(term["nan"], scale["nan"])
