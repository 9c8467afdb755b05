"""The windowed accumulators: one term of every exponent, and which form a unit gets."""

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.gates import signed

from amxfp4.hw.mac.acc_exact import ExactAccumulator
from amxfp4.hw.mac.acc_window import Windowed, WindowedWords
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.round_words import ByWords
from amxfp4.hw.mac.term_whole import Whole

AT_ONCE = {
    "one path": MacConfig("MXFP4", "MXFP4", lanes=32, accumulator="window"),
    "two paths": MacConfig("AMXFP4-E8M0", "MXFP4", lanes=32, accumulator="window"),
    "narrowest": MacConfig("MXFP4", "MXFP4", lanes=16, accumulator="window", accumulator_bits=14),
}


@pytest.mark.parametrize("config", AT_ONCE.values(), ids=AT_ONCE.keys())
def test_bits_under_the_window_are_left_out_of_each_term(config: MacConfig) -> None:
    """Blocks of random terms, each cut downwards by itself; overflow is a term above or a total out of range."""
    plan, rng = config.plan.accumulator, generator()
    assert isinstance(plan, Windowed)
    scales, bits, count = plan.term.scales, plan.term.bits + 1, 100
    limit = 1 << (plan.bits - 1)
    total, overflow = np.zeros(count, object), np.zeros(count, bool)
    steps, expected = [], []
    for index in range(24):
        first = (rng.random(count) < 0.2) | (index == 0)
        total, overflow = np.where(first, 0, total), overflow & ~first
        terms = []
        for _ in range(plan.paths):
            # All terms of a block together are no larger than the largest.
            largest = config.block_max // plan.paths
            value = rng.integers(-largest, largest + 1, count)
            value[rng.random(count) < 0.2] = rng.choice([-1, 0, 1])
            exponent = rng.integers(scales.exponent_max + 1, size=count)
            above = rng.random(count) < 0.02
            fields = {"value": value % (1 << bits), "exponent": exponent, "nan": np.zeros(count, int)}
            terms.append(fields | {"above": above.astype(int)})
            total = total + [int(v) << int(e) >> scales.below for v, e in zip(value, exponent, strict=True)]
            overflow = overflow | above
        overflow = overflow | ~((total >= -limit) & (total < limit)).astype(bool)
        steps.append({"term": terms, "valid": [1], "first": first.astype(int), "last": [1]})
        expected.append((total, overflow))
    found = run(ExactAccumulator(plan), [*steps, steps[-1] | {"valid": [0]}], count, simulated=50)
    for outputs, (totals, overflows) in zip(found[1:], expected, strict=True):
        np.testing.assert_array_equal(outputs["overflow"], overflows)
        kept = ~overflows
        np.testing.assert_array_equal(signed(outputs["total"].astype(object), plan.width)[kept], totals[kept])
    assert any(overflows.any() for _, overflows in expected)


@pytest.mark.parametrize(
    ("lanes", "accumulator", "term", "rounder"),
    [(1, WindowedWords, Whole, InPlace), (2, WindowedWords, Whole, InPlace), (8, WindowedWords, Whole, ByWords)],
)
def test_forms(lanes: int, accumulator: type, term: type, rounder: type) -> None:
    plan = MacConfig("MXFP4", "MXFP4", lanes=lanes, accumulator="window").plan
    assert (type(plan.accumulator), type(plan.term), type(plan.rounder)) == (accumulator, term, rounder)


def test_products_are_not_added_directly() -> None:
    """Each term is cut, so a unit that adds products would give other numbers."""
    assert MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=1, accumulator="window").plan.sums.count == 4
