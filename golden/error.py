"""How far quantised values are from the exact ones."""

import numpy as np
from numpy.typing import ArrayLike


@np.errstate(all="ignore")  # the same results whatever the caller's settings are
def sqnr(exact: ArrayLike, approximate: ArrayLike) -> float:
    """Signal to quantisation noise ratio in dB: 10 log10 (sum exact^2 / sum (exact - approximate)^2), in float64.

    Args:
        exact: the values that were wanted, of any shape and dtype.
        approximate: the values that stand for them, of a shape that broadcasts with it.

    Returns:
        Infinity where the two are equal, -infinity where only `exact` is all zero, NaN where either has a NaN.
    """
    exact = np.asarray(exact, np.float64)
    return sqnr_from_sums(np.square(exact).sum(), np.square(exact - np.asarray(approximate, np.float64)).sum())


@np.errstate(all="ignore")  # the same results whatever the caller's settings are
def sqnr_from_sums(signal: float, noise: float) -> float:
    """`sqnr` from the two sums of squares, sum exact^2 and sum (exact - approximate)^2."""
    if noise == 0:
        return float("inf")
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(signal / noise))
