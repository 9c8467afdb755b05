"""One block pair's contribution to a dot product, as exact integers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import ELEMENT_HALVES, ELEMENT_SIGN, BlockFormat
from amxfp4.golden.sides import SIDE_HALVED

VALUES_IN_HALVES = np.array((*ELEMENT_HALVES, *(-halves for halves in ELEMENT_HALVES)), np.float32)
"""Value of each of the sixteen element codes in units of 1/2."""

_SIDES_OF_CODES = np.arange(len(VALUES_IN_HALVES)) // ELEMENT_SIGN
_VALUES_IN_QUARTERS = VALUES_IN_HALVES * np.where(SIDE_HALVED[:, _SIDES_OF_CODES], 1, 2).astype(np.float32)
"""For each asymmetry code, the value of each element code in units of a quarter of the block's scale. (4, 16)"""


class Term(NamedTuple):
    """The products of one sign pair, or of all pairs that share their scales, summed and scaled.

    The value is `significand * 2**exponent`. |significand| is below 2^24, so that it fits the significand of a float32.

    Attributes:
        significand: int64 (..., blocks); 0 where a scale is NaN.
        exponent: int64 (..., blocks).
    """

    significand: NDArray[np.int64]
    exponent: NDArray[np.int64]


def side_elements(fmt: BlockFormat) -> list[NDArray[np.float32]]:
    """For each free scale of a block, the values of the sixteen element codes under it, in units of 1/2.

    A single scale has all elements under it. Of two scales, the positive side's sees negative elements as 0, and the
    negative side's sees positive elements as 0.
    """
    if fmt.asymmetric:
        return [np.maximum(VALUES_IN_HALVES, 0), np.minimum(VALUES_IN_HALVES, 0)]
    return [VALUES_IN_HALVES]


def block_terms(a: Blocks, w: Blocks) -> list[Term]:
    """The terms of every block pair, in the order in which the fp32 accumulator takes them.

    The order is (+,+), (+,-), (-,+), (-,-), with the activation's sign first. Sign pairs that share both scales are
    one term. The other axes of `a` and `w` broadcast.
    """
    terms = []
    unit = -2 - a.fmt.halving - w.fmt.halving
    for a_side, a_elements in enumerate(_integer_elements(a)):
        for w_side, w_elements in enumerate(_integer_elements(w)):
            # float32 is exact here: the sum has at most 128 products of at most 576 each.
            products = np.einsum("...k,...k->...", a_elements, w_elements)
            a_scale, w_scale = a.scales[..., a_side], w.scales[..., w_side]
            scale = a.fmt.scale.significands[a_scale] * w.fmt.scale.significands[w_scale]
            exponent = a.fmt.scale.exponents[a_scale] + w.fmt.scale.exponents[w_scale]
            terms.append(Term(products.astype(np.int64) * scale, exponent + unit))
    return terms


def nan_blocks(blocks: Blocks) -> NDArray[np.bool_]:
    """For each block, whether a NaN is among its scales. (..., blocks)"""
    scales = blocks.scales[..., : blocks.fmt.scales_per_block]
    return np.any(scales > blocks.fmt.scale.max_code, axis=-1)


def _integer_elements(blocks: Blocks) -> list[NDArray[np.float32]]:
    """For each free scale, the elements under it, in halves, or with halving in quarters. (..., blocks, block size)"""
    codes = blocks.codes.reshape(*blocks.scales.shape[:-1], blocks.fmt.block_size)
    if blocks.fmt.halving:
        return [_VALUES_IN_QUARTERS[blocks.scales[..., 1:], codes]]
    return [elements[codes] for elements in side_elements(blocks.fmt)]
