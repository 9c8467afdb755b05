"""The scale of each side of a block, as one look-up whether the scale is free, shared or halved."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.formats import NEGATIVE_HALVED, POSITIVE_HALVED, BlockFormat

SIDE_HALVED = np.array([[bool(code & POSITIVE_HALVED), bool(code & NEGATIVE_HALVED)] for code in range(4)])
"""For each asymmetry code of a format with halving, whether the positive and the negative side are halved. (4, 2)"""


@dataclass(frozen=True, eq=False)
class SideTables:
    """What the side codes of a format mean.

    A side code is a scale code. With halving, a bit above the scale code says that half of that scale is meant.

    Attributes:
        significands: the integer in `value == significand * 2**exponent`, 0 for NaN. Shape (side codes,).
        exponents: the power of two that goes with `significands`.
        values: the value of every side code, NaN where it means NaN.
    """

    significands: NDArray[np.int64]
    exponents: NDArray[np.int64]
    values: NDArray[np.float64]


@cache
def side_tables(fmt: BlockFormat) -> SideTables:
    """The tables of the side codes that `side_codes` gives for this format."""
    scale = fmt.scale
    if not fmt.halving:
        return SideTables(scale.significands, scale.exponents, scale.values)
    return SideTables(
        np.tile(scale.significands, 2),
        np.concatenate([scale.exponents, scale.exponents - 1]),
        np.concatenate([scale.values, scale.values / 2]),
    )


def side_codes(scales: NDArray[np.uint8], fmt: BlockFormat) -> NDArray[Any]:
    """Side codes (..., 1 or 2) from the fields of `Blocks.scales`: one for all elements, or one per side."""
    if not fmt.halving:
        return scales[..., : fmt.scales_per_block]
    code, asymmetry = scales[..., 0], scales[..., 1]
    return code[..., None] | SIDE_HALVED.astype(np.uint16)[asymmetry] << fmt.scale.bits
