"""The scale of each side of a block, as one look-up whether the scale is free, shared or halved."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.formats import NEGATIVE_HALVED, POSITIVE_HALVED, BlockFormat

SIDE_HALVED = np.array([[bool(code & POSITIVE_HALVED), bool(code & NEGATIVE_HALVED)] for code in range(4)])
"""For each asymmetry code of a format with halving, whether the positive and the negative side are halved. (4, 2)"""


def side_values(fmt: BlockFormat) -> NDArray[np.float64]:
    """The value of every side code that `side_codes` gives for this format, NaN where it means NaN.

    A side code is a scale code. With halving, a bit above the scale code says that half of that scale is meant.
    """
    values = fmt.scale.values
    return np.concatenate([values, values / 2]) if fmt.halving else values


def side_codes(scales: NDArray[np.uint8], fmt: BlockFormat) -> NDArray[Any]:
    """Side codes (..., 1 or 2) from the fields of `Blocks.scales`: one for all elements, or one per side."""
    if not fmt.halving:
        return scales[..., : fmt.scales_per_block]
    code, asymmetry = scales[..., 0], scales[..., 1]
    return code[..., None] | SIDE_HALVED.astype(np.uint16)[asymmetry] << fmt.scale.bits
