"""The bounds on which exactness rests hold, and are no looser than they should be."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.fraction_oracle import formats, random_blocks

from amxfp4.golden import BlockFormat, Blocks, block_format, quantize
from amxfp4.golden.dense_matrix import Matrix
from amxfp4.golden.sides import side_codes, side_values

EACH_FORMAT = pytest.mark.parametrize("fmt", formats(8), ids=lambda fmt: fmt.name)


def units(fmt: BlockFormat) -> np.ndarray:
    """What turns elements as integers into values, NaN scales into zeros."""
    return np.nan_to_num(fmt.scale.values) * 2.0 ** (-2 if fmt.halving else -1)


def finite_values(blocks: Blocks) -> np.ndarray:
    """Values in which a NaN scale counts as 0, but the other scale of its block does not."""
    matrix = Matrix.from_blocks(blocks)
    return matrix.values(units(blocks.fmt), np.float64)


@EACH_FORMAT
def test_values(fmt: BlockFormat) -> None:
    blocks = random_blocks(np.random.default_rng(15), (70, 40), fmt, 0, fmt.scale.max_code + 1)
    matrix = Matrix.from_blocks(blocks)
    expected = blocks.dequantize(np.float64)
    np.testing.assert_array_equal(matrix.values(units(fmt), np.float64), expected)
    sides = matrix.side_values(units(fmt), np.float64)
    assert len(sides) == fmt.scales_per_block
    np.testing.assert_array_equal(sum(sides), expected)
    if fmt.asymmetric:
        assert (sides[0] >= 0).all()
        assert (sides[1] <= 0).all()


@EACH_FORMAT
def test_bounds_hold_for_any_codes(fmt: BlockFormat) -> None:
    rng = np.random.default_rng(16)
    for high in 256, 40, 3:
        blocks = random_blocks(rng, (60, 40), fmt, 0, high)
        codes = blocks.codes.copy()
        codes[::3, 8:] = 0
        codes[::5] = 0
        blocks = replace(blocks, codes=codes)
        values = np.abs(finite_values(blocks))
        bounds = Matrix.from_blocks(blocks).bounds()
        assert (values.max(axis=1) <= bounds.peak).all()
        assert (values.sum(axis=1) <= bounds.total).all()
        assert (np.modf(values / bounds.unit[:, None])[0] == 0).all()


@EACH_FORMAT
def test_bounds_of_quantised_values_are_tight(fmt: BlockFormat) -> None:
    """A scale without elements does not widen them."""
    x = np.random.default_rng(17).standard_normal((50, 64)).astype(np.float32)
    x[:, 8:16] = 0
    x[:, 16:24] = np.abs(x[:, 16:24])
    blocks = quantize(x, fmt, tensor_scale=1)
    bounds = Matrix.from_blocks(blocks).bounds()
    values = np.abs(blocks.dequantize(np.float64))
    assert (bounds.peak <= 2 * values.max(axis=1)).all()
    # Elements are integers of at most 12 * 15 units (24 * 15 with special values), times the spread of the scales.
    scales = side_values(fmt)[side_codes(blocks.scales, fmt)]
    used = np.where(scales > 0, scales, np.nan)
    assert (bounds.unit >= np.nanmin(used, axis=(1, 2)) / 32).all()


def test_rows_of_zeros_limit_nothing() -> None:
    blocks = quantize(np.zeros((2, 64), np.float32), block_format("AMXFP4-E8M0"))
    bounds = Matrix.from_blocks(blocks).bounds()
    assert (bounds.peak.tolist(), bounds.total.tolist()) == ([0, 0], [0, 0])
    assert bounds.unit.tolist() == [np.inf, np.inf]
