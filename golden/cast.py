"""The direct cast of blocks: scales from the largest magnitudes, elements under given scales."""

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.codes import Rounding, rounding_thresholds
from amxfp4.golden.formats import (
    ELEMENT_MAGNITUDES,
    ELEMENT_MAX,
    ELEMENT_SIGN,
    HALVING_LIMIT,
    NEGATIVE_HALVED,
    POSITIVE_HALVED,
    BlockFormat,
)
from amxfp4.golden.sides import side_codes, side_tables


class DirectCaster:
    """The direct cast in one format with one rounding. Its tables are made once and applied to many blocks."""

    def __init__(self, fmt: BlockFormat, rounding: Rounding) -> None:
        self.fmt = fmt
        scale = fmt.scale
        # Exact in float32: a midpoint has at most 5 significant bits, times 6 at most 7.
        midpoints, tie_goes_up = rounding_thresholds(scale.values[: scale.max_code + 1], rounding)
        if scale.is_fp8:
            thresholds = (ELEMENT_MAX * midpoints).astype(np.float32)
            self._least_maximum = np.where(tie_goes_up, thresholds, np.nextafter(thresholds, np.float32(np.inf)))
        if fmt.halving:
            # These are exact too. Under a zero scale halving would mean nothing, so the limit is out of reach.
            limits = np.where(scale.values == 0, -1, HALVING_LIMIT * scale.values / 2)
            self._halving_limit = limits.astype(np.float32)
        # |x| is compared with multiples of these factors. A zero scale has the factor infinity, which nothing reaches,
        # so that all elements become zero. Nothing reaches NaN either.
        values = side_tables(fmt).values
        self._factor = np.where(values == 0, np.inf, values).astype(np.float32)
        self._element_midpoints, self._element_tie_goes_up = rounding_thresholds(np.array(ELEMENT_MAGNITUDES), rounding)

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Write blocks `x` (n, k) to `codes` (n, k) and `scales` (n, 1 or 2)."""
        maxima = side_maxima(x)
        scales[:] = self._scales(maxima)
        scales[~np.isfinite(maxima).all(axis=1)] = self._nan_fields()
        self.cast_elements(x, x < 0, scales, codes)

    def cast_elements(
        self,
        x: NDArray[np.float32],
        negative: NDArray[np.bool_],
        scales: NDArray[np.uint8],
        codes: NDArray[np.uint8],
    ) -> None:
        """Write to `codes` the nearest element codes of `x` under given scales.

        A magnitude code is the number of midpoints that |x| / scale meets. Instead of dividing, |x| is compared with
        midpoint * scale. That product is exact: it has at most 3 + 4 significant bits and is at least 2^-2 * 2^-127,
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

    def _scales(self, maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The fields of `Blocks.scales` (n, 1 or 2) for finite maxima (n, 2)."""
        if self.fmt.asymmetric:
            return self._scale_codes(maxima)
        codes = self._scale_codes(maxima.max(axis=1, keepdims=True))
        if not self.fmt.halving:
            return codes
        # Under the smallest scale both sides may be within the limit. Then neither is halved.
        halved = maxima <= self._halving_limit[codes]
        alone = halved & ~halved[:, ::-1]
        return np.column_stack([codes, alone @ np.array([POSITIVE_HALVED, NEGATIVE_HALVED], np.uint8)])

    def _scale_codes(self, maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
        if self.fmt.scale.is_fp8:
            return np.searchsorted(self._least_maximum, maxima, side="right").astype(np.uint8)
        # The exponent field of m is floor(log2 m) + 127, the code is floor(log2 m) - 2 + 127: the field less 2. Every m
        # below 2^-124, a subnormal or zero m with field 0 included, has code 0.
        field = (np.abs(maxima).view(np.uint32) >> 23).astype(np.uint8)
        return np.maximum(field, 2) - np.uint8(2)

    def _nan_fields(self) -> list[int]:
        return [self.fmt.scale.nan_code] * self.fmt.scales_per_block + [0] * self.fmt.halving


def side_maxima(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest magnitude of the positive and of the negative elements of each block (n, k). (n, 2)

    The maximum of a side without elements is 0. A NaN in a block makes its maxima NaN.
    """
    sides = np.stack([x.max(axis=1), -x.min(axis=1)], axis=1)
    return np.maximum(sides, 0)


def smaller_side(maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The asymmetry code that halves the side with the smaller of `maxima` (n, 2); of equals the negative side. (n,)"""
    positive = maxima[:, 0] < maxima[:, 1]
    return np.where(positive, np.uint8(POSITIVE_HALVED), np.uint8(NEGATIVE_HALVED))
