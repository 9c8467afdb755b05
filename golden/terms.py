"""One block pair's contribution to a dot product, as exact integers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import ELEMENT_HALVES, BlockFormat

ELEMENT_IN_HALVES = np.array((*ELEMENT_HALVES, *(-halves for halves in ELEMENT_HALVES)), np.float32)
"""Value of each of the sixteen element codes in units of 1/2."""


class Term(NamedTuple):
    """Products of one sign pair (or of the pairs that share their scales), summed and scaled.

    The value is `significand * 2**exponent`; |significand| < 2^23, so that it fits a float32's.

    Attributes:
        significand: int64 (..., blocks); 0 where a scale is NaN.
        exponent: int64 (..., blocks).
    """

    significand: NDArray[np.int64]
    exponent: NDArray[np.int64]


def side_elements(fmt: BlockFormat) -> list[NDArray[np.float32]]:
    """Per scale of a block, what each of the sixteen element codes is under it, in units of 1/2.

    With one scale that is the element; with two, the positive side sees negative elements as 0, and
    conversely.
    """
    if fmt.asymmetric:
        return [np.maximum(ELEMENT_IN_HALVES, 0), np.minimum(ELEMENT_IN_HALVES, 0)]
    return [ELEMENT_IN_HALVES]


def block_terms(a: Blocks, w: Blocks) -> list[Term]:
    """The terms of every block pair, in the order in which the fp32 accumulator takes them.

    (+,+), (+,-), (-,+), (-,-) with the activation's sign first; pairs that share both scales are one term.
    The leading axes of `a` and `w` broadcast.
    """
    terms = []
    for a_side, a_elements in enumerate(side_elements(a.fmt)):
        for w_side, w_elements in enumerate(side_elements(w.fmt)):
            products = np.einsum(
                # float32 is exact: at most 128 products of at most 144 each.
                "...k,...k->...",
                _by_block(a_elements[a.codes], a.fmt.block_size),
                _by_block(w_elements[w.codes], w.fmt.block_size),
            )
            a_scale, w_scale = a.scales[..., a_side], w.scales[..., w_side]
            scale = a.fmt.scale.significands[a_scale] * w.fmt.scale.significands[w_scale]
            exponent = a.fmt.scale.exponents[a_scale] + w.fmt.scale.exponents[w_scale]
            terms.append(Term(products.astype(np.int64) * scale, exponent - 2))
    return terms


def nan_blocks(blocks: Blocks) -> NDArray[np.bool_]:
    """Which blocks have a NaN among their scales. (..., blocks)"""
    return np.any(blocks.scales > blocks.fmt.scale.max_code, axis=-1)


def _by_block(values: NDArray[np.float32], block_size: int) -> NDArray[np.float32]:
    return values.reshape(*values.shape[:-1], values.shape[-1] // block_size, block_size)
