"""One block pair's contribution to a dot product, as exact integers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import ELEMENT_HALVES, ELEMENT_SIGN, BlockFormat
from amxfp4.golden.sides import SIDE_HALVED

ELEMENT_IN_HALVES = np.array((*ELEMENT_HALVES, *(-halves for halves in ELEMENT_HALVES)), np.float32)
"""Value of each of the sixteen element codes in units of 1/2."""

_NEGATIVE = np.arange(len(ELEMENT_IN_HALVES)) // ELEMENT_SIGN
_ELEMENT_IN_QUARTERS = ELEMENT_IN_HALVES * np.where(SIDE_HALVED[:, _NEGATIVE], 1, 2).astype(np.float32)
"""Per asymmetry code, value of each element code in units of a quarter of the block's scale. (4, 16)"""


class Term(NamedTuple):
    """Products of one sign pair (or of the pairs that share their scales), summed and scaled.

    The value is `significand * 2**exponent`; |significand| < 2^24, so that it fits a float32's.

    Attributes:
        significand: int64 (..., blocks); 0 where a scale is NaN.
        exponent: int64 (..., blocks).
    """

    significand: NDArray[np.int64]
    exponent: NDArray[np.int64]


def side_elements(fmt: BlockFormat) -> list[NDArray[np.float32]]:
    """Per free scale of a block, what each of the sixteen element codes is under it, in units of 1/2.

    With one scale that is the element; with two, the positive side sees negative elements as 0, and
    conversely.
    """
    if fmt.asymmetric:
        return [np.maximum(ELEMENT_IN_HALVES, 0), np.minimum(ELEMENT_IN_HALVES, 0)]
    return [ELEMENT_IN_HALVES]


def block_terms(a: Blocks, w: Blocks) -> list[Term]:
    """The terms of every block pair, in the order in which the fp32 accumulator takes them.

    (+,+), (+,-), (-,+), (-,-) with the activation's sign first; pairs that share both free scales are one term.
    The leading axes of `a` and `w` broadcast.
    """
    terms = []
    unit = -2 - a.fmt.halving - w.fmt.halving
    for a_side, a_elements in enumerate(_integer_elements(a)):
        for w_side, w_elements in enumerate(_integer_elements(w)):
            # float32 is exact: at most 128 products of at most 576 each.
            products = np.einsum("...k,...k->...", a_elements, w_elements)
            a_scale, w_scale = a.scales[..., a_side], w.scales[..., w_side]
            scale = a.fmt.scale.significands[a_scale] * w.fmt.scale.significands[w_scale]
            exponent = a.fmt.scale.exponents[a_scale] + w.fmt.scale.exponents[w_scale]
            terms.append(Term(products.astype(np.int64) * scale, exponent + unit))
    return terms


def nan_blocks(blocks: Blocks) -> NDArray[np.bool_]:
    """Which blocks have a NaN among their scales. (..., blocks)"""
    scales = blocks.scales[..., : blocks.fmt.scales_per_block]
    return np.any(scales > blocks.fmt.scale.max_code, axis=-1)


def _integer_elements(blocks: Blocks) -> list[NDArray[np.float32]]:
    """Per free scale, every element under it in halves, or with halving in quarters. (..., blocks, block size)"""
    codes = blocks.codes.reshape(*blocks.scales.shape[:-1], blocks.fmt.block_size)
    if blocks.fmt.halving:
        return [_ELEMENT_IN_QUARTERS[blocks.scales[..., 1:], codes]]
    return [elements[codes] for elements in side_elements(blocks.fmt)]
