"""The simulated RTL against the golden model: benches on every unit, whole layers, and faults that must be caught."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.sim.layer.layer import Layer, layer_from_files, synthetic_layer
    from amxfp4.sim.layer.run import LayerResult, run_layer
    from amxfp4.sim.run import BenchOptions, Outcome, run_bench, run_matrix
else:
    __getattr__, __dir__ = lazy_exports(__name__)

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
