"""A linear layer's tensors: from files, or drawn so that they look like a real one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import INPUT_DTYPES
from amxfp4.tensors import read_tensor

SYNTHETIC_SHAPE = (64, 1536, 384)
"""Tokens, inputs and outputs of the synthetic layer: those of a small transformer's second feed-forward layer."""


@dataclass(frozen=True)
class Layer:
    """A linear layer without bias: result = activations @ weights.T.

    Attributes:
        what: the layer in words, for reports.
        activations: (M, K), float32, float16 or bfloat16.
        weights: (N, K), of one of these dtypes too.
    """

    what: str
    activations: NDArray[Any]
    weights: NDArray[Any]

    @property
    def outputs(self) -> int:
        """Outputs of the whole layer, M x N."""
        return len(self.activations) * len(self.weights)

    def first(self, outputs: int) -> "Layer":
        """A part of the layer with at most `outputs` outputs: whole leading tokens, or a part of the first token."""
        if outputs >= self.outputs:
            return self
        tokens = max(1, outputs // len(self.weights))
        features = len(self.weights) if outputs >= len(self.weights) else outputs
        return Layer(self.what, self.activations[:tokens], self.weights[:features])

    @property
    def not_finite(self) -> dict[str, int]:
        """How many activations and weights are NaN or infinite."""
        tensors = {"activations": self.activations, "weights": self.weights}
        return {name: int(np.count_nonzero(~np.isfinite(tensor))) for name, tensor in tensors.items()}

    @np.errstate(all="ignore")  # an operand may be NaN or infinite, and a sum may overflow
    def in_float32(self) -> NDArray[np.float32]:
        """The result (M, N) of a float32 layer."""
        result: NDArray[np.float32] = self.activations.astype(np.float32) @ self.weights.astype(np.float32).T
        return result


def layer_from_files(activations: str, weights: str) -> Layer:
    """A layer from two tensors in files.

    Args:
        activations: a tensor as `read_tensor` takes it. Its last axis is the inputs; all others count as tokens.
        weights: a tensor likewise, (outputs, inputs).

    Raises:
        UsageError: a file is missing or of another kind, a key is missing, or a dtype or shape is wrong.
    """
    x, w = (
        _checked(name, where, read_tensor(where))
        for name, where in (("activations", activations), ("weights", weights))
    )
    if w.ndim != 2:
        raise UsageError(f"weights {weights!r} have shape {w.shape}; two axes, (outputs, inputs), are needed")
    if x.shape[-1] != w.shape[-1]:
        raise UsageError(
            f"activations have shape {x.shape} and weights {w.shape}; their last axes, the inputs, must be equal"
        )
    x = x.reshape(-1, x.shape[-1])
    return Layer(f"{activations} and {weights}", x, w)


def _checked(name: str, where: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.name not in INPUT_DTYPES:
        raise UsageError(f"{name} {where!r} are {array.dtype}; {', '.join(INPUT_DTYPES)} are allowed")
    if array.ndim < 2 or not array.size:
        raise UsageError(f"{name} {where!r} have shape {array.shape}; two axes or more, none empty, are needed")
    return array


@in_own_settings
def synthetic_layer(seed: int) -> Layer:
    """A layer that looks like the second feed-forward layer of a transformer.

    Activations are outputs of GELU: none is below -0.17, most are small, and a long tail reaches far above zero.
    Channels differ in spread, and one channel in a hundred is an outlier, twenty times as large. Weights are
    heavy-tailed, and their rows differ in scale.
    """
    rng = np.random.default_rng(seed)
    tokens, inputs, outputs = SYNTHETIC_SHAPE
    spread = np.exp(rng.normal(0, 0.4, inputs))
    spread[rng.random(inputs) < 0.01] *= 20
    before = rng.normal(-0.6, 1, (tokens, inputs)) * spread
    gelu = 0.5 * before * (1 + np.tanh(np.sqrt(2 / np.pi) * (before + 0.044715 * before**3)))
    weights = rng.standard_t(6, (outputs, inputs)) * 0.03 * np.exp(rng.normal(0, 0.3, (outputs, 1)))
    return Layer(f"synthetic layer, seed {seed}", gelu.astype(np.float32), weights.astype(np.float32))
