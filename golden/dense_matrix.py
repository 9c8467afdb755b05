"""A quantised matrix as BLAS takes it: dense values, and bounds on them that show what is exact."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import ELEMENT_CODES, ELEMENT_MAX, ELEMENT_SIGN, BlockFormat
from amxfp4.golden.sides import SideTables, side_codes, side_tables
from amxfp4.golden.terms import VALUES_IN_HALVES, side_elements

FloatType = type[np.float32] | type[np.float64]

_ROWS_AT_A_TIME = 32
"""Rows that are looked up together: few enough for their temporaries to stay in cache."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows of a two-axis `Blocks`.

    Attributes:
        codes: uint8 (rows, K padded), the element codes.
        sides: the side codes of the scales (rows, blocks, 1 or 2), which are indices into `tables`.
        fmt: the block format.
        used: bool, of the shape of `sides`. False where a scale certainly contributes nothing: it is NaN, zero, or an
            E8M0 scale without elements. Such a scale does not count in `bounds`.
    """

    codes: NDArray[np.uint8]
    sides: NDArray[Any]
    fmt: BlockFormat
    used: NDArray[np.bool_]

    @classmethod
    def from_blocks(cls, blocks: Blocks) -> "Matrix":
        """All rows of `blocks`, which has two axes."""
        sides = side_codes(blocks.scales, blocks.fmt)
        used = side_tables(blocks.fmt).significands[sides] > 0
        if not blocks.fmt.scale.is_fp8:
            # E8M0 has no zero. The scale of a side without elements is the least one, and would widen the bounds much.
            used &= _sides_with_elements(blocks)
        return cls(blocks.codes, sides, blocks.fmt, used)

    @property
    def tables(self) -> SideTables:
        """What the side codes mean."""
        return side_tables(self.fmt)

    def rows(self, part: slice) -> "Matrix":
        """Some of the rows."""
        return Matrix(self.codes[part], self.sides[part], self.fmt, self.used[part])

    def values(self, factors: NDArray[np.float64], dtype: FloatType) -> NDArray[Any]:
        """Elements in units of 1/2, each times `factors[side code]`. (rows, K padded)"""
        # Negative elements have the upper half of the codes, and their scale comes last.
        codes_per_scale = ELEMENT_CODES // self.sides.shape[2]

        def table(scales: NDArray[Any]) -> list[NDArray[Any]]:
            return [np.repeat(scales, codes_per_scale, axis=2) * VALUES_IN_HALVES.astype(dtype)]

        return self._look_up(factors.astype(dtype), table, 1)[0]

    def side_values(self, factors: NDArray[np.float64], dtype: FloatType) -> list[NDArray[Any]]:
        """For each free scale, `values` of the elements under it, and 0 for the elements under the other scale."""
        if not self.fmt.asymmetric:
            return [self.values(factors, dtype)]
        sides = [elements.astype(dtype) for elements in side_elements(self.fmt)]

        def tables(scales: NDArray[Any]) -> list[NDArray[Any]]:
            return [scales[:, :, side, None] * elements for side, elements in enumerate(sides)]

        return self._look_up(factors.astype(dtype), tables, len(sides))

    def _look_up(
        self, factors: NDArray[Any], tables: Callable[[NDArray[Any]], list[NDArray[Any]]], count: int
    ) -> list[NDArray[Any]]:
        """Every element's value in the tables of its block: one look-up per element and table, whatever the scales.

        Args:
            factors: what each side code stands for.
            tables: turns the factors of some rows (rows, blocks, 1 or 2) into the values of the sixteen element codes
                under them (rows, blocks, 16), once per table.
            count: how many tables there are.

        Returns:
            The values for each table, (rows, K padded).
        """
        found = [np.empty(self.codes.shape, factors.dtype) for _ in range(count)]
        blocks = self.sides.shape[1]
        for start in range(0, len(self.codes), _ROWS_AT_A_TIME):
            part = slice(start, start + _ROWS_AT_A_TIME)
            codes = self.codes[part]
            table_starts = np.arange(len(codes) * blocks).reshape(len(codes), blocks, 1) * ELEMENT_CODES
            entries = codes.reshape(len(codes), blocks, self.fmt.block_size) + table_starts
            # Only values that no element has can overflow: callers choose a dtype that holds the others.
            with np.errstate(over="ignore"):
                by_code = tables(factors[self.sides[part]])
            for table, values in zip(by_code, found, strict=True):
                # No index is out of range, and with "clip" NumPy does not check that first.
                np.take(table, entries.reshape(codes.shape), out=values[part], mode="clip")
        return found

    def bounds(self) -> "Bounds":
        """What the scales of each row say about its elements."""
        tables = self.tables
        # The lowest bit that is set: a significand of 4 counts as 1 shifted by 2.
        lowest = tables.significands & -tables.significands
        units = np.ldexp(lowest.astype(np.float64), tables.exponents - 1)
        peaks = ELEMENT_MAX * np.where(np.isnan(tables.values), 0, tables.values)
        used_peaks = np.where(self.used, peaks[self.sides], 0)
        # Each element is under one of the block's scales.
        block_peaks = np.maximum(used_peaks[:, :, 0], used_peaks[:, :, -1])
        used_units = np.where(self.used, units[self.sides], np.inf)
        return Bounds(
            peak=block_peaks.max(axis=1, initial=0),
            total=block_peaks.sum(axis=1) * self.fmt.block_size,
            unit=used_units.min(axis=(1, 2), initial=np.inf),
        )


def _sides_with_elements(blocks: Blocks) -> NDArray[np.bool_]:
    """For each scale, whether an element other than zero is under it. (rows, blocks, 1 or 2)"""
    grouped = blocks.codes.reshape(*blocks.scales.shape[:2], blocks.fmt.block_size)
    magnitudes = grouped & (ELEMENT_SIGN - 1)
    if blocks.fmt.two_sided:
        # Codes 1..7 are positive, 9..15 negative; 0 and 8 are zeros.
        sides = [(magnitudes == grouped) & (grouped > 0), grouped > ELEMENT_SIGN]
    else:
        sides = [magnitudes > 0]
    return np.stack([side.any(axis=2) for side in sides], axis=2)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds on the elements of each row, float64 (rows,).

    Attributes:
        peak: at least the magnitude of each element; 0 in a row of zeros.
        total: at least the sum of the elements' magnitudes; 0 in a row of zeros.
        unit: a power of two of which every element is a multiple; infinity in a row of zeros.
    """

    peak: NDArray[np.float64]
    total: NDArray[np.float64]
    unit: NDArray[np.float64]
