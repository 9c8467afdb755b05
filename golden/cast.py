"""The direct cast of blocks: scales from the largest magnitudes, elements under given scales."""

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.codes import rounding_thresholds
from amxfp4.golden.formats import (
    ALONE_BITS,
    CUT_LIMIT,
    ELEMENT_MAGNITUDES,
    ELEMENT_MAX,
    ELEMENT_SIGN,
    HALVING_LIMIT,
    NEGATIVE_HALVED,
    NEGATIVE_SPECIAL,
    NEGATIVE_ZERO,
    POSITIVE_HALVED,
    SECOND_SPECIAL,
    SIDE_BITS,
    SPECIAL_LIMIT,
    BlockFormat,
    Rounding,
)
from amxfp4.golden.four_over_six import FOUR, is_four_better
from amxfp4.golden.scale_rules import ScaleRule, power_of_two_codes
from amxfp4.golden.sides import side_codes, side_values


class DirectCaster:
    """The direct cast in one format with one rounding. Its tables are made once and applied to many blocks."""

    def __init__(self, fmt: BlockFormat, rounding: Rounding, rule: ScaleRule) -> None:
        self.fmt = fmt
        self._rule = rule
        scale = fmt.scale
        # Exact in float32: a midpoint has at most 5 significant bits, and at most 9 when it is multiplied.
        midpoints, tie_goes_up = rounding_thresholds(scale.values[: scale.max_code + 1], rounding)
        # For each magnitude that a block's largest element can have, the least maximum that takes code 1, 2, ...
        self._least_maximum: dict[float, NDArray[np.float32]] = {}
        for element in (ELEMENT_MAX, FOUR, *fmt.specials) if scale.is_fp8 else ():
            thresholds = (element * midpoints).astype(np.float32)
            self._least_maximum[element] = np.where(
                tie_goes_up, thresholds, np.nextafter(thresholds, np.float32(np.inf))
            )
        # Half the least element under the least scale.
        self._least = np.float32(scale.values[1] * ELEMENT_MAGNITUDES[1] / 2)
        if fmt.halving:
            # These are exact too. Under a zero scale halving would mean nothing, so the limit is out of reach.
            limits = np.where(scale.values == 0, -1, HALVING_LIMIT * scale.values / 2)
            self._halving_limit = limits.astype(np.float32)
        # |x| is compared with multiples of these factors. A zero scale has the factor infinity, which nothing reaches,
        # so that all elements become zero. Nothing reaches NaN either.
        values = side_values(fmt)
        self._factor = np.where(values == 0, np.inf, values).astype(np.float32)
        self._element_midpoints, self._element_tie_goes_up = rounding_thresholds(np.array(ELEMENT_MAGNITUDES), rounding)
        # From this magnitude on, in scales, an element takes the special value; for each special value.
        self._special_midpoints = np.array([(ELEMENT_MAX + special) / 2 for special in fmt.specials], np.float32)

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Write blocks `x` (n, k) to `codes` (n, k) and `scales` (n, 1 or 2)."""
        maxima = side_maxima(x)
        scales[:] = self._special_scales(x, maxima) if self.fmt.specials else self._scales(maxima)
        if self._rule == "four-over-six":
            self._choose_four(x, maxima, codes, scales)
        scales[~np.isfinite(maxima).all(axis=1)] = self._nan_fields()
        self.cast_elements(x, x < 0, scales, codes)

    def _choose_four(
        self, x: NDArray[np.float32], maxima: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]
    ) -> None:
        """Replace `scales`, under which the largest elements are 6, by those with 4 where these have smaller errors."""
        negative = x < 0
        fours, other = self._scales(maxima, FOUR), np.empty_like(codes)
        self.cast_elements(x, negative, scales, codes)
        self.cast_elements(x, negative, fours, other)
        scales[:] = np.where(is_four_better(x, negative, self.fmt, (codes, scales), (other, fours)), fours, scales)

    def cast_elements(
        self,
        x: NDArray[np.float32],
        negative: NDArray[np.bool_],
        scales: NDArray[np.uint8],
        codes: NDArray[np.uint8],
    ) -> None:
        """Write to `codes` the nearest element codes of `x` under given scales.

        A magnitude code is the number of midpoints that |x| / scale meets. Instead of dividing, |x| is compared with
        midpoint * scale. That product is exact: it has at most 4 + 4 significant bits and is at least 2^-2 * 2^-127,
        which float32 has as a subnormal. An E8M0 scale larger than any that the direct cast makes can take the product
        beyond float32's range. The product is infinity then, which no input meets either.

        Args:
            x: the blocks (n, k).
            negative: which elements of `x` are below zero (n, k).
            scales: the fields of `Blocks.scales` (n, 1 or 2).
            codes: what is written (n, k).
        """
        factors = self._factor[side_codes(scales, self.fmt)]
        factor = np.where(negative, factors[:, -1:], factors[:, :1])
        magnitude = np.abs(x)
        threshold = np.empty_like(magnitude)
        met = np.empty(x.shape, np.bool_)
        codes[:] = 0
        for midpoint, tie_goes_up in zip(self._element_midpoints, self._element_tie_goes_up, strict=True):
            with np.errstate(over="ignore"):
                np.multiply(factor, np.float32(midpoint), out=threshold)
            compare = np.greater_equal if tie_goes_up else np.greater
            compare(magnitude, threshold, out=met)
            np.add(codes, met.view(np.uint8), out=codes)
        codes += (negative & (codes > 0)).view(np.uint8) * np.uint8(ELEMENT_SIGN)
        if self.fmt.specials:
            # A tie goes up with either rounding: away from zero, and to the even code.
            asymmetry = scales[:, 1:]
            midpoint = self._special_midpoints[(asymmetry & SECOND_SPECIAL) // SECOND_SPECIAL]
            special_side = negative == (asymmetry & NEGATIVE_SPECIAL).astype(np.bool_)
            np.greater_equal(magnitude, factor * midpoint, out=met)
            codes[met & special_side] = NEGATIVE_ZERO

    def _scales(self, maxima: NDArray[np.float32], element: float = ELEMENT_MAX) -> NDArray[np.uint8]:
        """The fields of `Blocks.scales` (n, 1 or 2) for finite maxima (n, 2), of which the larger become `element`."""
        if self.fmt.asymmetric:
            return self._scale_codes(maxima, element)
        codes = self._scale_codes(maxima.max(axis=1, keepdims=True), element)
        if not self.fmt.halving:
            return codes
        # Under the smallest scale both sides may be within the limit. Then neither is halved.
        halved = maxima <= self._halving_limit[codes]
        alone = halved & ~halved[:, ::-1]
        return np.column_stack([codes, alone @ np.array([POSITIVE_HALVED, NEGATIVE_HALVED], np.uint8)])

    def _scale_codes(self, maxima: NDArray[np.float32], element: float) -> NDArray[np.uint8]:
        if self.fmt.scale.is_fp8:
            return self.nearest_codes(maxima, element)
        return power_of_two_codes(maxima, self._rule)

    def nearest_codes(self, maxima: NDArray[np.float32], element: float) -> NDArray[np.uint8]:
        """The FP8 scale codes nearest to maxima / `element`, which is 6, 4 or one of the special values.

        In a format with special values a maximum takes code 1 at least, unless it is below a quarter of that scale. All
        elements of such a side are zero under any scale.
        """
        codes = np.searchsorted(self._least_maximum[element], maxima, side="right").astype(np.uint8)
        return np.maximum(codes, (maxima >= self._least).view(np.uint8)) if self.fmt.specials else codes

    def _special_scales(self, x: NDArray[np.float32], maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Scale and asymmetry codes (n, 2) of a format with special values, for blocks (n, k) and their maxima (n, 2).

        L is the maximum of the larger side, S that of the smaller. The larger side is found from maxima that are cut to
        `SIDE_BITS` significant bits. Of equals, the positive side counts as the larger.

        Rule A: s is the scale nearest to L / 8. If S is at least 7 s, then s is the scale nearest to S / 6 instead.

        Rule B, in a format with 12: if the largest element stands alone, then 12 is taken, with the scale nearest to
        L / 12. Otherwise rule A holds.
        """
        values = self.fmt.scale.values.astype(np.float32)
        sides = cut(maxima, SIDE_BITS)
        negative = sides[:, 0] < sides[:, 1]
        larger, smaller = np.where(negative, maxima.T[::-1], maxima.T)
        first, *others = self.fmt.specials
        codes = self.nearest_codes(larger, first)
        crowded = smaller >= SPECIAL_LIMIT * values[codes]
        codes = np.where(crowded, self.nearest_codes(smaller, ELEMENT_MAX), codes)
        asymmetry = negative * np.uint8(NEGATIVE_SPECIAL)
        for second in others:
            alone = stands_alone(x)
            codes = np.where(alone, self.nearest_codes(larger, second), codes)
            asymmetry = asymmetry | alone * np.uint8(SECOND_SPECIAL)
        return np.column_stack([codes, np.where(codes == 0, np.uint8(0), asymmetry)])

    def _nan_fields(self) -> list[int]:
        return [self.fmt.scale.nan_code] * self.fmt.scales_per_block + [0] * self.fmt.has_asymmetry_code


