"""The thresholds of 12 tell the elements of every block with 12 apart, and are no longer than they need be."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from amxfp4.golden import quantize
from amxfp4.golden.formats import E4M3
from amxfp4.hw.quantizer.special_steps import special_fractions

BITS = 6
FRACTIONS = special_fractions(E4M3, BITS)


@cache
def threshold(code: int) -> Fraction:
    """The threshold under a scale, as a value."""
    value = Fraction(float(E4M3.values[code]))
    power = Fraction(2) ** (value.numerator.bit_length() - value.denominator.bit_length())
    power = power if power <= value else power / 2
    fraction = FRACTIONS[int((value / power - 1) * 8)]
    return 8 * power * (2 if fraction is None else 1 + Fraction(fraction, 1 << BITS))


def test_every_element_that_a_block_with_12_can_have() -> None:
    """Beside each largest element of eight significant bits stands the largest element that is no rival of it, and
    smaller ones."""
    largest = np.ldexp(np.arange(128, 256)[None], np.arange(-19, 9)[:, None]).ravel()  # from below 2^-11 to 2^16
    exponent = np.floor(np.log2(largest))
    cut = np.floor(largest / 2 ** (exponent - 2)) * 2 ** (exponent - 2)
    second = (cut / 2 + 2 ** (exponent - 3)) * (1 - 2**-8)
    blocks = np.zeros((len(largest), 8), np.float32)
    blocks[:, :4] = np.stack([largest, second, second * 0.97, second * 0.94], axis=1)
    found = quantize(blocks, "AMXFP4-Z/8")
    codes, elements = found.scales[:, 0], found.codes.reshape(-1, 8)
    assert ((codes[:, 1] == 2) == (codes[:, 0] > 0)).all(), "each largest element stands alone"
    checked = 0
    for code, block, coded in zip(codes[:, 0], blocks, elements, strict=True):
        if code:
            limit = float(threshold(int(code)))
            np.testing.assert_array_equal(block[:4] >= limit, coded[:4] == 8)
            checked += 1
    assert checked > 3000
    assert set(codes[:, 0].tolist()) == set(range(E4M3.max_code + 1))


def test_few_bits() -> None:
    """Only the scale 448 and powers of two need an exact threshold: 9 scales."""
    assert FRACTIONS == (0b001000, 0b100000, 0b100000, 0b100000, 0b110000, None, 0b111110, None)


def test_a_threshold_that_is_cut_short_is_refused() -> None:
    with pytest.raises(AssertionError, match="more fraction bits than are kept"):
        special_fractions(E4M3, 4)
