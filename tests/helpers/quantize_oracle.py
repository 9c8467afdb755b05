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


def scale_code(m: Fraction, scale: ScaleFormat, rounding: Rounding) -> int:
    if m == 0:
        return 0
    if not scale.is_fp8:
        return min(max(floor_log2(m) - 2 + scale.bias, 0), scale.max_code)
    return round_to(m / 6, scale_values(scale.name), rounding)


def element_code(x: Fraction, factor: Fraction, rounding: Rounding) -> int:
    if factor == 0:
        return 0
    magnitude = round_to(abs(x) / factor, ELEMENTS, rounding)
    return magnitude | (8 if x < 0 and magnitude else 0)


def direct(block: np.ndarray, fmt: BlockFormat, rounding: Rounding) -> tuple[list[int], list[int]]:
    """The contract's section on quantising, sentence by sentence; codes and scales of one block."""
    if not np.isfinite(block).all():
        return [0] * len(block), [fmt.scale.nan_code] * fmt.scales_per_block + [0] * fmt.halving
    exact = [Fraction(float(value)) for value in block]
    positive = max((value for value in exact if value > 0), default=Fraction(0))
    negative = max((-value for value in exact if value < 0), default=Fraction(0))
    maxima = [positive, negative] if fmt.asymmetric else [max(positive, negative)]
    scales = [scale_code(m, fmt.scale, rounding) for m in maxima]
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
    return [element_code(value, factors[value < 0], rounding) for value in block]
