"""What dot products and matrix products refuse to multiply."""

from collections.abc import Callable

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, dot, dot_detailed, matmul, quantize
from amxfp4.golden.operands import in_blocks_of


@pytest.mark.parametrize("product", [matmul, dot, dot_detailed])
@pytest.mark.parametrize(
    "wrong, kind", [(np.zeros((2, 32), np.float32), "ndarray"), (None, "NoneType"), ([[1.0]], "list")]
)
def test_what_is_not_blocks_is_refused_in_one_sentence(product: Callable, wrong: object, kind: str) -> None:
    blocks = quantize(np.ones((2, 32), np.float32), "AMXFP4")
    for name, operands in (("w", (blocks, wrong)), ("a", (wrong, blocks))):
        with pytest.raises(UsageError, match=f"^{name} is of type {kind}; it must be Blocks, which quantize makes"):
            product(*operands)


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
@pytest.mark.parametrize("length", [64, 40, 65, 8, 1, 0])
def test_smaller_blocks_have_the_same_values(name: str, length: int) -> None:
    x = np.random.default_rng(6).standard_normal((3, length)).astype(np.float32)
    blocks = quantize(x, name, block_size=32)
    for size in 32, 16, 8:
        smaller = in_blocks_of(blocks, size)
        assert (smaller.fmt.block_size, smaller.shape, smaller.axis) == (size, blocks.shape, blocks.axis)
        np.testing.assert_array_equal(smaller.dequantize(np.float64), blocks.dequantize(np.float64))


@pytest.mark.parametrize("name", ["AMXFP4", "AMXFP4-Z8", "NVFP4"])
def test_operands_of_two_block_sizes(name: str) -> None:
    """Values decide with the exact accumulator; with fp32, terms are those of the smaller blocks."""
    rng = np.random.default_rng(7)
    a = quantize(rng.standard_normal((4, 80)).astype(np.float32), name, block_size=32, tensor_scale=1)
    w = quantize(rng.standard_normal((4, 80)).astype(np.float32), "MXFP4-E4M3/8")
    exact = (a.dequantize(np.float64)[:, None] * w.dequantize(np.float64)[None]).sum(axis=2).astype(np.float32)
    np.testing.assert_array_equal(matmul(a, w), exact)
    np.testing.assert_array_equal(matmul(w, a), exact.T)
    np.testing.assert_array_equal(dot(a, w), np.diagonal(exact))
    np.testing.assert_array_equal(dot_detailed(a, w).values, np.diagonal(exact))
    smaller = in_blocks_of(a, 8)
    for accumulate in (dot, matmul):
        np.testing.assert_array_equal(accumulate(a, w, "fp32"), accumulate(smaller, w, "fp32"))
