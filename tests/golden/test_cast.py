"""Which side of an AMXFP4-X2 block is halved, and when. All else about the cast is in test_quantize."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.quantize_oracle import direct
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.golden import ROUNDINGS, Rounding, block_format, quantize
from amxfp4.golden.cast import side_maxima
from amxfp4.golden.formats import UE5M3

X2 = block_format("AMXFP4-X2", 8)


def fields(*x: float) -> list[int]:
    """Scale and asymmetry code of a block that starts with `x`."""
    return quantize(np.float32([*x, *[0] * (8 - len(x))]), X2).scales[0].tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_limit_under_every_scale(sign: int) -> None:
    """Halved at 7/2 of the scale, not just above it."""
    halved = 2 if sign > 0 else 1
    for code in range(1, UE5M3.max_code + 1):
        scale = np.float32(UE5M3.values[code])
        limit = np.float32(3.5) * scale
        assert fields(sign * 6 * scale, -sign * limit) == [code, halved]
        assert fields(sign * 6 * scale, -sign * np.nextafter(limit, np.float32(np.inf))) == [code, 0]


def test_a_side_without_elements_is_halved() -> None:
    assert fields(6, 3) == [UE5M3_ONE, 2]
    assert fields(-6, -3) == [UE5M3_ONE, 1]


def test_nothing_is_halved_under_a_zero_scale() -> None:
    assert fields() == [0, 0]
    assert fields(2.0**-17, -(2.0**-17)) == [0, 0]


def test_neither_is_halved_where_both_could_be() -> None:
    """Even the largest magnitude may fit under half the scale, which happens with the least scale only."""
    assert fields(2.0**-17 * 3, 2.0**-17 * -3) == [1, 0]
    assert fields(2.0**-17 * 3.25, 2.0**-17 * -3) == [1, 0]
    assert fields(2.0**-17 * 3.5, 2.0**-17 * -3) == [1, 0]
    assert fields(2.0**-17 * 4, 2.0**-17 * -3) == [1, 2]
    assert fields(6, -6) == [UE5M3_ONE, 0]


def test_a_block_that_is_not_finite_has_no_halved_side() -> None:
    assert fields(np.inf) == [UE5M3.nan_code, 0]
    assert fields(np.nan, -1) == [UE5M3.nan_code, 0]


UE5M3_ONE = 15 * 8


@given(st.lists(st.floats(-8, 8, width=32), min_size=8, max_size=8), st.integers(-20, 20), st.sampled_from(ROUNDINGS))
def test_one_side_at_most_is_halved(x: list[float], exponent: int, rounding: Rounding) -> None:
    block = np.ldexp(np.float32(x), exponent)
    blocks = quantize(block, X2, rounding=rounding)
    assert blocks.scales[0, 1] != 3
    codes, scales = direct(block, X2, rounding)
    assert (blocks.codes.tolist(), blocks.scales[0].tolist()) == (codes, scales)
    exact = [Fraction(float(value)) for value in block]
    if scales[1]:
        smaller = [abs(value) for value in exact if (value < 0) == (scales[1] == 2)]
        assert max(smaller, default=Fraction(0)) <= max(abs(value) for value in exact)


def test_maxima_by_side() -> None:
    maxima = side_maxima(np.float32([[1, -2, 3], [0, 0, 0], [-1, -4, -2]]))
    np.testing.assert_array_equal(maxima, [[3, 2], [0, 0], [0, 4]])
