"""Floats to blocks: direct cast, no calibration, no division."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.golden.blocks import Blocks, check_axis
from amxfp4.golden.codes import Rounding, rounding_thresholds
from amxfp4.golden.formats import ELEMENT_MAGNITUDES, ELEMENT_MAX, ELEMENT_SIGN, BlockFormat, block_format

INPUT_DTYPES = ("float32", "float16", "bfloat16")

_CHUNK_ELEMENTS = 1 << 16
"""Elements quantised at a time: few enough for their temporaries to stay in a core's cache."""


def quantize(
    x: NDArray[Any],
    fmt: BlockFormat | str,
    *,
    axis: int = -1,
    rounding: Rounding = "nearest-away",
) -> Blocks:
    """Cast `x` to blocks along `axis`; a ragged last block is padded with zeros.

    A block's scale comes from its largest magnitude m (with asymmetry, of each sign): FP8 m/6 rounded to the
    nearest code and saturating, E8M0 2^(floor(log2 m) - 2). An element is |x|/scale rounded to the nearest
    magnitude, saturating at 6. All of it is decided by comparing with exact products, never by a quotient.
    A block with a NaN or Inf gets NaN scales and zero codes.

    Args:
        x: float32, float16 or bfloat16, at least one axis. Widening to float32 rounds nothing.
        fmt: a block format or its name (with blocks of 32).
        axis: the reduction axis.
        rounding: what ties do, for FP8 scales and for elements; E8M0 scales have none.

    Raises:
        UsageError: another dtype, a scalar, an axis out of range, an unknown format or rounding.
    """
    fmt = block_format(fmt)
    x = np.asarray(x)
    _check_dtype(x)
    axis = check_axis(axis, x.shape)
    moved = np.moveaxis(x, axis, -1)
    leading, length = moved.shape[:-1], moved.shape[-1]
    blocks = -(-length // fmt.block_size)
    if padding := blocks * fmt.block_size - length:
        moved = np.pad(moved, [(0, 0)] * len(leading) + [(0, padding)])
    flat = moved.reshape(prod(leading) * blocks, fmt.block_size)
    codes = np.empty(flat.shape, np.uint8)
    scales = np.empty((len(flat), fmt.scales_per_block), np.uint8)
    caster = _Caster(fmt, rounding)
    rows = _CHUNK_ELEMENTS // fmt.block_size
    for start in range(0, len(flat), rows):
        part = slice(start, start + rows)
        caster.cast(flat[part].astype(np.float32, copy=False), codes[part], scales[part])
    return Blocks(
        codes.reshape(*leading, blocks * fmt.block_size),
        scales.reshape(*leading, blocks, fmt.scales_per_block),
        x.shape,
        fmt,
        axis,
    )


def _check_dtype(x: NDArray[Any]) -> None:
    if x.dtype == np.float64:
        raise UsageError(
            "cannot quantize float64: going through float32 would round twice, which is a choice to be made "
            f"knowingly; convert it to one of {', '.join(INPUT_DTYPES)} first"
        )
    if x.dtype.name not in INPUT_DTYPES:
        raise UsageError(f"cannot quantize {x.dtype}; the input is one of {', '.join(INPUT_DTYPES)}")


class _Caster:
    """The tables of one format and rounding, applied to blocks."""

    def __init__(self, fmt: BlockFormat, rounding: Rounding) -> None:
        self.fmt = fmt
        scale = fmt.scale
        # Exact in float32: a midpoint has at most 5 significant bits, times 6 at most 7.
        midpoints, tie_goes_up = rounding_thresholds(scale.values[: scale.max_code + 1], rounding)
        if scale.is_fp8:
            thresholds = (ELEMENT_MAX * midpoints).astype(np.float32)
            self.least_maximum = np.where(tie_goes_up, thresholds, np.nextafter(thresholds, np.float32(np.inf)))
        # What |x| is compared with is a multiple of this. Nothing reaches infinity, so that a zero scale
        # gives zeros; nothing reaches NaN either.
        self.factor = np.where(scale.values == 0, np.inf, scale.values).astype(np.float32)
        self.element_midpoints, self.element_tie_goes_up = rounding_thresholds(np.array(ELEMENT_MAGNITUDES), rounding)

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Blocks `x` (n, k) into `codes` (n, k) and `scales` (n, 1 or 2)."""
        maxima = self._maxima(x)
        scales[:] = self._scale_codes(maxima)
        scales[~np.isfinite(maxima).all(axis=1)] = self.fmt.scale.nan_code
        negative = x < 0
        self._element_codes(x, negative, self.factor[scales], codes)

    def _maxima(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Largest magnitude of each block, or of each sign in it; NaN where the block has one. (n, 1 or 2)"""
        sides = np.stack([x.max(axis=1), -x.min(axis=1)], axis=1)
        if self.fmt.asymmetric:
            return np.maximum(sides, 0)
        return sides.max(axis=1, keepdims=True)

    def _scale_codes(self, maxima: NDArray[np.float32]) -> NDArray[np.uint8]:
        if self.fmt.scale.is_fp8:
            return np.searchsorted(self.least_maximum, maxima, side="right").astype(np.uint8)
        # The exponent field is floor(log2 m) + 127, the code floor(log2 m) - 2 + 127. A subnormal or zero m
        # has field 0, and code 0 as every m below 2^-124.
        field = (np.abs(maxima).view(np.uint32) >> 23).astype(np.uint8)
        return np.maximum(field, 2) - np.uint8(2)

    def _element_codes(
        self,
        x: NDArray[np.float32],
        negative: NDArray[np.bool_],
        factors: NDArray[np.float32],
        codes: NDArray[np.uint8],
    ) -> None:
        """Count the midpoints that |x| / factor meets.

        midpoint * factor is exact: it has at most 3 + 4 significant bits, is at least 2^-2 * 2^-127, which
        float32 has as a subnormal, and at most 5 * 2^125, as no float32 makes an E8M0 scale beyond 2^125.
        """
        factor = np.where(negative, factors[:, -1:], factors[:, :1])
        magnitude = np.abs(x)
        threshold = np.empty_like(magnitude)
        met = np.empty(x.shape, np.bool_)
        codes[:] = 0
        for midpoint, tie_goes_up in zip(self.element_midpoints, self.element_tie_goes_up, strict=True):
            np.multiply(factor, np.float32(midpoint), out=threshold)
            compare = np.greater_equal if tie_goes_up else np.greater
            compare(magnitude, threshold, out=met)
            np.add(codes, met.view(np.uint8), out=codes)
        codes += (negative & (codes > 0)).view(np.uint8) * np.uint8(ELEMENT_SIGN)
