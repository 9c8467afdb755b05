"""The fp32 accumulator as a small matrix product for each term of each block, added in the contract's order."""

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.dense_matrix import Bounds, FloatType, Matrix
from amxfp4.golden.dot import add_in_float32
from amxfp4.golden.term_tiles import term_tiles

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
    """Terms formed in `dtype`, float32 where `_fits_float32` allows, otherwise float64; and added one by one."""
    add = _add_in_range if dtype is np.float32 else _add_any
    result = np.zeros((len(a.codes), len(w.codes)), np.float32)
    for rows, columns, blocks in term_tiles(a, w, dtype):
        total = result[rows, columns].copy()
        for terms in blocks:
            for term in terms:
                add(total, term)
        result[rows, columns] = total
    return result


def _add_in_range(total: NDArray[np.float32], term: NDArray[np.float32]) -> None:
    """Add to `total` in float32, whose own addition rounds the sum of two float32s once.

    The total starts as +0 and never becomes -0. No sum other than zero rounds to zero in this range, and x + -x and
    +0 + -0 are +0.
    """
    np.add(total, term, out=total)


def _add_any(total: NDArray[np.float32], term: NDArray[np.float64]) -> None:
    """Add to `total` terms that may lie outside float32's range."""
    total[...] = add_in_float32(total, term)
