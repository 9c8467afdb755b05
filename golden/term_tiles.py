"""The terms of a matrix product, formed by BLAS for a tile of results at a time and given block by block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.dense_matrix import FloatType, Matrix

_TILE_ROWS = 128
_TILE_COLUMNS = 64
_TILE_BYTES = 1 << 20
"""The terms of a tile over some blocks, a megabyte for each sign pair, stay in cache until they are added.

Each block's product is so small that BLAS does not share it out to threads, which would cost more than it gives.
"""

Terms = tuple[NDArray[Any], ...]
"""A block's terms, each (rows, columns), in the contract's order."""


def term_tiles(a: Matrix, w: Matrix, dtype: FloatType) -> Iterator[tuple[slice, slice, Iterator[Terms]]]:
    """For each tile of results its rows, its columns and the terms of one block after another. NaN scales count as 0.

    BLAS forms a term exactly, in any order, where the elements and the term are in the range of `dtype`. The products
    in a term share their scales. So each is a multiple of the product of two significands times a power of two. An
    element is at most 24 units, with halving or with special values, so an element product is at most 576 of those. A
    block's 128 element products sum up to at most 73728 units, and significands multiply that by at most 225, so that
    every partial sum is less than 2^24 units.
    """
    a_sides, w_sides = _sides_by_block(a, dtype), _sides_by_block(w, dtype)
    for i in range(0, len(a.codes), _TILE_ROWS):
        rows = slice(i, i + _TILE_ROWS)
        for j in range(0, len(w.codes), _TILE_COLUMNS):
            columns = slice(j, j + _TILE_COLUMNS)
            yield rows, columns, _terms([side[:, rows] for side in a_sides], [side[:, columns] for side in w_sides])


def _terms(a_sides: list[NDArray[Any]], w_sides: list[NDArray[Any]]) -> Iterator[Terms]:
    """The terms of each block in turn. A side is (blocks, rows, block size)."""
    at_a_time = _TILE_BYTES // (_TILE_ROWS * _TILE_COLUMNS * a_sides[0].itemsize)
    for start in range(0, len(a_sides[0]), at_a_time):
        blocks = slice(start, start + at_a_time)
        terms = [a_side[blocks] @ w_side[blocks].transpose(0, 2, 1) for a_side in a_sides for w_side in w_sides]
        yield from zip(*terms, strict=True)


def _sides_by_block(matrix: Matrix, dtype: FloatType) -> list[NDArray[Any]]:
    """For each free scale, the values of the elements under it. (blocks, rows, block size)"""
    scales = np.nan_to_num(matrix.fmt.scale.values, nan=0.0)
    sides = matrix.side_values(np.ldexp(scales, matrix.fmt.unit_exponent), dtype)
    shape = (*matrix.scales.shape[:2], matrix.fmt.block_size)
    return [np.ascontiguousarray(side.reshape(shape).transpose(1, 0, 2)) for side in sides]
