"""The flags and the sticky rules of `dot_detailed`; its values are tested beside `dot`."""

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import Blocks, block_format, dot_detailed


def constant(name: str, elements: list[int], scales: list[list[int]], block_size: int = 8) -> Blocks:
    """One dot product's operand: one element code and a list of scale codes for each block."""
    fmt = block_format(name, block_size)
    codes = np.repeat(np.array(elements, np.uint8), block_size)
    return Blocks.from_codes(codes=codes, scales=np.array(scales, np.uint8), fmt=fmt)


ONE = 60
"""The E5M2 code of 1."""


def test_overflow_is_judged_after_each_block_and_sticks() -> None:
    w = constant("MXFP4-E5M2", [2] * 3, [[ONE]] * 3)
    up_and_down = constant("MXFP4-E5M2", [2, 2, 10], [[ONE]] * 3)  # +8, +8, -8 in all
    # 16 needs 5 bits above the binary point, 34 below it, and a sign.
    fits = dot_detailed(up_and_down, w, accumulator_bits=40)
    assert (fits.values, fits.nan, fits.overflow) == (8, False, False)
    overflows = dot_detailed(up_and_down, w, accumulator_bits=39)
    assert (overflows.bits, overflows.nan, overflows.overflow) == (0x7FC00000, True, True)


def test_the_range_is_two_s_complement() -> None:
    w = constant("MXFP4-E5M2", [2] * 2, [[ONE]] * 2)
    down, up = (constant("MXFP4-E5M2", [code] * 2, [[ONE]] * 2) for code in (10, 2))
    assert dot_detailed(down, w, accumulator_bits=39).values == -16
    assert dot_detailed(up, w, accumulator_bits=39).overflow


def test_within_a_block_nothing_overflows() -> None:
    fmt = block_format("MXFP4-E5M2", 8)
    codes = np.array([7, 7, 7, 7, 15, 15, 15, 15], np.uint8)  # +24 and -24
    a = Blocks.from_codes(codes=codes, scales=np.array([[ONE]], np.uint8), fmt=fmt)
    w = constant("MXFP4-E5M2", [2], [[ONE]])
    result = dot_detailed(a, w, accumulator_bits=2)
    assert (result.bits, result.overflow) == (0, False)


def test_nan_wins_over_overflow() -> None:
    a = constant("MXFP4-E5M2", [7] * 2, [[ONE], [0x7C]])
    result = dot_detailed(a, a, accumulator_bits=30)
    assert (result.bits, result.nan, result.overflow) == (0x7FC00000, True, False)
    a = constant("MXFP4", [7] * 2, [[254], [255]])
    result = dot_detailed(a, a)
    assert (result.bits, result.nan, result.overflow) == (0x7FC00000, True, False)


def test_a_nan_scale_of_the_unused_side_counts() -> None:
    a = constant("AMXFP4", [2], [[ONE, 0x7F]])
    w = constant("AMXFP4", [2], [[ONE, ONE]])
    for pair in (a, w), (w, a):
        assert dot_detailed(*pair).nan
        assert dot_detailed(*pair, "fp32").nan


def test_infinity_stays() -> None:
    a = constant("MXFP4", [7, 15], [[254], [254]])
    w = constant("MXFP4", [7, 7], [[200], [254]])
    result = dot_detailed(a, w)
    assert (result.bits, result.nan, result.overflow) == (0x7F800000, False, True)


def test_underflow_keeps_the_sign_and_exact_zero_is_positive() -> None:
    tiny = constant("MXFP4", [9], [[0]])
    assert dot_detailed(tiny, constant("MXFP4", [1], [[0]])).bits == 0x80000000
    # -0 and a zero term: +0.
    a = constant("MXFP4", [9, 0], [[0], [0]])
    w = constant("MXFP4", [1, 1], [[0], [0]])
    assert dot_detailed(a, w).bits == 0
    # x and -x: +0.
    a = constant("MXFP4", [2, 10], [[127], [127]])
    w = constant("MXFP4", [2, 2], [[127], [127]])
    assert dot_detailed(a, w).bits == 0


def test_no_blocks_is_zero() -> None:
    empty = Blocks.from_codes(codes=np.zeros((2, 0), np.uint8), scales=np.zeros((2, 0, 2), np.uint8), fmt="AMXFP4")
    for accumulator in "exact", "fp32":
        result = dot_detailed(empty, empty, accumulator)  # type: ignore[arg-type]
        assert result.bits.tolist() == [0, 0]


def test_bad_input() -> None:
    a = constant("AMXFP4", [2], [[ONE, ONE]])
    with pytest.raises(UsageError, match="accumulator_bits 1 is not allowed"):
        dot_detailed(a, a, accumulator_bits=1)
    with pytest.raises(UsageError, match=r"accumulator_bits 96 is not allowed; .* fp32 has none"):
        dot_detailed(a, a, "fp32", accumulator_bits=96)
