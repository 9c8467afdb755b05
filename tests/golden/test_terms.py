"""Terms against the sum of their products in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from helpers.fraction_oracle import Dot, formats, random_blocks

from amxfp4.golden import BlockFormat, Blocks
from amxfp4.golden.terms import block_terms, nan_blocks


def part(blocks: Blocks, row: int) -> Blocks:
    return Blocks.from_codes(codes=blocks.codes[row], scales=blocks.scales[row], fmt=blocks.fmt)


@pytest.mark.parametrize(("a_fmt", "w_fmt"), list(product(formats(8), repeat=2)), ids=lambda fmt: fmt.name)
def test_values_and_order(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    rng = np.random.default_rng(7)
    a, w = random_blocks(rng, (3, 16), a_fmt), random_blocks(rng, (3, 16), w_fmt)
    terms = block_terms(a, w)
    assert len(terms) == a_fmt.scales_per_block * w_fmt.scales_per_block
    nan = nan_blocks(a) | nan_blocks(w)
    for row, block in np.ndindex(3, 2):
        if nan[row, block]:
            continue
        found = [
            Fraction(int(significand[row, block])) * Fraction(2) ** int(exponent[row, block])
            for significand, exponent in terms
        ]
        assert found == Dot(part(a, row), part(w, row)).terms(block)


def largest_block(fmt: BlockFormat) -> Blocks:
    """Equal sides, if they could be halved: in units of the halved scale, elements are larger than when they are."""
    scales = np.zeros((1, 1, fmt.scale_fields), np.uint8)
    scales[..., : fmt.scales_per_block] = fmt.scale.significands.argmax()
    return Blocks.from_codes(codes=np.full((1, 128), 7, np.uint8), scales=scales, fmt=fmt)


def test_the_largest_term_fits_a_float32_significand() -> None:
    for a_fmt, w_fmt in product(formats(128), repeat=2):
        operands = [largest_block(fmt) for fmt in (a_fmt, w_fmt)]
        assert block_terms(*operands)[0].significand.max() < 1 << 24


def test_nan_blocks() -> None:
    for fmt in formats(8):
        scales = np.zeros((1 << fmt.scale.bits, 1, fmt.scale_fields), np.uint8)
        scales[:, 0, fmt.scales_per_block - 1] = np.arange(1 << fmt.scale.bits)
        blocks = Blocks.from_codes(codes=np.zeros((len(scales), 8), np.uint8), scales=scales, fmt=fmt)
        assert np.flatnonzero(nan_blocks(blocks)[:, 0]).tolist() == list(fmt.scale.nan_codes)
