"""Rounding to a float32's bits against exact fractions."""

from fractions import Fraction

from helpers.fraction_oracle import bits_of, round_to_float32
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.golden.float32 import INFINITY_BITS, fixed_point, float32_bits


@given(st.integers(-(1 << 60), 1 << 60), st.integers(-260, 130))
def test_float32_bits(value: int, exponent: int) -> None:
    exact = Fraction(value) * Fraction(2) ** exponent
    assert float32_bits(value, exponent) == bits_of(round_to_float32(exact), negative_zero=value < 0)


def test_float32_bits_of_every_magnitude_edge() -> None:
    for exponent in range(-152, 130):
        for value in range((1 << 25) - 6, (1 << 25) + 7):
            exact = Fraction(value) * Fraction(2) ** (exponent - 25)
            assert float32_bits(value, exponent - 25) == bits_of(round_to_float32(exact))


@given(st.integers(0, INFINITY_BITS - 1), st.integers(-300, -149), st.booleans())
def test_fixed_point_is_the_way_back(magnitude: int, unit: int, negative: bool) -> None:
    bits = magnitude | negative << 31
    value = fixed_point(bits, unit)
    assert float32_bits(value, unit) == (bits if magnitude else 0)
