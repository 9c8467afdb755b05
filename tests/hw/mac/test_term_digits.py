"""A sum scaled by a digit a cycle: every product of random and extreme sums with every significand, back to back."""

import numpy as np
import pytest
from amaranth.utils import bits_for
from helpers.comb import generator, run
from helpers.configs import every_mac
from helpers.gates import signed

from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_digits import ROWS_WORTH_SAVING, Digits, DigitTerm

CONFIGS = {
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    "ue5m3": MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", lanes=8),
    "a bit a cycle": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=2),
    "mixed": MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=2),
    "float32": MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=1, accumulator="fp32"),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_products(config: MacConfig) -> None:
    """The term is there `digits` - 1 cycles after `start`, and only then. A new sum may come as soon as the accumulator
    has taken the term before."""
    rng, plan, apart = generator(), config.plan.term, config.plan.accumulator.cycles_per_term
    assert isinstance(plan, Digits) and 1 < plan.digits <= apart, "these are the units that scale by digits"
    count, sums = 200, 12
    largest, scales = plan.sums.largest, plan.scales
    steps, expected, ready = [], [], []
    for _ in range(sums):
        value = rng.integers(-largest, largest + 1, count)
        value[:6] = [largest, -largest, 0, 1, -1, largest - 1]
        scale = {
            "significand": rng.integers(scales.significand_max + 1, size=count),
            "exponent": rng.integers(1 << bits_for(scales.exponent_max), size=count),
            "nan": rng.integers(2, size=count),
        }
        scale["significand"][::2] = scales.significand_max
        for cycle in range(apart + int(rng.integers(2))):
            sum_now = value if cycle == 0 else rng.integers(-largest, largest + 1, count)
            held = (
                scale if cycle < plan.digits + plan.held else {name: 1 - np.minimum(v, 1) for name, v in scale.items()}
            )
            steps.append({"start": [cycle == 0], "sum": sum_now % (1 << plan.sums.bits), "scale": held})
            expected.append((value, scale) if cycle == plan.digits - 1 + plan.held else None)
            ready.append(cycle == plan.digits - 1)
    found = run(DigitTerm(plan), steps, count)
    for outputs, due, now in zip(found, expected, ready, strict=True):
        assert (outputs["ready"] == now).all()
        if due is not None:
            value, scale = due
            term = outputs["term"]
            if plan.signed:
                product = signed(term["value"], plan.bits + 1)
            else:
                product = term["magnitude"] * (1 - 2 * term["negative"])
            np.testing.assert_array_equal(product, value * scale["significand"])
            np.testing.assert_array_equal(term["exponent"], scale["exponent"])
            np.testing.assert_array_equal(term["nan"], scale["nan"])


@pytest.mark.parametrize(
    ("cycles", "digit_bits", "digits"), ((1, 8, 1), (2, 4, 2), (3, 3, 3), (4, 2, 4), (6, 2, 4), (8, 1, 8), (31, 1, 8))
)
def test_the_narrowest_digits(cycles: int, digit_bits: int, digits: int) -> None:
    """Digits of a product of eight bits. The term stays where it was made if the block has enough beats."""
    sums = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=4).plan.sums
    plan = Digits.over(sums, cycles, held_for=4)
    assert plan.scales.significand_bits == 8 and sums.beats == 8
    assert (plan.digit_bits, plan.digits, plan.rows_saved) == (digit_bits, digits, 8 - digit_bits)
    assert plan.held == (digits + 4 <= 8)
    assert plan.cycles == digits - 1


def test_digits_are_taken_where_they_save_enough() -> None:
    for config in every_mac():
        term = config.plan.term
        if isinstance(term, Digits):
            assert term.rows_saved >= ROWS_WORTH_SAVING and term.sums.count == 1
