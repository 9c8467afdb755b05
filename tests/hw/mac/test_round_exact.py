"""From an exact total to float32: totals about powers of two, ties, the extremes, and random ones of every width."""

import numpy as np
import pytest
from helpers.comb import generator, run

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


def totals(width: int) -> list[int]:
    """Numbers of `width` bits in two's complement."""
    rng = generator()

    def random(bits: int) -> int:
        return int.from_bytes(rng.bytes(-(-bits // 8)), "little") >> (-bits % 8)

    found = [0, 1, -1, (1 << (width - 1)) - 1, -(1 << (width - 1))]
    for top in range(width):
        near = [(1 << top) + d for d in range(-4, 5)]
        # The last place of a 24-bit significand, and the tie below it, with and without a bit further down.
        last = 1 << max(top - 23, 0)
        for significand in (1 << 23, (1 << 24) - 1, (1 << 24) - 2, 1 << 23 | random(23)):
            value = significand * last
            near += [value, value + last // 2, value + last // 2 + 1, value + last // 2 - 1, value + last - 1]
        near += [random(top + 1) for _ in range(8)]
        found += [sign * value for value in near for sign in (1, -1)]
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    return [value for value in found if low <= value < high]


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_rounded_once(config: MacConfig) -> None:
    """A total that is taken gives its float32 two cycles later, and junk in between is not taken."""
    rng = generator()
    rounder = ExactRounder(config, config.accumulator_bits + 1)
    # The top bit is a sign alone when there was no overflow.
    values = totals(config.accumulator_bits)
    count, cycles = 400, 40
    picks = np.array([values[i % len(values)] for i in rng.permutation(count * cycles)], object).reshape(cycles, count)
    assert count * cycles > len(values), "every total comes up"
    valid = rng.random((cycles, count)) < 0.9
    nan, overflow = rng.random((2, cycles, count)) < 0.02
    steps = [
        {
            "total": picks[cycle] % (1 << rounder.width),
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
