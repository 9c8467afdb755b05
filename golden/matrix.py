"""A quantised matrix as BLAS takes it: dense values, and bounds on them that show what is exact."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import ELEMENT_CODES, ELEMENT_MAX, ELEMENT_SIGN, BlockFormat
from amxfp4.golden.terms import side_elements

_ROWS_AT_A_TIME = 32
"""Rows looked up together, so that their temporaries stay in cache."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows of a two-axis `Blocks`.

    Attributes:
        codes: uint8 (rows, K padded).
        scales: uint8 (rows, blocks, 1 or 2).
        fmt: the block format.
        used: bool, the shape of `scales`: False where a scale certainly contributes nothing: it is NaN or
            zero, or E8M0 and without elements. Such a scale limits nothing.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.uint8]
    fmt: BlockFormat
    used: NDArray[np.bool_]

    @classmethod
    def from_blocks(cls, blocks: Blocks) -> "Matrix":
        """All rows of `blocks`, which has two axes."""
        used = blocks.fmt.scale.significands[blocks.scales] > 0
        if not blocks.fmt.scale.is_fp8:
            # E8M0 has no zero: the scale of a side without elements is the least one, and would limit much.
            used &= _sides_with_elements(blocks)
        return cls(blocks.codes, blocks.scales, blocks.fmt, used)

    def rows(self, part: slice) -> "Matrix":
        """Some of the rows."""
        return Matrix(self.codes[part], self.scales[part], self.fmt, self.used[part])

    def values(self, factors: NDArray[np.float64], dtype: type) -> NDArray[np.floating]:
        """Elements in units of 1/2, each times `factors[scale code]`; as float32 or float64 (rows, K
        padded)."""
        return self._look_up([sum(self._side_tables(factors, dtype))], dtype)[0]

    def side_values(self, factors: NDArray[np.float64], dtype: type) -> list[NDArray[np.floating]]:
        """The same by scale: what the elements under each scale are, and 0 for those under the other."""
        return self._look_up(self._side_tables(factors, dtype), dtype)

    def _side_tables(self, factors: NDArray[np.float64], dtype: type) -> list[NDArray[np.floating]]:
        """For each scale of a block, the value of every element code under it. (rows, blocks, 16)"""
        by_scale = factors.astype(dtype)[self.scales]
        return [
            by_scale[:, :, side, None] * elements.astype(dtype) for side, elements in enumerate(side_elements(self.fmt))
        ]

    def _look_up(self, tables: list[NDArray[np.floating]], dtype: type) -> list[NDArray[np.floating]]:
        """Every element's value in its block's table: one look-up an element, whatever the scales."""
        found = [np.empty(self.codes.shape, dtype) for _ in tables]
        first = np.arange(self.scales.shape[1])[:, None] * ELEMENT_CODES
        for start in range(0, len(self.codes), _ROWS_AT_A_TIME):
            part = slice(start, start + _ROWS_AT_A_TIME)
            codes = self.codes[part]
            row = np.arange(len(codes))[:, None, None] * (self.scales.shape[1] * ELEMENT_CODES)
            entry = codes.reshape(len(codes), -1, self.fmt.block_size) + (first + row)
            for table, values in zip(tables, found, strict=True):
                # Nothing is out of range; "clip" is the mode that does not check first.
                np.take(table[part], entry.reshape(codes.shape), out=values[part], mode="clip")
        return found

    def bounds(self) -> "Bounds":
        """What can be said about each row from its scales."""
        scale = self.fmt.scale
        # The lowest bit set: a significand of 4 counts as 1 shifted by 2.
        lowest = scale.significands & -scale.significands
        units = np.ldexp(lowest.astype(np.float64), scale.exponents - 1)
        peaks = ELEMENT_MAX * np.where(np.isnan(scale.values), 0, scale.values)
        used_peaks = np.where(self.used, peaks[self.scales], 0)
        # Each element is under one of the scales.
        block_peaks = np.maximum(used_peaks[:, :, 0], used_peaks[:, :, -1])
        used_units = np.where(self.used, units[self.scales], np.inf)
        return Bounds(
            peak=block_peaks.max(axis=1, initial=0),
            total=block_peaks.sum(axis=1) * self.fmt.block_size,
            unit=used_units.min(axis=(1, 2), initial=np.inf),
        )


def _sides_with_elements(blocks: Blocks) -> NDArray[np.bool_]:
    """Whether an element other than zero is under each scale. (rows, blocks, 1 or 2)"""
    grouped = blocks.codes.reshape(*blocks.scales.shape[:2], blocks.fmt.block_size)
    magnitudes = grouped & (ELEMENT_SIGN - 1)
    if blocks.fmt.asymmetric:
        # Codes 1..7 are positive, 9..15 negative; 0 and 8 are zeros.
        sides = [(magnitudes == grouped) & (grouped > 0), grouped > ELEMENT_SIGN]
    else:
        sides = [magnitudes > 0]
    return np.stack([side.any(axis=2) for side in sides], axis=2)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Per row, float64 (rows,); of a row without anything but zeros 0, 0 and infinity.

    Attributes:
        peak: no element exceeds it in magnitude.
        total: nor does the sum of the row's magnitudes.
        unit: a power of two of which every element is a multiple.
    """

    peak: NDArray[np.float64]
    total: NDArray[np.float64]
    unit: NDArray[np.float64]