def side_maxima(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest magnitude of the positive and of the negative elements of each block (n, k). (n, 2)

    The maximum of a side without elements is 0. A NaN in a block makes its maxima NaN.
    """
    sides = np.stack([x.max(axis=1), -x.min(axis=1)], axis=1)
    return np.maximum(sides, 0)


def cut(magnitudes: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Magnitudes cut to `bits` significant bits, and to `CUT_LIMIT`."""
    below = np.uint32((1 << (np.finfo(np.float32).nmant + 1 - bits)) - 1)
    return np.minimum((magnitudes.view(np.uint32) & ~below).view(np.float32), np.float32(CUT_LIMIT))


def stands_alone(x: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether each block's (n, k) largest magnitude is at least twice any other, once cut, and below the limit. (n,)"""
    second, largest = cut(np.partition(np.abs(x), -2, axis=1)[:, -2:], ALONE_BITS).T
    return (2 * second <= largest) & (largest < CUT_LIMIT)


def smaller_side(maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The asymmetry code that halves the side with the smaller of `maxima` (n, 2); of equals the negative side. (n,)"""
    positive = maxima[:, 0] < maxima[:, 1]
    return np.where(positive, np.uint8(POSITIVE_HALVED), np.uint8(NEGATIVE_HALVED))
