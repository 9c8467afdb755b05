"""Matrix products for the forward pass: quantised ones, and ones that record their operands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.forward import FloatProducts
from amxfp4.accuracy.way import Operand, Way, rows_of

Array = NDArray[np.float32]

ATTENTION_KINDS = ("query x key", "probability x value")

_STACKED_ROWS = 512
"""Rows of stacked heads in one product. More rows waste products of different heads; fewer rows waste calls."""


class QuantizedProducts:
    """Products of quantised operands, as the way gives them, in every linear layer, and on request in attention too.

    In both attention products the left operand has the format of activations, and the right one that of weights. Each
    is quantised along the axis that is summed over: a head's size, or the tokens of the sentence.

    Args:
        case: the way of quantising.
        weights: the quantised weights by layer and kind, which several runs can share.
        attention: whether attention's products are quantised too.
    """

    def __init__(self, case: Way, weights: dict[tuple[int, str], Operand], *, attention: bool) -> None:
        self._case = case
        self._weights = weights
        self._attention = attention
        self._last: tuple[Array, Operand] | None = None

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """See `forward.Products`."""
        # Query, key and value take the same array, so it is quantised once.
        if self._last is None or self._last[0] is not x:
            self._last = (x, self._case.quantize_activation(x))
        return self._case.multiply(self._last[1], self._weights[layer, kind])

    def attention(self, layer: int, kind: str, pairs: Sequence[tuple[Array, Array]]) -> list[Array]:
        """See `forward.Products`."""
        if not self._attention:
            return FloatProducts().attention(layer, kind, pairs)
        left, right = ([pair[operand] for pair in pairs] for operand in (0, 1))
        quantised = self._case.quantize_activation(stack_heads(left)), self._case.quantize_weight(stack_heads(right))
        return multiply_heads(self._case, *quantised, [(len(a), a.shape[1], b.shape[1]) for a, b in pairs])


def stack_heads(operands: Sequence[Array]) -> Array:
    """The rows of all heads of all sentences, (heads, rows, K) each, one below another: (all rows, largest K).

    A row with fewer elements ends in zeros. These add nothing to a dot product, and blocks stay where they are.
    """
    length = max(x.shape[2] for x in operands)
    stacked = np.zeros((sum(len(x) * x.shape[1] for x in operands), length), np.float32)
    start = 0
    for x in operands:
        rows = x.reshape(-1, x.shape[2])
        stacked[start : start + len(rows), : x.shape[2]] = rows
        start += len(rows)
    return stacked


def multiply_heads(case: Way, a: Operand, b: Operand, shapes: Sequence[tuple[int, int, int]]) -> list[Array]:
    """Multiplies quantised `a` with the transpose of quantised `b`, head by head.

    `matmul` takes two axes, and one call costs more than the few sums of one head of a short sentence. So many heads go
    into one call, which multiplies all with all. Only the products of a head with itself are kept.

    Args:
        case: how to multiply.
        a, b: what `stack_heads` returned, quantised.
        shapes: heads, M and N of each sentence.

    Returns:
        For each sentence (heads, M, N).
    """
    sizes = [(m, n) for heads, m, n in shapes for _ in range(heads)]
    products: list[Array] = []
    a_start = b_start = 0
    while len(products) < len(sizes):
        together = _as_many_as_fit(sizes[len(products) :])
        a_ends, b_ends = (np.cumsum(side).tolist() for side in zip(*together, strict=True))
        product = case.multiply(
            rows_of(a, slice(a_start, a_start + a_ends[-1])), rows_of(b, slice(b_start, b_start + b_ends[-1]))
        )
        for (m, n), a_end, b_end in zip(together, a_ends, b_ends, strict=True):
            products.append(product[a_end - m : a_end, b_end - n : b_end])
        a_start, b_start = a_start + a_ends[-1], b_start + b_ends[-1]
    ends = np.cumsum([heads for heads, _, _ in shapes]).tolist()
    return [np.stack(products[end - heads : end]) for (heads, _, _), end in zip(shapes, ends, strict=True)]


def _as_many_as_fit(sizes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The first of `sizes`, at least one, that together have at most `_STACKED_ROWS` rows on either side."""
    totals = np.cumsum(sizes[:_STACKED_ROWS], axis=0).max(axis=1)
    return sizes[: max(1, int(np.searchsorted(totals, _STACKED_ROWS, side="right")))]


@dataclass
class RecordingProducts(FloatProducts):
    """float32 products that keep their activations.

    Attributes:
        inputs: the input (rows, inputs) of each linear layer, by layer and kind.
        pairs: both operands of every sentence for each attention product, by layer and kind.
    """

    inputs: dict[tuple[int, str], Array] = field(default_factory=dict)
    pairs: dict[tuple[int, str], list[tuple[Array, Array]]] = field(default_factory=dict)

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """See `forward.Products`."""
        self.inputs[layer, kind] = x
        return super().linear(layer, kind, x, weight)

    def attention(self, layer: int, kind: str, pairs: Sequence[tuple[Array, Array]]) -> list[Array]:
        """See `forward.Products`."""
        self.pairs[layer, kind] = list(pairs)
        return super().attention(layer, kind, pairs)
