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
    """The tables of one format and rounding, applied to blocks."""

    def __init__(self, fmt: BlockFormat, rounding: Rounding) -> None:
        self.fmt = fmt
        scale = fmt.scale
        # Exact in float32: a midpoint has at most 5 significant bits, times 6 at most 7.
        midpoints, tie_goes_up = rounding_thresholds(scale.values[: scale.max_code + 1], rounding)
        if scale.is_fp8:
            thresholds = (ELEMENT_MAX * midpoints).astype(np.float32)
            self._least_maximum = np.where(tie_goes_up, thresholds, np.nextafter(thresholds, np.float32(np.inf)))
        if fmt.halving:
            # Exact too. Nothing is halved under a zero scale, where it would mean nothing.
            limits = np.where(scale.values == 0, -1, HALVING_LIMIT * scale.values / 2)
            self._halving_limit = limits.astype(np.float32)
        # What |x| is compared with is a multiple of this. Nothing reaches infinity, so that a zero scale
        # gives zeros; nothing reaches NaN either.
        values = side_tables(fmt).values
        self._factor = np.where(values == 0, np.inf, values).astype(np.float32)
        self._element_midpoints, self._element_tie_goes_up = rounding_thresholds(np.array(ELEMENT_MAGNITUDES), rounding)

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Blocks `x` (n, k) into `codes` (n, k) and `scales` (n, 1 or 2)."""
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
        """Nearest element codes of `x` (n, k), below zero where `negative`, under `scales` (n, 1 or 2) into `codes`.

        Counts the midpoints that |x| / scale meets. midpoint * scale is exact: it has at most 3 + 4 significant bits
        and is at least 2^-2 * 2^-127, which float32 has as a subnormal. Where an E8M0 scale, larger than any that
        the direct cast makes, takes it beyond float32's range, it is infinity, which no input meets either.
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
        # A side at a time: under the smallest scale both may be within the limit, and then neither is halved.
        halved = maxima <= self._halving_limit[codes]
        alone = halved & ~halved[:, ::-1]
        return np.column_stack([codes, alone @ np.array([POSITIVE_HALVED, NEGATIVE_HALVED], np.uint8)])

    def _scale_codes(self, maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
        if self.fmt.scale.is_fp8:
            return np.searchsorted(self._least_maximum, maxima, side="right").astype(np.uint8)
        # The exponent field is floor(log2 m) + 127, the code floor(log2 m) - 2 + 127. A subnormal or zero m
        # has field 0, and code 0 as every m below 2^-124.
        field = (np.abs(maxima).view(np.uint32) >> 23).astype(np.uint8)
        return np.maximum(field, 2) - np.uint8(2)

    def _nan_fields(self) -> list[int]:
        return [self.fmt.scale.nan_code] * self.fmt.scales_per_block + [0] * self.fmt.halving


def side_maxima(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Largest magnitude among the positive and among the negative of each block, 0 without any; NaN in, NaN out.

    (n, k) to (n, 2)
    """
    sides = np.stack([x.max(axis=1), -x.min(axis=1)], axis=1)
    return np.maximum(sides, 0)


def smaller_side(maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The asymmetry code that halves the side with the smaller maximum (n, 2), the negative one of equals. (n,)"""
    positive = maxima[:, 0] < maxima[:, 1]
    return np.where(positive, np.uint8(POSITIVE_HALVED), np.uint8(NEGATIVE_HALVED))
