"""What the sixteen element codes mean in each format, as integers, whatever the block's asymmetry code."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.formats import (
    ELEMENT_HALVES,
    ELEMENT_SIGN,
    NEGATIVE_SPECIAL,
    NEGATIVE_ZERO,
    SECOND_SPECIAL,
    BlockFormat,
)
from amxfp4.golden.sides import SIDE_HALVED

VALUES_IN_HALVES = np.array((*ELEMENT_HALVES, *(-halves for halves in ELEMENT_HALVES)), np.float32)
"""Value of each of the sixteen E2M1 codes in units of 1/2."""

_SIDES_OF_CODES = np.arange(len(VALUES_IN_HALVES)) // ELEMENT_SIGN


@cache
def element_tables(fmt: BlockFormat) -> tuple[NDArray[np.float32], ...]:
    """One table per free scale of a block: the value of each element code under each asymmetry code.

    A table is float32 (asymmetry codes, 16). Its values are whole numbers, in units of 2**`BlockFormat.unit_exponent`
    scales.

    A single scale has all elements under it. Of two scales, the positive side's sees negative elements as 0, and the
    negative side's sees positive elements as 0. A format without asymmetry codes has one row in each table.
    """
    if fmt.asymmetric:
        sides = np.maximum(VALUES_IN_HALVES, 0), np.minimum(VALUES_IN_HALVES, 0)
        return tuple(_frozen(side[None]) for side in sides)
    if fmt.halving:
        values = VALUES_IN_HALVES * np.where(SIDE_HALVED[:, _SIDES_OF_CODES], 1, 2).astype(np.float32)
    else:
        values = np.tile(VALUES_IN_HALVES, (fmt.asymmetry_codes, 1))
        for code in range(fmt.asymmetry_codes if fmt.specials else 0):
            magnitude = 2 * fmt.specials[bool(code & SECOND_SPECIAL)]
            values[code, NEGATIVE_ZERO] = -magnitude if code & NEGATIVE_SPECIAL else magnitude
    return (_frozen(values),)


def scaled_elements(
    codes: NDArray[np.uint8], scales: NDArray[np.uint8], fmt: BlockFormat, factors: NDArray[Any]
) -> NDArray[Any]:
    """The elements of blocks in units of 2**`BlockFormat.unit_exponent`, each times a factor for its scale. (n, k)

    The sum over scales is exact: one addend is zero, unless a factor is NaN and makes the sum NaN. It is never -0.

    Args:
        codes: the element codes (n, k).
        scales: the fields of `Blocks.scales` (n, 1 or 2), of which the asymmetry code counts.
        fmt: the block format.
        factors: a number for each free scale (n, 1 or 2).
    """
    asymmetry = scales[:, -1:] if fmt.has_asymmetry_code else 0
    parts = (table[asymmetry, codes] * factors[:, side, None] for side, table in enumerate(element_tables(fmt)))
    return sum(parts, np.zeros((), factors.dtype))


def _frozen(values: NDArray[np.float32]) -> NDArray[np.float32]:
    values.flags.writeable = False
    return values
