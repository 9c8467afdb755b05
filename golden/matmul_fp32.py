"""The fp32 accumulator as a small matrix product for each term of each block, added in the contract's order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.dense_matrix import Bounds, FloatType, Matrix
from amxfp4.golden.dot import add_in_float32

_TILE_ROWS = 128
_TILE_COLUMNS = 64
_TILE_BLOCKS = 32
"""The terms of a tile over so many blocks, a megabyte in float32, stay in cache until they are added.

Each block's product is so small that BLAS does not share it out to threads, which would cost more than it gives.
"""

_LEAST_NORMAL = 2.0**-126
"""The least float32 that is not subnormal."""


def product_fp32(a: Matrix, w: Matrix) -> NDArray[np.float32]:
    """(M, N) sums of terms, rounded to float32 after each term. NaN scales count as 0."""
    if _fits_float32(a.bounds(), w.bounds(), a.codes.shape[1]):
        return _accumulate(a, w, np.float32)
    return _accumulate(a, w, np.float64)


def _fits_float32(a: Bounds, w: Bounds, length: int) -> bool:
    """Whether neither an element, nor a term, nor a sum can leave float32's normal range, other than by being zero.

    With FP8 scales on both sides, none can. The product of two E8M0 scales reaches further than float32. Through
    rounding, the running sum may exceed the sum of magnitudes by less than a factor of two, hence the limit of 2^127.

    Subnormals are left to float64, which has all of these values as normal numbers. BLAS's threads may flush subnormals
    to zero although the caller's does not.
    """
    a_peak, w_peak = a.peak.max(initial=0), w.peak.max(initial=0)
    largest = max(a_peak, w_peak, a_peak * w_peak * length)
    a_unit, w_unit = a.unit.min(initial=np.inf), w.unit.min(initial=np.inf)
    return bool(largest < 2.0**127 and min(a_unit, w_unit, a_unit * w_unit) >= _LEAST_NORMAL)


def _accumulate(a: Matrix, w: Matrix, dtype: FloatType) -> NDArray[np.float32]:
    """Terms formed in `dtype` and added one by one. `dtype` is float32 where `_fits_float32` allows, otherwise float64.

    BLAS forms a term exactly, in any order. The products in a term share their scales. So each is a multiple of the
    product of two significands times a power of two, which is in the range of `dtype`. An element is at most 24 units,
    with halving or with special values, so an element product is at most 576 of those. A block's 128 element
    products sum up to at most 73728 units, and significands multiply that by at most 225, so that every partial sum is
    less than 2^24 units.
    """
    a_sides, w_sides = (sides_by_block(matrix, dtype) for matrix in (a, w))
    add = _add_in_range if dtype is np.float32 else _add_any
    result = np.zeros((len(a.codes), len(w.codes)), np.float32)
    for i in range(0, len(a.codes), _TILE_ROWS):
        rows = slice(i, i + _TILE_ROWS)
        for j in range(0, len(w.codes), _TILE_COLUMNS):
            columns = slice(j, j + _TILE_COLUMNS)
            total = result[rows, columns].copy()
            for start in range(0, a.scales.shape[1], _TILE_BLOCKS):
                blocks = slice(start, start + _TILE_BLOCKS)
                terms = [
                    a_side[blocks, rows] @ w_side[blocks, columns].transpose(0, 2, 1)
                    for a_side in a_sides
                    for w_side in w_sides
                ]
                for block in range(len(terms[0])):
                    for term in terms:
                        add(total, term[block])
            result[rows, columns] = total
    return result


def sides_by_block(matrix: Matrix, dtype: FloatType) -> list[NDArray[Any]]:
    """For each free scale, the values of the elements under it. (blocks, rows, block size)"""
    scales = np.nan_to_num(matrix.fmt.scale.values, nan=0.0)
    sides = matrix.side_values(np.ldexp(scales, matrix.fmt.unit_exponent), dtype)
    shape = (*matrix.scales.shape[:2], matrix.fmt.block_size)
    return [np.ascontiguousarray(side.reshape(shape).transpose(1, 0, 2)) for side in sides]


def _add_in_range(total: NDArray[np.float32], term: NDArray[np.float32]) -> None:
    """Add to `total` in float32, whose own addition rounds the sum of two float32s once.

    The total starts as +0 and never becomes -0. No sum other than zero rounds to zero in this range, and x + -x and
    +0 + -0 are +0.
    """
    np.add(total, term, out=total)


def _add_any(total: NDArray[np.float32], term: NDArray[np.float64]) -> None:
    """Add to `total` terms that may lie outside float32's range."""
    total[...] = add_in_float32(total, term)
