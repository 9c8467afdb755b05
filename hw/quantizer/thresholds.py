"""The thresholds that a quantiser compares with: exact ones of scales and elements, in the form of held magnitudes.

The fraction f of a number 1.f is an integer of `fraction_bits` bits. With ties to even a sticky bit follows as the
lowest. In the data it says whether something non-zero lies below. In a threshold it turns "at least t" into "more than
t".
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from amxfp4.golden.formats import ELEMENT_HALVES, HALVING_LIMIT, SPECIAL_LIMIT, ScaleFormat


@dataclass(frozen=True)
class Step:
    """A threshold: 2^exponent x 1.fraction.

    Attributes:
        exponent: as a power of two, without bias.
        fraction: as an integer, with the sticky bit lowest where there is one.
    """

    exponent: int
    fraction: int


def _step(threshold: Fraction, code: int, ties_to_even: bool, fraction_bits: int) -> Step:
    """The threshold at which `code` begins. A tie goes up to `code`, unless ties go to even and `code` is odd."""
    exponent = threshold.numerator.bit_length() - threshold.denominator.bit_length()
    exponent -= threshold < Fraction(2) ** exponent
    fraction = (threshold / Fraction(2) ** exponent - 1) * (1 << fraction_bits)
    assert fraction.denominator == 1, "a threshold has more fraction bits than are kept"
    return Step(exponent, (int(fraction) << 1 | code & 1) if ties_to_even else int(fraction))


def scale_steps(
    scale: ScaleFormat, ties_to_even: bool, fraction_bits: int, element: int = 6, least: Fraction | None = None
) -> tuple[Step, ...]:
    """The least maximum of a block that takes FP8 scale code 1, 2, ...

    This is `element` times the midpoint between the code's value and the value below. Code 1 begins at `least` where
    that is given.
    """
    middles = ((low + high) / 2 for low, high in pairwise(values_of(scale)))
    steps = [_step(element * middle, code, ties_to_even, fraction_bits) for code, middle in enumerate(middles, 1)]
    if least is not None:
        steps[0] = _step(least, 0, ties_to_even, fraction_bits)
    return tuple(steps)


def least_element(scale: ScaleFormat) -> Fraction:
    """The least magnitude that is not zero under the least scale: half the least element, ties aside."""
    return values_of(scale)[1] * Fraction(ELEMENT_HALVES[1], 4)


def crowding_steps(scale: ScaleFormat, ties_to_even: bool, fraction_bits: int) -> tuple[Step, ...]:
    """The least maximum of a block's smaller side that crowds it under scale code 1, 2, ...: 7 times the code's value.

    A maximum that equals the limit meets it with either rounding.
    """
    return tuple(_step(SPECIAL_LIMIT * value, 0, ties_to_even, fraction_bits) for value in values_of(scale)[1:])


def halving_steps(scale: ScaleFormat, fraction_bits: int) -> tuple[Step, ...]:
    """The least maximum of a side that is too large to be halved under scale code 1, 2, ...

    Such a maximum exceeds 7 times half the code's value. As it must exceed and not just equal that, the steps have a
    sticky bit with either rounding.
    """
    return tuple(_step(HALVING_LIMIT * value / 2, 1, True, fraction_bits) for value in values_of(scale)[1:])


def values_of(scale: ScaleFormat) -> list[Fraction]:
    """The exact value of each finite code, ascending."""
    codes = slice(scale.max_code + 1)
    parts = zip(scale.significands[codes], scale.exponents[codes], strict=True)
    return [int(significand) * Fraction(2) ** int(exponent) for significand, exponent in parts]


def element_steps(significand: Fraction, ties_to_even: bool, fraction_bits: int) -> tuple[Step, ...]:
    """The least magnitude that takes element code 1, 2, ... 7 under the scale `significand`, 1 <= significand < 2."""
    middles = (Fraction(low + high, 4) for low, high in pairwise(ELEMENT_HALVES))
    return tuple(
        _step(middle * significand, code, ties_to_even, fraction_bits) for code, middle in enumerate(middles, 1)
    )
