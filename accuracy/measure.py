"""What one way of quantising does to the operands of a product and to its result."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.forward import FloatProducts
from amxfp4.accuracy.int4 import Int4
from amxfp4.accuracy.products import multiply_heads, stack_heads
from amxfp4.accuracy.way import Operand, values_of
from amxfp4.errors import UsageError, shown
from amxfp4.golden import sqnr
from amxfp4.golden.arguments import as_array, check_type

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """SQNR in dB of the tensors of a product, or None where there is no such tensor.

    Attributes:
        activation: SQNR of the quantised left operand.
        weight: SQNR of the quantised right operand.
        output: SQNR of their product as `case.multiply` gives it, against the float32 product of the originals.
    """

    activation: float
    weight: float | None = None
    output: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure_linear(
    case: Case | Int4, x: NDArray[Any], weight: NDArray[Any] | None = None, weight_blocks: Operand | None = None
) -> Measure:
    """Measures a linear layer's input alone, or the layer's product.

    Args:
        case: the way of quantising.
        x: the input (rows, K), of a dtype that `golden.quantize` takes.
        weight: the weights (columns, K) likewise, or None to measure `x` alone.
        weight_blocks: `weight` quantised, if the caller has it.

    Raises:
        UsageError: tensors that cannot be quantised or multiplied.
    """
    _check_way(case)
    x = as_array("x", x)
    left: Operand = case.quantize_activation(x)
    activation = sqnr(case.turned(x), values_of(left))
    if weight is None:
        return Measure(activation)
    weight = as_array("weight", weight)
    right: Operand = case.quantize_weight(weight) if weight_blocks is None else weight_blocks
    product = case.multiply(left, right)  # refuses operands that do not fit each other
    exact = x.astype(np.float32, copy=False) @ weight.astype(np.float32, copy=False).T
    return Measure(activation, sqnr(case.turned(weight), values_of(right)), sqnr(exact, product))


def measure_attention(case: Case | Int4, pairs: list[tuple[Array, Array]]) -> Measure:
    """Measures an attention product: one ratio over all heads of all sentences together.

    Args:
        case: the way of quantising.
        pairs: for each sentence the operands `a` (heads, M, K) and `b` (heads, N, K), whose product is a @ b.T per
            head.

    Raises:
        UsageError: no pairs, or other ones.
    """
    _check_way(case)
    _check_pairs(pairs)
    a, b = (stack_heads([pair[operand] for pair in pairs]) for operand in (0, 1))
    left, right = case.quantize_activation(a), case.quantize_weight(b)
    exact = FloatProducts().attention(0, "", pairs)
    quantised = multiply_heads(case, left, right, [(len(x), x.shape[1], y.shape[1]) for x, y in pairs])
    flat = (np.concatenate([product.ravel() for product in products]) for products in (exact, quantised))
    return Measure(sqnr(case.turned(a), values_of(left)), sqnr(case.turned(b), values_of(right)), sqnr(*flat))


def _check_way(case: object) -> None:
    if not isinstance(case, Int4):
        check_type(Case, case=case)


def _check_pairs(pairs: list[tuple[Array, Array]]) -> None:
    needed = "float32 arrays (heads, M, K) and (heads, N, K), none empty, are needed"
    if not isinstance(pairs, list) or not pairs:
        raise UsageError(f"pairs is {shown(pairs)}; a list of pairs of {needed}")
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise UsageError(f"one of the pairs is {shown(pair)}; two {needed}")
        a, b = (as_array("an operand", operand) for operand in pair)
        fit = a.ndim == b.ndim == 3 and (len(a), a.shape[2]) == (len(b), b.shape[2])
        if not fit or not a.size or not b.size or not a.dtype == b.dtype == np.float32:
            raise UsageError(f"one of the pairs has {a.dtype} {a.shape} and {b.dtype} {b.shape}; two {needed}")
