"""From an exact total to float32: totals about powers of two, ties, the extremes, and random ones of every width."""

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.mac_parts import exact_part
from helpers.totals import totals

from amxfp4.golden.float32 import NAN_BITS, float32_bits
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.round_exact import ExactRounder

CONFIGS = {
    "e5m2": MacConfig("AMXFP4", "AMXFP4"),
    "e4m3": MacConfig("MXFP4-E4M3", "MXFP4-E4M3"),
    "e5m2-narrow": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", block_size=8, lanes=8, accumulator_bits=81),
    "e4m3-narrow": MacConfig("MXFP4-E4M3", "MXFP4-E4M3", block_size=8, lanes=8, accumulator_bits=52),
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2"),
    "wide": MacConfig("AMXFP4", "AMXFP4", accumulator_bits=128),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_rounded_once(config: MacConfig) -> None:
    """A total that is taken gives its float32 two cycles later, and junk in between is not taken."""
    rng = generator()
    rounder = ExactRounder(exact_part(config).rounder)
    # The top bit is a sign alone when there was no overflow.
    values = totals(config.accumulator_bits)
    count, cycles = 400, 40
    picks = np.array([values[i % len(values)] for i in rng.permutation(count * cycles)], object).reshape(cycles, count)
    assert count * cycles > len(values), "every total comes up"
    valid = rng.random((cycles, count)) < 0.9
    nan, overflow = rng.random((2, cycles, count)) < 0.02
    steps = [
        {
            "total": picks[cycle] % (1 << rounder.plan.width),
            "nan": nan[cycle].astype(int),
            "overflow": overflow[cycle].astype(int),
            "valid": valid[cycle].astype(int),
        }
        for cycle in range(cycles)
    ]
    found = run(rounder, steps, count)
    for cycle in range(cycles - 2):
        now, then = found[cycle + 2], valid[cycle]
        np.testing.assert_array_equal(now["ready"], then)
        special = nan[cycle] | overflow[cycle]
        expected = np.array([float32_bits(int(value), config.lsb_exponent) for value in picks[cycle]])
        np.testing.assert_array_equal(now["result"]["value"][then], np.where(special, NAN_BITS, expected)[then])
        np.testing.assert_array_equal(now["result"]["nan"][then], special[then])
        np.testing.assert_array_equal(now["result"]["overflow"][then], (overflow & ~nan)[cycle][then])
