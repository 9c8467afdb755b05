"""How far quantised values are from the exact ones."""

from math import log10

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amxfp4.errors import UsageError
from amxfp4.golden.arguments import as_float64
from amxfp4.golden.settings import in_own_settings

_LEAST_SUM, _LARGEST_SUM = 2.0**-500, 2.0**500
"""Within these, squares too small for a float64 do not count in a sum, and a ratio of two sums is a normal float64."""


@in_own_settings
def sqnr(exact: ArrayLike, approximate: ArrayLike) -> float:
    """Signal to quantisation noise ratio in dB: 10 log10 (sum exact^2 / sum (exact - approximate)^2), in float64.

    Args:
        exact: the values that were wanted, of any shape: real numbers of float64 or a narrower dtype.
        approximate: the values that stand for them, of a shape that broadcasts with it.

    Returns:
        Infinity where the two are equal, -infinity where only `exact` is all zero or only `approximate` has an
        infinity, NaN where either has a NaN or `exact` has an infinity. Squares beyond float64's range do no harm.

    Raises:
        UsageError: no such numbers, or shapes that do not broadcast.
    """
    wanted, found = as_float64("exact", exact), as_float64("approximate", approximate)
    try:
        wanted, found = np.broadcast_arrays(wanted, found)
    except ValueError:
        raise UsageError(
            f"exact has shape {wanted.shape} and approximate {found.shape}; shapes that broadcast are needed"
        ) from None
    if not np.isfinite(wanted).all() or np.isnan(found).any():
        return float("nan")
    if np.isinf(found).any():
        return float("-inf")
    difference = wanted - found
    signal, noise = np.square(wanted).sum(), np.square(difference).sum()
    if min(signal, noise) >= _LEAST_SUM and max(signal, noise) <= _LARGEST_SUM:
        return float(10 * np.log10(signal / noise))
    if not difference.any():
        return float("inf")
    if np.isfinite(difference).all():
        return _decibels(wanted) - _decibels(difference)
    # Half of each keeps the difference of opposite numbers within the range.
    return _decibels(wanted) - _decibels(wanted / 2 - found / 2) - 20 * log10(2)


def _decibels(values: NDArray[np.float64]) -> float:
    """10 log10 of the sum of squares of finite `values`, squared in units of a power of two near the largest."""
    _, exponent = np.frexp(np.abs(values).max(initial=0))
    squares = np.square(np.ldexp(values, -exponent)).sum()
    return float(10 * np.log10(squares)) + 20 * log10(2) * int(exponent)
