"""What the sixteen element codes mean in each format, as integers, whatever the block's asymmetry code."""

from dataclasses import dataclass
from functools import cache

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


@dataclass(frozen=True, eq=False)
class ElementTable:
    """The elements under one free scale of a block.

    Attributes:
        values: float32 (asymmetry codes, 16): the value of each element code, in units of 2**`unit_exponent` scales.
            The values are whole numbers.
        unit_exponent: `BlockFormat.unit_exponent`.
    """

    values: NDArray[np.float32]
    unit_exponent: int


@cache
def element_tables(fmt: BlockFormat) -> tuple[ElementTable, ...]:
    """One table per free scale of a block.

    A single scale has all elements under it. Of two scales, the positive side's sees negative elements as 0, and the
    negative side's sees positive elements as 0. A format without asymmetry codes has one row in each table.
    """
    if fmt.asymmetric:
        sides = np.maximum(VALUES_IN_HALVES, 0), np.minimum(VALUES_IN_HALVES, 0)
        return tuple(ElementTable(_frozen(side[None]), fmt.unit_exponent) for side in sides)
    if fmt.halving:
        values = VALUES_IN_HALVES * np.where(SIDE_HALVED[:, _SIDES_OF_CODES], 1, 2).astype(np.float32)
    else:
        values = np.tile(VALUES_IN_HALVES, (fmt.asymmetry_codes, 1))
        for code in range(fmt.asymmetry_codes if fmt.specials else 0):
            magnitude = 2 * fmt.specials[bool(code & SECOND_SPECIAL)]
            values[code, NEGATIVE_ZERO] = -magnitude if code & NEGATIVE_SPECIAL else magnitude
    return (ElementTable(_frozen(values), fmt.unit_exponent),)


def _frozen(values: NDArray[np.float32]) -> NDArray[np.float32]:
    values.flags.writeable = False
    return values
