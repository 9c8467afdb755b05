"""What one way of quantising does to the operands of a product and to its result."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.metrics import sqnr, sqnr_from_sums
from amxfp4.accuracy.products import multiply_heads
from amxfp4.golden import Blocks

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """SQNR in dB; None where there is no such tensor.

    Attributes:
        activation: of the quantised left operand.
        weight: of the quantised right operand.
        output: of the product of both, by `golden.matmul`, to the float32 product of the originals.
    """

    activation: float
    weight: float | None = None
    output: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(
    case: Case, x: NDArray[Any], weight: NDArray[Any] | None = None, weight_blocks: Blocks | None = None
) -> Measure:
    """Of `x` (rows, K) alone, or with `weight` (columns, K); dtypes as `golden.quantize` takes them.

    `weight_blocks` is `weight` quantised, where the caller has that already.
    """
    left = case.quantize_activation(x)
    activation = sqnr(x, left.dequantize())
    if weight is None:
        return Measure(activation)
    right = case.quantize_weight(weight) if weight_blocks is None else weight_blocks
    exact = x.astype(np.float32, copy=False) @ weight.astype(np.float32, copy=False).T
    return Measure(activation, sqnr(weight, right.dequantize()), sqnr(exact, case.multiply(left, right)))


def measure_attention(case: Case, pairs: list[tuple[Array, Array]]) -> Measure:
    """Of the operands `a` (heads, M, K) and `b` (heads, N, K) of every sentence, and of each head's a @ b.T.

    Energies are added up over sentences before a ratio is taken.
    """
    energies = np.zeros((3, 2))
    for a, b in pairs:
        energies[0] += _signal_and_noise(a, case.quantize_activation(a).dequantize())
        energies[1] += _signal_and_noise(b, case.quantize_weight(b).dequantize())
        energies[2] += _signal_and_noise(a @ b.swapaxes(-1, -2), multiply_heads(case, a, b))
    return Measure(*(sqnr_from_sums(signal, noise) for signal, noise in energies))


def _signal_and_noise(exact: Array, approximate: Array) -> tuple[float, float]:
    wide = exact.astype(np.float64)
    return float(np.square(wide).sum()), float(np.square(wide - approximate).sum())
