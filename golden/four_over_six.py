"""Four over six: a side's largest element becomes 6 or 4, whichever has the smaller squared error (arXiv 2512.02010).

Between 4 and 6 an element has no value. Where many elements of a side lie there, a scale under which the largest one is
4 instead of 6 serves them better, as their steps are finer then.

Errors are sums of squares of whole numbers, as a unit would compute them. Everything is in units of the least bit of
the significand of the scale for 6. An element is cut to whole units and half a unit is added, so that it stands for the
middle of what was cut. Against exact errors that loses next to nothing (docs/tried.md). A unit needs no more bits of an
element than it keeps anyway.
"""

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.element_tables import scaled_elements
from amxfp4.golden.formats import BlockFormat, ScaleFormat

FOUR = 4.0
"""What a side's largest magnitude becomes, in scales, where that is better than 6."""

_LARGEST_CUT = 1 << 20
"""Elements are cut to this many units. Only under the largest scale are any so large, where both choices are one."""


def is_four_better(
    x: NDArray[np.float32],
    negative: NDArray[np.bool_],
    fmt: BlockFormat,
    six: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    four: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> NDArray[np.bool_]:
    """For each free scale, whether the squared error is smaller under the scale for 4, equals aside. (n, 1 or 2)

    Args:
        x: blocks (n, k) of finite values.
        negative: which of them are below zero.
        fmt: a format with FP8 scales and without special values.
        six: the element codes (n, k) and the fields of `Blocks.scales` where the largest element becomes 6.
        four: the same where it becomes 4.
    """
    units = fmt.scale.exponents[six[1][:, : fmt.scales_per_block]]
    errors = [_squared_errors(x, negative, fmt, codes, scales, units) for codes, scales in (six, four)]
    if fmt.asymmetric:
        difference = errors[1] - errors[0]
        sides = [np.where(own, difference, 0).sum(axis=1) for own in (~negative, negative)]
        return np.stack(sides, axis=1) < 0
    return errors[1].sum(axis=1, keepdims=True) < errors[0].sum(axis=1, keepdims=True)


def _squared_errors(
    x: NDArray[np.float32],
    negative: NDArray[np.bool_],
    fmt: BlockFormat,
    codes: NDArray[np.uint8],
    scales: NDArray[np.uint8],
    units: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The squared error of each element (n, k), in squares of a quarter of a unit.

    In quarters the middle of a cut element is a whole number, and so is an element under half a scale.
    """
    significands = _significands(fmt.scale, scales[:, : fmt.scales_per_block], units)
    quarters = scaled_elements(codes, scales, fmt, significands << (fmt.unit_exponent + 2))
    unit = np.where(negative, units[:, -1:], units[:, :1])
    cut = np.minimum(np.floor(np.ldexp(np.abs(x).astype(np.float64), -unit)), _LARGEST_CUT).astype(np.int64)
    return (4 * cut + 2 - np.abs(quarters).astype(np.int64)) ** 2


def _significands(scale: ScaleFormat, codes: NDArray[np.uint8], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """The scales' values in units. A scale for 4 is no smaller than that for 6, so that they are whole numbers."""
    return scale.significands[codes] << (scale.exponents[codes] - units)
