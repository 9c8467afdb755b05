"""The exact accumulator as float64 matrix products that round nothing."""

from math import floor, log2

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.accumulator import least_exponent
from amxfp4.golden.dense_matrix import Bounds, Matrix
from amxfp4.golden.fixed import MAX_LIMB_BITS, round_limbs
from amxfp4.golden.formats import BlockFormat
from amxfp4.golden.terms import largest_significand

_TILE = 512
"""Rows of each operand in a tile. For each pair of tiles it is decided whether a single product is exact."""

_SIGNIFICANT = 2.0**53
"""Every integer up to this one is a float64."""


def product_exact(a: Matrix, w: Matrix) -> NDArray[np.float32]:
    """(M, N) sums of products, each rounded once. NaN scales count as 0. At most 2^24 elements are summed.

    Every a[i, k] is a multiple of a unit u_i, and every w[j, k] is one of a unit v_j. Then every product and every
    partial sum, in whatever order BLAS forms it, is a multiple of u_i v_j. None of them exceeds the sum over k of
    |a[i, k]| times the largest |w[j, k]|. If that bound is at most 2^53 u_i v_j, every partial sum is a float64: the
    matrix product rounds nothing, and neither do fused multiply-adds. Neither overflow nor underflow can spoil that, as
    products of two scales stay far within float64's range, those of E8M0 in a window's sums too.
    """
    exact = _exact_tiles(a.bounds(), w.bounds())
    if exact.all():
        return _direct(a, w)
    result = np.empty((len(a.codes), len(w.codes)), np.float32)
    for i, j in np.ndindex(exact.shape):
        rows, columns = slice(i * _TILE, (i + 1) * _TILE), slice(j * _TILE, (j + 1) * _TILE)
        product = _direct if exact[i, j] else _by_windows
        result[rows, columns] = product(a.rows(rows), w.rows(columns))
    return result


def _exact_tiles(a: Bounds, w: Bounds) -> NDArray[np.bool_]:
    """For each pair of tiles, whether a single float64 product is exact."""
    bound = np.minimum(
        np.multiply.outer(_tile_maximum(a.total / a.unit), _tile_maximum(w.peak / w.unit)),
        np.multiply.outer(_tile_maximum(a.peak / a.unit), _tile_maximum(w.total / w.unit)),
    )
    # The bound itself is rounded, by far less than one part in a million.
    return bound * (1 + 1e-6) <= _SIGNIFICANT


def _tile_maximum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum.reduceat(values, np.arange(0, len(values), _TILE)) if len(values) else values


def _direct(a: Matrix, w: Matrix) -> NDArray[np.float32]:
    """A single product in float64, which `_exact_tiles` has shown to be exact, rounded once."""
    result = (_values(a) @ _values(w).T).astype(np.float32)
    # A result of -0, which only sums of -0 can give, becomes +0.
    result += 0
    return result


def _values(matrix: Matrix) -> NDArray[np.float64]:
    scale = matrix.fmt.scale
    factors = np.ldexp(scale.significands.astype(np.float64), scale.exponents + matrix.fmt.unit_exponent)
    return matrix.values(factors, np.float64)


def _by_windows(a: Matrix, w: Matrix) -> NDArray[np.float32]:
    """The product for any spread of scales, with operands split by exponent as in Ozaki's scheme.

    A part of an operand keeps the elements whose scale has its exponent in a window of `width` exponents. In units of
    the window's low end they are integers of at most 24 * significand * 2^(width - 1). `width` is such that K products
    of those stay within 2^53, so each product of parts is exact. Products of equal weight are added in int64, and the
    sum over all weights is rounded once.
    """
    width = _window_width(a.fmt, w.fmt, a.codes.shape[1])
    a_low, a_parts = _parts(a, width)
    w_low, w_parts = _parts(w, width)
    shape = (len(a.codes), len(w.codes))
    limbs = [np.zeros(shape, np.int64) for _ in range(len(a_parts) + len(w_parts) - 1)]
    for i, a_part in enumerate(a_parts):
        for j, w_part in enumerate(w_parts):
            limbs[i + j] += (a_part @ w_part.T).astype(np.int64)
    return round_limbs(limbs, width, least_exponent(a.fmt, w.fmt) + a_low + w_low)


def _window_width(a: BlockFormat, w: BlockFormat, length: int) -> int:
    """The most exponents that the windows of both operands can have: 7 or more for up to 2^24 elements."""
    narrowest = largest_significand(a, w) * length / a.block_size
    return min(1 + floor(log2(_SIGNIFICANT / narrowest) / 2), MAX_LIMB_BITS)


def _parts(matrix: Matrix, width: int) -> tuple[int, list[NDArray[np.float64]]]:
    """The lowest shift in use, and the elements of each window of `width` shifts from there on. (rows, K padded)

    A shift is an exponent counted from the format's least one. The elements are integers in units of the window's low
    end, and 0 outside the window.
    """
    scale = matrix.fmt.scale
    shifts = scale.exponents - scale.least_exponent
    in_use = shifts[matrix.scales[matrix.used]]
    high = int(in_use.max(initial=0))
    low = int(in_use.min(initial=high))
    parts = []
    for start in range(low, high + 1, width):
        inside = (shifts >= start) & (shifts < start + width)
        factors = np.where(inside, np.ldexp(scale.significands.astype(np.float64), shifts - start), 0)
        parts.append(matrix.values(factors, np.float64))
    return low, parts
