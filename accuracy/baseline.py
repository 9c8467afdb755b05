"""The float32 model over the sentences, and every tensor that a quantised model would cast."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.forward import encode
from amxfp4.accuracy.products import RecordingProducts
from amxfp4.accuracy.sentences import read_sentences, tokenize
from amxfp4.accuracy.weights import LINEAR_KINDS, Encoder, load_encoder

Array = NDArray[np.float32]

LINEAR_INPUTS = {
    "input of query, key, value": "query",
    "input of attention output": "attention output",
    "input of feed-forward in": "feed-forward in",
    "input of feed-forward out": "feed-forward out",
}
"""The activations that linear layers take: name to a kind of layer that takes it."""

ATTENTION_OPERANDS = {
    "query": ("query x key", 0),
    "key": ("query x key", 1),
    "probability": ("probability x value", 0),
    "value": ("probability x value", 1),
}
"""The activations that attention products take: name to the product and the operand's number in it."""

WEIGHTS = {f"weight of {kind}": kind for kind in LINEAR_KINDS}

LOCAL_SHARE = 4
"""Products are measured by themselves on one token in four, or one sentence in four."""

_QUICK_SHARE = 5
"""A quick run takes every fifth group of sentences."""


@dataclass(frozen=True)
class Baseline:
    """The model in float32, and what comes out of it.

    Attributes:
        encoder: the model.
        texts: the sentences.
        tokens: the sentences' token numbers.
        groups: a number for each sentence, which paraphrases share.
        products: every operand of every product.
        states: the hidden states after each layer, (tokens, hidden size).
        embeddings: the sentences' embeddings, (sentences, hidden size).
    """

    encoder: Encoder
    texts: tuple[str, ...]
    tokens: list[list[int]]
    groups: tuple[int, ...]
    products: RecordingProducts
    states: list[Array]
    embeddings: Array

    @classmethod
    def run(cls, folder: Path, *, quick: bool) -> "Baseline":
        """Runs the model in `folder` over all sentences, or, if `quick`, over a fifth of them."""
        sentences = read_sentences()
        chosen = [i for i, group in enumerate(sentences.groups) if not quick or group % _QUICK_SHARE == 0]
        texts = tuple(sentences.texts[i] for i in chosen)
        groups = tuple(sentences.groups[i] for i in chosen)
        return cls.of(load_encoder(folder), texts, tokenize(folder, texts), groups)

    @classmethod
    def of(
        cls, encoder: Encoder, texts: tuple[str, ...], tokens: list[list[int]], groups: tuple[int, ...]
    ) -> "Baseline":
        """Runs `encoder` over sentences. Arguments are named as the attributes are."""
        products = RecordingProducts()
        states, embeddings = encode(encoder, tokens, products)
        return cls(encoder, texts, tokens, groups, products, states, embeddings)

    def linear_sample(self, layer: int, kind: str) -> Array:
        """Every fourth row of a linear layer's input."""
        return self.products.inputs[layer, kind][::LOCAL_SHARE]

    def attention_sample(self, layer: int, kind: str) -> list[tuple[Array, Array]]:
        """Both operands of an attention product, for every fourth sentence."""
        return self.products.pairs[layer, kind][::LOCAL_SHARE]

    def activations(self, name: str, layer: int) -> list[Array]:
        """One of `LINEAR_INPUTS` or `ATTENTION_OPERANDS`, by sentence. Products sum along the last axis."""
        if name in LINEAR_INPUTS:
            ends = np.cumsum([len(sentence) for sentence in self.tokens])
            return np.split(self.products.inputs[layer, LINEAR_INPUTS[name]], ends[:-1])
        product, operand = ATTENTION_OPERANDS[name]
        return [pair[operand] for pair in self.products.pairs[layer, product]]
