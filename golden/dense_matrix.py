"""A quantised matrix as BLAS takes it: dense values, and bounds on them that show what is exact."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.element_tables import element_tables
from amxfp4.golden.formats import ELEMENT_CODES, ELEMENT_SIGN, BlockFormat
from amxfp4.golden.terms import asymmetry_codes

FloatType = type[np.float32] | type[np.float64]

_ROWS_AT_A_TIME = 32
"""Rows that are looked up together: few enough for their temporaries to stay in cache."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """Rows of a two-axis `Blocks`.

    Attributes:
        codes: uint8 (rows, K padded), the element codes.
        scales: uint8 (rows, blocks, 1 or 2), the codes of the free scales.
        asymmetry: uint8 (rows, blocks), the asymmetry codes, 0 in a format without.
        fmt: the block format.
        used: bool, of the shape of `scales`. False where a scale certainly contributes nothing: it is NaN, zero, or an
            E8M0 scale without elements. Such a scale does not count in `bounds`.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.uint8]
    asymmetry: NDArray[np.uint8]
    fmt: BlockFormat
    used: NDArray[np.bool_]

    @classmethod
    def from_blocks(cls, blocks: Blocks) -> "Matrix":
        """All rows of `blocks`, which has two axes."""
        scales = blocks.scales[..., : blocks.fmt.scales_per_block]
        used = blocks.fmt.scale.significands[scales] > 0
        if not blocks.fmt.scale.is_fp8:
            # E8M0 has no zero. The scale of a side without elements is the least one, and would widen the bounds much.
            used &= _sides_with_elements(blocks)
        return cls(blocks.codes, scales, asymmetry_codes(blocks), blocks.fmt, used)

    def rows(self, part: slice) -> "Matrix":
        """Some of the rows."""
        return Matrix(self.codes[part], self.scales[part], self.asymmetry[part], self.fmt, self.used[part])

    def values(self, factors: NDArray[np.float64], dtype: FloatType) -> NDArray[Any]:
        """Elements as integers, each times `factors[scale code]`. (rows, K padded)"""
        tables = element_tables(self.fmt)

        def all_sides(scales: NDArray[Any], asymmetry: NDArray[np.uint8]) -> list[NDArray[Any]]:
            # An element is 0 under the scales that are not its own.
            parts = (scales[..., side, None] * table[asymmetry] for side, table in enumerate(tables))
            return [reduce(np.add, parts)]

        return self._look_up(factors.astype(dtype), all_sides, 1)[0]

    def side_values(self, factors: NDArray[np.float64], dtype: FloatType) -> list[NDArray[Any]]:
        """For each free scale, `values` of the elements under it, and 0 for the elements under the other scale."""
        tables = element_tables(self.fmt)

        def by_side(scales: NDArray[Any], asymmetry: NDArray[np.uint8]) -> list[NDArray[Any]]:
            return [scales[..., side, None] * table[asymmetry] for side, table in enumerate(tables)]

        return self._look_up(factors.astype(dtype), by_side, len(tables))

    def _look_up(
        self,
        factors: NDArray[Any],
        tables: Callable[[NDArray[Any], NDArray[np.uint8]], list[NDArray[Any]]],
        count: int,
    ) -> list[NDArray[Any]]:
        """Every element's value in the tables of its block: one look-up per element and table, whatever the scales.

        Args:
            factors: what each scale code stands for.
            tables: turns the factors (rows, blocks, 1 or 2) and asymmetry codes (rows, blocks) of some rows into the
                values of the sixteen element codes under them (rows, blocks, 16), once per table.
            count: how many tables there are.

        Returns:
            The values for each table, (rows, K padded).
        """
        found = [np.empty(self.codes.shape, factors.dtype) for _ in range(count)]
        blocks = self.scales.shape[1]
        for start in range(0, len(self.codes), _ROWS_AT_A_TIME):
            part = slice(start, start + _ROWS_AT_A_TIME)
            codes = self.codes[part]
            table_starts = np.arange(len(codes) * blocks).reshape(len(codes), blocks, 1) * ELEMENT_CODES
            entries = codes.reshape(len(codes), blocks, self.fmt.block_size) + table_starts
            # Only values that no element has can overflow: callers choose a dtype that holds the others.
            with np.errstate(over="ignore"):
                by_code = tables(factors[self.scales[part]], self.asymmetry[part])
            for table, values in zip(by_code, found, strict=True):
                # No index is out of range, and with "clip" NumPy does not check that first.
                np.take(table, entries.reshape(codes.shape), out=values[part], mode="clip")
        return found

    def bounds(self) -> "Bounds":
        """What the scales of each row say about its elements."""
        scale = self.fmt.scale
        # The lowest bit that is set: a significand of 4 counts as 1 shifted by 2.
        lowest = scale.significands & -scale.significands
        units = np.ldexp(lowest.astype(np.float64), scale.exponents + self.fmt.unit_exponent)
        peaks = np.ldexp(np.nan_to_num(scale.values, nan=0.0), self.fmt.unit_exponent)
        # What an asymmetry code leaves of the elements: their largest magnitude, and a number that divides all of them.
        by_code = np.stack(element_tables(self.fmt))
        largest = np.abs(by_code).max(axis=(0, 2))[self.asymmetry]
        divisor = np.gcd.reduce(by_code.astype(np.int64), axis=(0, 2))[self.asymmetry]
        # Each element is under one of the block's scales.
        block_peaks = np.where(self.used, peaks[self.scales], 0).max(axis=2) * largest
        block_units = np.where(self.used, units[self.scales], np.inf).min(axis=2) * divisor
        return Bounds(
            peak=block_peaks.max(axis=1, initial=0),
            total=block_peaks.sum(axis=1) * self.fmt.block_size,
            unit=block_units.min(axis=1, initial=np.inf),
        )


def _sides_with_elements(blocks: Blocks) -> NDArray[np.bool_]:
    """For each scale, whether an element other than zero is under it. (rows, blocks, 1 or 2)"""
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
    """Bounds on the elements of each row, float64 (rows,).

    Attributes:
        peak: at least the magnitude of each element; 0 in a row of zeros.
        total: at least the sum of the elements' magnitudes; 0 in a row of zeros.
        unit: a power of two of which every element is a multiple; infinity in a row of zeros.
    """

    peak: NDArray[np.float64]
    total: NDArray[np.float64]
    unit: NDArray[np.float64]
