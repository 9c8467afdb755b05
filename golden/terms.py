"""One block pair's contribution to a dot product, as exact integers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.element_tables import element_tables
from amxfp4.golden.formats import BlockFormat


class Term(NamedTuple):
    """The products of one sign pair, or of all pairs that share their scales, summed and scaled.

    The value is `significand * 2**exponent`. |significand| is below 2^24, so that it fits the significand of a float32.

    Attributes:
        significand: int64 (..., blocks); 0 where a scale is NaN.
        exponent: int64 (..., blocks).
    """

    significand: NDArray[np.int64]
    exponent: NDArray[np.int64]


def largest_significand(activation: BlockFormat, weight: BlockFormat) -> int:
    """No `Term.significand` of a block exceeds this magnitude: 4608 for MXFP4 on both sides in blocks of 32."""
    largest = activation.block_size
    for fmt in (activation, weight):
        largest *= int(np.ldexp(fmt.largest_element, -fmt.unit_exponent)) * int(fmt.scale.significands.max())
    return largest


def block_terms(a: Blocks, w: Blocks) -> list[Term]:
    """The terms of every block pair, in the order in which the fp32 accumulator takes them.

    The order is (+,+), (+,-), (-,+), (-,-), with the activation's sign first. Sign pairs that share both scales are
    one term. The other axes of `a` and `w` broadcast.
    """
    terms = []
    unit = a.fmt.unit_exponent + w.fmt.unit_exponent
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


def asymmetry_codes(blocks: Blocks) -> NDArray[np.uint8]:
    """The asymmetry code of each block, 0 in a format without. (..., blocks)"""
    if blocks.fmt.has_asymmetry_code:
        return blocks.scales[..., -1]
    return np.zeros(blocks.scales.shape[:-1], np.uint8)


def _integer_elements(blocks: Blocks) -> list[NDArray[np.float32]]:
    """For each free scale, the elements under it in units of `BlockFormat.unit_exponent`. (..., blocks, block size)"""
    codes = blocks.codes.reshape(*blocks.scales.shape[:-1], blocks.fmt.block_size)
    asymmetry = asymmetry_codes(blocks)[..., None]
    return [table[asymmetry, codes] for table in element_tables(blocks.fmt)]
