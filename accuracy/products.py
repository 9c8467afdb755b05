"""Matrix products for the forward pass: quantised ones, and ones that note what they are given."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.forward import FloatProducts
from amxfp4.golden import Blocks

Array = NDArray[np.float32]

ATTENTION_KINDS = ("query x key", "probability x value")

_STACKED_ROWS = 256
"""Rows of stacked heads in one product. More waste more on products of different heads, fewer more on calls."""


class QuantizedProducts:
    """Products of quantised operands by `golden.matmul`: in every linear layer, and if wanted in attention too.

    The formats of activations apply to the left operand of both attention products, those of weights to the right one.
    Each is quantised along what is summed over: a head's size, or the tokens of the sentence.
    """

    def __init__(self, case: Case, weights: dict[tuple[int, str], Blocks], *, attention: bool) -> None:
        """`weights` holds the quantised weights by layer and kind, so that several runs can share them."""
        self._case = case
        self._weights = weights
        self._attention = attention

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """See `forward.Products`."""
        return self._case.multiply(self._case.quantize_activation(x), self._weights[layer, kind])

    def attention(self, layer: int, kind: str, a: Array, b: Array) -> Array:
        """See `forward.Products`."""
        if not self._attention:
            return FloatProducts().attention(layer, kind, a, b)
        return multiply_heads(self._case, a, b)


def multiply_heads(case: Case, a: Array, b: Array) -> Array:
    """Quantised `a` (heads, M, K) times the transpose of quantised `b` (heads, N, K), head by head: (heads, M, N).

    `matmul` takes two axes, and a call costs more than the few sums of one head of a short sentence. So heads are
    stacked, and of the product of all with all only those of a head with itself are kept.
    """
    together = max(1, _STACKED_ROWS // max(a.shape[1], b.shape[1]))
    starts = range(0, len(a), together)
    return np.concatenate([_multiply_stacked(case, a[i : i + together], b[i : i + together]) for i in starts])


def _multiply_stacked(case: Case, a: Array, b: Array) -> Array:
    heads, rows, length = a.shape
    columns = b.shape[1]
    left = case.quantize_activation(a.reshape(heads * rows, length))
    right = case.quantize_weight(b.reshape(heads * columns, length))
    product = case.multiply(left, right).reshape(heads, rows, heads, columns)
    same = np.arange(heads)
    return product[same, :, same, :]


@dataclass
class RecordingProducts(FloatProducts):
    """float32 products that keep the activations.

    Attributes:
        inputs: for each linear layer, by layer and kind, its input (rows, inputs).
        pairs: for each attention product, by layer and kind, both operands of every sentence.
    """

    inputs: dict[tuple[int, str], Array] = field(default_factory=dict)
    pairs: dict[tuple[int, str], list[tuple[Array, Array]]] = field(default_factory=dict)

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """See `forward.Products`."""
        self.inputs[layer, kind] = x
        return super().linear(layer, kind, x, weight)

    def attention(self, layer: int, kind: str, a: Array, b: Array) -> Array:
        """See `forward.Products`."""
        self.pairs.setdefault((layer, kind), []).append((a, b))
        return super().attention(layer, kind, a, b)
