"""The contract's quantiser in `fractions.Fraction`, a block at a time."""

from bisect import bisect_left
from fractions import Fraction
from functools import cache

import numpy as np

from amxfp4.golden import SCALE_FORMATS, BlockFormat, Rounding, ScaleFormat
from amxfp4.golden.formats import ELEMENT_MAGNITUDES
from helpers.fraction_oracle import side_scale

ELEMENTS = [Fraction(value) for value in ELEMENT_MAGNITUDES]


def round_to(value: Fraction, values: list[Fraction], rounding: Rounding) -> int:
    """Index of the nearest of ascending `values`, saturating; a tie to the larger, or to the even index."""
    above = bisect_left(values, value)
    best = max(above - 1, 0)
    for index in range(above, min(above + 2, len(values))):
        closer = abs(values[index] - value) - abs(values[best] - value)
        if closer < 0 or (closer == 0 and (rounding == "nearest-away" or index % 2 == 0)):
            best = index
    return best


def floor_log2(value: Fraction) -> int:
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if value >= Fraction(2) ** exponent else exponent - 1


@cache
def scale_values(name: str) -> list[Fraction]:
    scale = SCALE_FORMATS[name]
    return [Fraction(value) for value in scale.values[: scale.max_code + 1]]


def scale_code(m: Fraction, scale: ScaleFormat, rounding: Rounding, rule: str = "floor") -> int:
    if m == 0:
        return 0
    if not scale.is_fp8:
        exponent = floor_log2(m) - 2
        up = {"floor": 8, "even": 7, "ceil": 6}[rule] * Fraction(2) ** exponent
        exponent += m > up if rule == "ceil" else m >= up
        # No scale takes 6 beyond float32's range.
        return min(max(exponent + scale.bias, 0), 252)
    return round_to(m / 6, scale_values(scale.name), rounding)


def special_fields(
    positive: Fraction, negative: Fraction, block: list[Fraction], name: str, rounding: Rounding
) -> list[int]:
    """Rules A and B: scale code and asymmetry code of a block in AMXFP4-Z8 or AMXFP4-Z."""
    values = scale_values("E4M3")

    def nearest(maximum: Fraction, element: int) -> int:
        return max(round_to(maximum / element, values, rounding), 1 if maximum >= values[1] / 4 else 0)

    if max(positive, negative) < values[1] / 4:
        return [0, 0]
    side = int(cut(positive, 7) < cut(negative, 7))
    larger, smaller = (negative, positive) if side else (positive, negative)
    second, largest = (cut(m, 3) for m in sorted(abs(x) for x in block)[-2:])
    if name == "AMXFP4-Z" and 2 * second <= largest < 2**16:
        return [nearest(larger, 12), 2 + side]
    code = nearest(larger, 8)
    return [nearest(smaller, 6) if smaller >= 7 * values[code] else code, side]


def cut(magnitude: Fraction, bits: int) -> Fraction:
    """A magnitude cut to some significant bits, and to 2^16."""
    if magnitude == 0:
        return magnitude
    unit = Fraction(2) ** (floor_log2(magnitude) + 1 - bits)
    return min(magnitude // unit * unit, Fraction(2**16))


def element_code(x: Fraction, factor: Fraction, rounding: Rounding) -> int:
    if factor == 0:
        return 0
    magnitude = round_to(abs(x) / factor, ELEMENTS, rounding)
    return magnitude | (8 if x < 0 and magnitude else 0)


def direct(block: np.ndarray, fmt: BlockFormat, rounding: Rounding, rule: str = "floor") -> tuple[list[int], list[int]]:
    """The contract's section on quantising, sentence by sentence; codes and scales of one block."""
    if not np.isfinite(block).all():
        return [0] * len(block), [fmt.scale.nan_code] * fmt.scales_per_block + [0] * (
            fmt.scale_fields - fmt.scales_per_block
        )
    exact = [Fraction(float(value)) for value in block]
    positive = max((value for value in exact if value > 0), default=Fraction(0))
    negative = max((-value for value in exact if value < 0), default=Fraction(0))
    if fmt.specials:
        scales = special_fields(positive, negative, exact, fmt.name, rounding)
        return elements_under(exact, scales, fmt, rounding), scales
    maxima = [positive, negative] if fmt.asymmetric else [max(positive, negative)]
    scales = [scale_code(m, fmt.scale, rounding, rule) for m in maxima]
    if fmt.halving:
        half = Fraction(fmt.scale.values[scales[0]]) / 2
        fits = half > 0 and min(positive, negative) <= 7 * half < max(positive, negative)
        scales.append(smaller_side(positive, negative) if fits else 0)
    return elements_under(exact, scales, fmt, rounding), scales


def smaller_side(positive: Fraction, negative: Fraction) -> int:
    """The asymmetry code that halves the side with the smaller maximum."""
    return 1 if positive < negative else 2


def elements_under(block: list[Fraction], fields: list[int], fmt: BlockFormat, rounding: Rounding) -> list[int]:
    factors = [side_scale(fmt, fields, negative) for negative in (False, True)]
    codes = [element_code(value, factors[value < 0], rounding) for value in block]
    if fmt.specials and factors[0]:
        special = {0: 8, 1: -8, 2: 12, 3: -12}[fields[1]] * factors[0]
        for index, value in enumerate(block):  # ties go to the special value, farther from zero and of the even code
            if value * special > 0 and abs(value) >= (6 * factors[0] + abs(special)) / 2:
                codes[index] = 8
    return codes
