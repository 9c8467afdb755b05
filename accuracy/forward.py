"""The forward pass of a BERT-like encoder in NumPy, whose matrix products can be replaced.

Sentences lie one after another without padding. What works on rows works on all sentences at once; attention works
within each sentence.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.functions import gelu, layer_norm, softmax
from amxfp4.accuracy.weights import Encoder

Array = NDArray[np.float32]


class Products(Protocol):
    """The matrix products of the forward pass. `layer` and `kind` say which product it is."""

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """`x` (rows, inputs) times the transpose of `weight` (outputs, inputs): (rows, outputs)."""
        ...

    def attention(self, layer: int, kind: str, pairs: Sequence[tuple[Array, Array]]) -> list[Array]:
        """For every head of each sentence, `a` (heads, M, K) times the transpose of `b` (heads, N, K): (heads, M, N).

        `pairs` has `a` and `b` of each sentence. M, N and K may differ between sentences.
        """
        ...


class FloatProducts:
    """NumPy's own float32 products: the model as published."""

    def linear(self, layer: int, kind: str, x: Array, weight: Array) -> Array:
        """See `Products`."""
        return x @ weight.T

    def attention(self, layer: int, kind: str, pairs: Sequence[tuple[Array, Array]]) -> list[Array]:
        """See `Products`."""
        return [a @ b.swapaxes(-1, -2) for a, b in pairs]


def encode(encoder: Encoder, tokens: Sequence[Sequence[int]], products: Products) -> tuple[list[Array], Array]:
    """Runs the encoder over sentences.

    Args:
        encoder: sizes and parameters.
        tokens: token numbers of each sentence, with the tokens that mark its ends, without padding.
        products: what multiplies matrices.

    Returns:
        The hidden states after each layer, (all tokens, hidden size), and the sentence embeddings, (sentences, hidden
        size): the mean over a sentence's tokens, scaled to length 1.
    """
    ends = np.cumsum([len(sentence) for sentence in tokens])
    starts = np.concatenate([[0], ends[:-1]])
    spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
    hidden = _embed(encoder, tokens)
    states = []
    for layer in range(encoder.layers):
        hidden = _layer(encoder, layer, hidden, spans, products)
        states.append(hidden)
    means = np.stack([hidden[span].mean(axis=0) for span in spans])
    return states, means / np.linalg.norm(means, axis=1, keepdims=True)


def _embed(encoder: Encoder, tokens: Sequence[Sequence[int]]) -> Array:
    parameters = encoder.parameters
    words = parameters["embeddings.word_embeddings.weight"]
    positions = parameters["embeddings.position_embeddings.weight"]
    first_type = parameters["embeddings.token_type_embeddings.weight"][0]
    rows = [words[np.asarray(sentence)] + positions[: len(sentence)] for sentence in tokens]
    return _normalise(encoder, "embeddings.LayerNorm", np.concatenate(rows) + first_type)


def _layer(encoder: Encoder, layer: int, hidden: Array, spans: list[slice], products: Products) -> Array:
    def linear(kind: str, x: Array) -> Array:
        return products.linear(layer, kind, x, encoder.weight(layer, kind)) + encoder.bias(layer, kind)

    name = f"encoder.layer.{layer}"
    attended = _attend(encoder, layer, [linear(kind, hidden) for kind in ("query", "key", "value")], spans, products)
    hidden = _normalise(encoder, f"{name}.attention.output.LayerNorm", hidden + linear("attention output", attended))
    inner = gelu(linear("feed-forward in", hidden))
    return _normalise(encoder, f"{name}.output.LayerNorm", hidden + linear("feed-forward out", inner))


def _attend(encoder: Encoder, layer: int, projected: list[Array], spans: list[slice], products: Products) -> Array:
    """Self-attention within each sentence. Query, key, value and the result are (all tokens, hidden size)."""
    query, key, value = ([_split_heads(x[span], encoder.heads) for span in spans] for x in projected)
    scores = products.attention(layer, "query x key", list(zip(query, key, strict=True)))
    root = np.float32(sqrt(query[0].shape[-1]))
    weighted = [(softmax(of_sentence / root), v.swapaxes(-1, -2)) for of_sentence, v in zip(scores, value, strict=True)]
    mixed = products.attention(layer, "probability x value", weighted)
    return np.concatenate([heads.swapaxes(0, 1).reshape(heads.shape[1], -1) for heads in mixed])


def _split_heads(x: Array, heads: int) -> Array:
    """Turns (tokens, hidden size) into (heads, tokens, head size)."""
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)


def _normalise(encoder: Encoder, name: str, x: Array) -> Array:
    parameters = encoder.parameters
    return layer_norm(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"], encoder.epsilon)
