"""What the model's tensors are like, whatever the format: lopsided blocks, tiny sides, two examples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS, Baseline
from amxfp4.accuracy.lopsided import sides_of, to_blocks
from amxfp4.accuracy.metrics import paraphrases_found
from amxfp4.accuracy.package import REQUIREMENT
from amxfp4.accuracy.published import published_difference
from amxfp4.accuracy.reference import reference_values
from amxfp4.accuracy.underflow import underflow_of
from amxfp4.accuracy.weights import LINEAR_KINDS
from amxfp4.golden import BLOCK_FORMAT_NAMES, Rounding, block_format, quantize
from amxfp4.golden.cast import side_maxima

Array = NDArray[np.float32]

ROUNDING: Rounding = "nearest-away"
"""The published code's default. Rounding decides only in a tie whether a side's scale underflows."""

EXAMPLE_SIZE = 32


def facts(baseline: Baseline, block_sizes: tuple[int, ...]) -> dict[str, Any]:
    """Every figure that does not depend on a way of quantising, as JSON's types."""
    return {
        "model": REQUIREMENT,
        "sentences": len(baseline.tokens),
        "tokens": sum(map(len, baseline.tokens)),
        "sentences_with_a_paraphrase": sum(baseline.groups.count(group) > 1 for group in baseline.groups),
        "published_difference": published_difference(baseline.texts, baseline.embeddings),
        "float32_paraphrases_found": paraphrases_found(baseline.embeddings, baseline.groups),
        "sides": {str(size): _sides(baseline, size) for size in block_sizes},
        "underflow": {str(size): _underflow(baseline, size) for size in block_sizes},
        "sentences_with_reference_nan": {str(size): _sentences_with_nan(baseline, size) for size in block_sizes},
        "largest_feature": _largest_feature(baseline),
        "example_blocks": _examples(baseline),
    }


def _activation_blocks(baseline: Baseline, name: str, layer: int, size: int) -> Array:
    return np.concatenate([to_blocks(x, size) for x in baseline.activations(name, layer)])


def _sides(baseline: Baseline, size: int) -> dict[str, Any]:
    """The lopsidedness of each tensor, over all layers together."""
    layers = range(baseline.encoder.layers)
    blocks = {
        name: np.concatenate([_activation_blocks(baseline, name, layer, size) for layer in layers])
        for name in (*LINEAR_INPUTS, *ATTENTION_OPERANDS)
    }
    for name, kind in WEIGHTS.items():
        blocks[name] = np.concatenate([to_blocks(baseline.encoder.weight(layer, kind), size) for layer in layers])
    return {name: sides_of(of_tensor).to_dict() for name, of_tensor in blocks.items()}


def _underflow(baseline: Baseline, size: int) -> dict[str, Any]:
    """The underflow in each activation, a list over layers."""
    return {
        name: [
            underflow_of(_activation_blocks(baseline, name, layer, size), ROUNDING).to_dict()
            for layer in range(baseline.encoder.layers)
        ]
        for name in (*LINEAR_INPUTS, *ATTENTION_OPERANDS)
    }


def _sentences_with_nan(baseline: Baseline, size: int) -> dict[str, int]:
    """How many sentences have a NaN somewhere in the published arithmetic. The NaN then reaches the embedding."""
    linear = _nan_in(baseline, tuple(LINEAR_INPUTS), size)
    attention = _nan_in(baseline, tuple(ATTENTION_OPERANDS), size)
    return {"linear": int(linear.sum()), "linear and attention": int((linear | attention).sum())}


def _nan_in(baseline: Baseline, names: tuple[str, ...], size: int) -> NDArray[np.bool_]:
    found = np.zeros(len(baseline.tokens), np.bool_)
    for name in names:
        for layer in range(baseline.encoder.layers):
            for index, x in enumerate(baseline.activations(name, layer)):
                found[index] = found[index] or _has_nan(to_blocks(x, size))
    return found


def _has_nan(blocks: Array) -> bool:
    """Whether the published arithmetic gives a NaN. Only blocks with a side small enough to underflow are computed."""
    positive, negative = side_maxima(blocks).T
    least = 6 * block_format("AMXFP4-E5M2").scale.values[1]
    small = ((positive > 0) & (positive < least)) | ((negative > 0) & (negative < least))
    return bool(small.any() and np.isnan(reference_values(blocks[small], ROUNDING)).any())


def _largest_feature(baseline: Baseline) -> dict[str, list[float]]:
    """What one input feature does to the outputs: for each kind of linear layer, a list over layers.

    The figure is the energy of a feature's products over the energy of the outputs, for the feature where it is
    largest.
    """

    def share(layer: int, kind: str) -> float:
        x, weight = (
            tensor.astype(np.float64)
            for tensor in (baseline.linear_sample(layer, kind), baseline.encoder.weight(layer, kind))
        )
        of_features = np.square(x).sum(axis=0) * np.square(weight).sum(axis=0)
        return float(of_features.max() / np.square(x @ weight.T).sum())

    return {kind: [share(layer, kind) for layer in range(baseline.encoder.layers)] for kind in LINEAR_KINDS}


def _examples(baseline: Baseline) -> list[dict[str, Any]]:
    """A block with both signs and middling lopsidedness from each of two activations of the first layer."""
    return [
        _example(name, _activation_blocks(baseline, name, 0, EXAMPLE_SIZE))
        for name in ("input of feed-forward in", "input of feed-forward out")
    ]


def _example(name: str, blocks: Array) -> dict[str, Any]:
    positive, negative = side_maxima(blocks).T
    both = np.flatnonzero((positive > 0) & (negative > 0))
    lopsided = np.abs(np.log2(positive[both] / negative[both]))
    block = blocks[both[np.argsort(lopsided, kind="stable")[len(both) // 2]]]
    after = {
        fmt: quantize(block, block_format(fmt, EXAMPLE_SIZE), rounding=ROUNDING).dequantize().tolist()
        for fmt in BLOCK_FORMAT_NAMES
    }
    return {"tensor": name, "layer": 0, "before": block.tolist(), "after": after}
