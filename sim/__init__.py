"""The simulated RTL against the golden model: benches on every unit, whole layers, and faults that must be caught."""

from amxfp4.sim.layer import Layer, LayerResult, layer_from_files, run_layer, synthetic_layer
from amxfp4.sim.run import BenchOptions, Outcome, run_bench, run_matrix

__all__ = [
    "BenchOptions",
    "Layer",
    "LayerResult",
    "Outcome",
    "layer_from_files",
    "run_bench",
    "run_layer",
    "run_matrix",
    "synthetic_layer",
]


def __dir__() -> list[str]:
    return sorted(__all__)
