"""A whole linear layer through the simulated RTL."""

from amxfp4.sim.layer.layer import Layer, layer_from_files, synthetic_layer
from amxfp4.sim.layer.run import LayerResult, run_layer

__all__ = ["Layer", "LayerResult", "layer_from_files", "run_layer", "synthetic_layer"]


def __dir__() -> list[str]:
    return sorted(__all__)
