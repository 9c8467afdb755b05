"""From which magnitude on an element is written as 12, of those that a block with 12 can have.

The exact threshold, 9 scales, has more bits than are held. But a block that takes 12 has one large element, of about
12 scales, and no other above five eighths of that. So under most scales any threshold between the two tells them apart,
and the one with the fewest bits is taken. Where an element can lie at either side of 9 scales, the threshold is exact.
There it has few bits anyway.
"""

from dataclasses import dataclass
from fractions import Fraction

from amxfp4.golden.formats import ALONE_BITS, CUT_LIMIT, ELEMENT_MAX, ScaleFormat
from amxfp4.hw.quantizer.thresholds import least_element, values_of

SECOND = 12
EXACT = Fraction((int(ELEMENT_MAX) + SECOND), 2)
# Thresholds lie in [8, 16) scales' powers of two: an element is compared with the scale's exponent there.
BINADE = 8


@dataclass(frozen=True)
class Between:
    """Thresholds in scales that tell a block's largest element from the others: from `low` to `high`, both included."""

    low: Fraction
    high: Fraction


def special_fractions(scale: ScaleFormat, fraction_bits: int) -> tuple[int | None, ...]:
    """For each mantissa the threshold, as the fraction of 8 x 1.fraction in units of the scale's power of two.

    None stands for 16, the first number beyond: it has no fraction bits at all.
    """
    octave = 1 << scale.mantissa_bits
    found = []
    for mantissa in range(octave):
        significand = 1 + Fraction(mantissa, octave)
        between = [b for code, b in _between(scale).items() if _significand(values_of(scale)[code]) == significand]
        low = max(b.low for b in between) * significand / BINADE
        high = min(b.high for b in between) * significand / BINADE
        found.append(_shortest(low, high, fraction_bits))
    return tuple(found)


def _between(scale: ScaleFormat) -> dict[int, Between]:
    """For each scale code from 1 on, the thresholds that are as good as the exact one."""
    values = values_of(scale)
    found = {}
    for code in range(1, scale.max_code + 1):
        largest = SECOND * (values[code - 1] + values[code]) / 2 if code > 1 else least_element(scale)
        beyond = SECOND * (values[code] + values[code + 1]) / 2 if code < scale.max_code else Fraction(CUT_LIMIT)
        others = beyond / 2 * (1 + Fraction(1, 1 << (ALONE_BITS - 1)))
        low, high = others / values[code], largest / values[code]
        found[code] = Between(low, high) if low <= EXACT <= high else Between(EXACT, EXACT)
    return found


def _significand(value: Fraction) -> Fraction:
    while value >= 2:
        value /= 2
    while value < 1:
        value *= 2
    return value


def _shortest(low: Fraction, high: Fraction, fraction_bits: int) -> int | None:
    """The fraction with the fewest bits of a number from `low` to `high`, in units of the last of `fraction_bits`."""
    if high >= 2:
        return None
    for bits in range(fraction_bits + 1):
        number = -(-low * (1 << bits) // 1)
        if number <= high * (1 << bits):
            return int(number - (1 << bits)) << (fraction_bits - bits)
    raise AssertionError("a threshold of special elements has more fraction bits than are kept")
