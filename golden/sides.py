"""The scale of each side of a block, one look-up whether it is free, shared or halved."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.formats import ASYMMETRY_CODES, NEGATIVE_HALVED, POSITIVE_HALVED, BlockFormat

SIDE_HALVED = np.array(
    [[bool(code & POSITIVE_HALVED), bool(code & NEGATIVE_HALVED)] for code in range(ASYMMETRY_CODES)]
)
"""Per asymmetry code, whether the positive and the negative side are halved. (4, 2)"""


@dataclass(frozen=True, eq=False)
class SideTables:
    """What the side codes of a format mean; see `ScaleFormat` for the three. Shape (side codes,).

    A side code is a scale code, or with halving a scale code and above it a bit for half of that scale.
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
    """Side codes (..., 1 or 2) from the fields of `Blocks.scales`: one for all elements, or positive and negative."""
    if not fmt.halving:
        return scales
    code, asymmetry = scales[..., 0], scales[..., 1]
    return code[..., None] | SIDE_HALVED.astype(np.uint16)[asymmetry] << fmt.scale.bits
