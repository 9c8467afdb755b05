"""What one way of quantising does to the operands of a product and to its result."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.forward import FloatProducts
from amxfp4.accuracy.products import multiply_heads, stack_heads
from amxfp4.golden import Blocks, sqnr

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """SQNR in dB of the tensors of a product, or None where there is no such tensor.

    Attributes:
        activation: SQNR of the quantised left operand.
        weight: SQNR of the quantised right operand.
        output: SQNR of their product by `golden.matmul`, against the float32 product of the originals.
    """

    activation: float
    weight: float | None = None
    output: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_linear(
    case: Case, x: NDArray[Any], weight: NDArray[Any] | None = None, weight_blocks: Blocks | None = None
) -> Measure:
    """Measures a linear layer's input alone, or the layer's product.

    Args:
        case: the way of quantising.
        x: the input (rows, K), of a dtype that `golden.quantize` takes.
        weight: the weights (columns, K) likewise, or None to measure `x` alone.
        weight_blocks: `weight` quantised, if the caller has it.
    """
    left = case.quantize_activation(x)
    activation = sqnr(x, left.dequantize())
    if weight is None:
        return Measure(activation)
    right = case.quantize_weight(weight) if weight_blocks is None else weight_blocks
    exact = x.astype(np.float32, copy=False) @ weight.astype(np.float32, copy=False).T
    return Measure(activation, sqnr(weight, right.dequantize()), sqnr(exact, case.multiply(left, right)))


def measure_attention(case: Case, pairs: list[tuple[Array, Array]]) -> Measure:
    """Measures an attention product: one ratio over all heads of all sentences together.

    Args:
        case: the way of quantising.
        pairs: for each sentence the operands `a` (heads, M, K) and `b` (heads, N, K), whose product is a @ b.T per
            head.
    """
    a, b = (stack_heads([pair[operand] for pair in pairs]) for operand in (0, 1))
    left, right = case.quantize_activation(a), case.quantize_weight(b)
    exact = FloatProducts().attention(0, "", pairs)
    quantised = multiply_heads(case, left, right, [(len(x), x.shape[1], y.shape[1]) for x, y in pairs])
    flat = (np.concatenate([product.ravel() for product in products]) for products in (exact, quantised))
    return Measure(sqnr(a, left.dequantize()), sqnr(b, right.dequantize()), sqnr(*flat))
