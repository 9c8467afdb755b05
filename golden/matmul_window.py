"""The windowed accumulator at BLAS speed: one float64 product where the window keeps every bit, otherwise by blocks."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.dense_matrix import Bounds, Matrix
from amxfp4.golden.matmul_exact import product_exact
from amxfp4.golden.term_tiles import term_tiles
from amxfp4.golden.windowed import Window, WindowedTotals


def product_in_window(a: Matrix, w: Matrix, window: Window) -> NDArray[np.float32]:
    """(M, N) sums of terms less the bits below the window, each rounded once; NaN where a sum overflows.

    NaN scales count as 0.
    """
    limit = window.largest_exponent(a.fmt, w.fmt)
    if _keeps_all(a.bounds(), w.bounds(), window) and not _any_above(a, w, limit):
        return product_exact(a, w)
    return _by_blocks(a, w, window, limit)


def _keeps_all(a: Bounds, w: Bounds, window: Window) -> bool:
    """Whether every product is a multiple of the window's least bit, and no running sum can leave the window."""
    least = a.unit.min(initial=np.inf) * w.unit.min(initial=np.inf)
    total = min(
        a.total.max(initial=0) * w.peak.max(initial=0),
        a.peak.max(initial=0) * w.total.max(initial=0),
    )
    # The bound itself is rounded, by far less than the factor of two that is left here.
    return bool(least >= np.ldexp(1.0, window.exponent) and total < np.ldexp(1.0, window.exponent + window.bits - 2))


def _any_above(a: Matrix, w: Matrix, limit: int) -> bool:
    """Whether a term's exponent may be above `limit`, judged by the largest scale in use of each operand."""
    highest = [int(_exponents(matrix)[matrix.used].max(initial=-1000)) for matrix in (a, w)]
    return sum(highest) > limit


def _exponents(matrix: Matrix) -> NDArray[np.int64]:
    """What each free scale adds to the exponent of a term. (rows, blocks, 1 or 2)"""
    exponents: NDArray[np.int64] = matrix.fmt.scale.exponents[matrix.scales]
    return exponents + matrix.fmt.unit_exponent


def _by_blocks(a: Matrix, w: Matrix, window: Window, limit: int) -> NDArray[np.float32]:
    """Terms formed in float64 by BLAS, exactly, and added block by block."""
    above = _any_above(a, w, limit)
    a_exponents, w_exponents = _exponents(a), _exponents(w)
    pairs = list(product(range(a.scales.shape[2]), range(w.scales.shape[2])))
    result = np.empty((len(a.codes), len(w.codes)), np.float32)
    for rows, columns, blocks in term_tiles(a, w, np.float64):
        totals = WindowedTotals(result[rows, columns].shape, window)
        for block, terms in enumerate(blocks):
            for (p, q), term in zip(pairs, terms, strict=True):
                if above:
                    exponents = np.add.outer(a_exponents[rows, block, p], w_exponents[columns, block, q])
                    totals.overflow |= (exponents > limit) & (term != 0)
                totals.add(term)
            totals.end_block()
        result[rows, columns] = totals.rounded()
    return result
