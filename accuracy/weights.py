"""A BERT-like encoder's sizes and float32 parameters, read from its files."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
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
        UsageError: a model whose arithmetic is not the one `forward` has.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    expected = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in expected.items():
        if config.get(key) != value:
            raise UsageError(f"the model's {key} is {config.get(key)!r}; only {value!r} is known here")
    tensors = read_safetensors(folder / "model.safetensors")
    parameters = {name: tensor for name, tensor in tensors.items() if tensor.dtype == np.float32}
    return Encoder(
        config["num_attention_heads"], config["num_hidden_layers"], float(config["layer_norm_eps"]), parameters
    )
