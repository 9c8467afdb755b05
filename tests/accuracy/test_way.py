"""Quantised tensors of either kind."""

import numpy as np
import pytest

from amxfp4.accuracy.way import rows_of, values_of
from amxfp4.golden import matmul, quantize

X = np.random.default_rng(1).standard_normal((6, 40)).astype(np.float32) * 3


@pytest.mark.parametrize("name", ["NVFP4", "AMXFP4-X2", "AMXFP4-E5M2"])
def test_rows_of_blocks_are_rows_of_their_product(name: str) -> None:
    blocks, other = quantize(X, name), quantize(X[:2], name)
    part = rows_of(blocks, slice(1, 4))
    assert part.shape == (3, 40)
    np.testing.assert_array_equal(matmul(part, other), matmul(blocks, other)[1:4])
    np.testing.assert_array_equal(values_of(part), values_of(blocks)[1:4])
    np.testing.assert_array_equal(values_of(blocks), blocks.dequantize())


def test_an_array_is_its_own_values() -> None:
    assert values_of(X) is X
    np.testing.assert_array_equal(rows_of(X, slice(1, 4)), X[1:4])
