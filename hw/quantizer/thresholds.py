"""What a quantiser compares with: exact thresholds of scales and elements, as held fractions of a binade.

A fraction is that of a number 1.f as an integer of `fraction_bits` bits. With ties to even a last bit says whether
anything non-zero lies below, in the data ("sticky") as in a threshold: "exceeds t" is "at least t, and something".
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from amxfp4.golden.formats import ELEMENT_HALVES, HALVING_LIMIT, ScaleFormat


@dataclass(frozen=True)
class Step:
    """A threshold: 2^exponent x 1.fraction, with the sticky bit lowest where ties go to even."""

    exponent: int
    fraction: int


def _step(threshold: Fraction, code: int, ties_to_even: bool, fraction_bits: int) -> Step:
    """The threshold at which `code` begins: a tie goes up to it unless ties go to even and it is odd."""
    exponent = threshold.numerator.bit_length() - threshold.denominator.bit_length()
    exponent -= threshold < Fraction(2) ** exponent
    fraction = (threshold / Fraction(2) ** exponent - 1) * (1 << fraction_bits)
    assert fraction.denominator == 1, "a threshold has more fraction bits than are kept"
    return Step(exponent, (int(fraction) << 1 | code & 1) if ties_to_even else int(fraction))


def scale_steps(scale: ScaleFormat, ties_to_even: bool, fraction_bits: int) -> tuple[Step, ...]:
    """The least maximum of a block that takes FP8 scale code 1, 2, ...: 6 times the midpoint below the code's value."""
    middles = ((low + high) / 2 for low, high in pairwise(_values(scale)))
    return tuple(_step(6 * middle, code, ties_to_even, fraction_bits) for code, middle in enumerate(middles, 1))


def halving_steps(scale: ScaleFormat, fraction_bits: int) -> tuple[Step, ...]:
    """The least maximum of a side that is too large to be halved under scale code 1, 2, ...: what exceeds 7 times half
    the code's value. As it must exceed it, the sticky bit is there whatever ties do."""
    return tuple(_step(HALVING_LIMIT * value / 2, 1, True, fraction_bits) for value in _values(scale)[1:])


def _values(scale: ScaleFormat) -> list[Fraction]:
    """Exact values of the finite codes."""
    codes = slice(scale.max_code + 1)
    parts = zip(scale.significands[codes], scale.exponents[codes], strict=True)
    return [int(significand) * Fraction(2) ** int(exponent) for significand, exponent in parts]


def element_steps(significand: Fraction, ties_to_even: bool, fraction_bits: int) -> tuple[Step, ...]:
    """The least magnitude that takes element code 1, 2, ... 7 under a scale of `significand` (1 <= significand < 2)."""
    middles = (Fraction(low + high, 4) for low, high in pairwise(ELEMENT_HALVES))
    return tuple(
        _step(middle * significand, code, ties_to_even, fraction_bits) for code, middle in enumerate(middles, 1)
    )
