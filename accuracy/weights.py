"""A BERT-like encoder's sizes and float32 parameters, read from its files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.files import check_shape, read_json, reading
from amxfp4.tensors import read_safetensors

LINEAR_KINDS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention output": "attention.output.dense",
    "feed-forward in": "intermediate.dense",
    "feed-forward out": "output.dense",
}
"""The linear layers of one encoder layer, and what the model's file calls them."""


class _Config(TypedDict):
    """What is read of a model's `config.json`."""

    num_attention_heads: Annotated[int, Meta(ge=1, le=1024)]
    num_hidden_layers: Annotated[int, Meta(ge=1, le=1024)]
    layer_norm_eps: float


@dataclass(frozen=True)
class Encoder:
    """A model, as the forward pass needs it.

    Attributes:
        heads: attention heads; the hidden size is a multiple of it.
        layers: encoder layers.
        epsilon: added to the variance in layer normalisation.
        parameters: float32 arrays by their names in the model's file. A linear layer's weight is (outputs, inputs).
    """

    heads: int
    layers: int
    epsilon: float
    parameters: dict[str, NDArray[np.float32]]

    def weight(self, layer: int, kind: str) -> NDArray[np.float32]:
        """The weight of one linear layer, (outputs, inputs)."""
        return self.parameters[f"encoder.layer.{layer}.{LINEAR_KINDS[kind]}.weight"]

    def bias(self, layer: int, kind: str) -> NDArray[np.float32]:
        """The bias of one linear layer, (outputs,)."""
        return self.parameters[f"encoder.layer.{layer}.{LINEAR_KINDS[kind]}.bias"]


def load_encoder(folder: Path) -> Encoder:
    """Reads the encoder in `folder`: `config.json` and `model.safetensors`, as Hugging Face's libraries write them.

    Raises:
        UsageError: a model whose arithmetic is not the one `forward` has, or files that are not those of a model.
    """
    path, needed = folder / "config.json", "a model's config.json"
    config = read_json(path, dict[str, Any], needed)
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in expected.items():
        if config.get(key) != value:
            raise UsageError(f"the model's {key} is {config.get(key)!r}; only {value!r} is known here")
    with reading(path, needed):
        check_shape(config, _Config)
    tensors = read_safetensors(folder / "model.safetensors")
    parameters = {name: tensor for name, tensor in tensors.items() if tensor.dtype == np.float32}
    encoder = Encoder(
        config["num_attention_heads"], config["num_hidden_layers"], float(config["layer_norm_eps"]), parameters
    )
    for name in _needed_parameters(encoder.layers):
        if name not in parameters:
            raise UsageError(f"{str(folder / 'model.safetensors')!r} has no float32 tensor {name!r}, which is needed")
    return encoder


def _needed_parameters(layers: int) -> list[str]:
    norms = ["attention.output.LayerNorm", "output.LayerNorm"]
    whole = [f"encoder.layer.{n}.{name}" for n in range(layers) for name in (*LINEAR_KINDS.values(), *norms)]
    words = [f"embeddings.{name}_embeddings.weight" for name in ("word", "position", "token_type")]
    return words + [f"{name}.{end}" for name in ("embeddings.LayerNorm", *whole) for end in ("weight", "bias")]
