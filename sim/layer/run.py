"""A whole layer through a simulated unit, every output compared with the golden model bit for bit."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amxfp4.golden import Rounding, quantize, sqnr
from amxfp4.golden.tensor_scale import multiplied
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.layer.comparison import Comparison, Progress, run_job
from amxfp4.sim.layer.job import chain_job, mac_job
from amxfp4.sim.layer.layer import Layer
from amxfp4.sim.verilate import BUILD


@dataclass(frozen=True)
class LayerResult:
    """A layer's run on one unit, in the figures of the report.

    Attributes:
        config: the unit.
        comparison: its outputs beside the golden model's.
        macs_per_cycle: multiplications of the layer per cycle. Padding does not count.
        utilisation: `macs_per_cycle` over the unit's lanes.
        not_finite: outputs that are NaN or infinite, of the unit or of a float32 layer.
        sqnr: signal to quantisation noise of all other outputs, beside those of a float32 layer, in dB. None where
            there are no others.
    """

    config: MacConfig
    comparison: Comparison
    macs_per_cycle: float
    utilisation: float
    not_finite: int
    sqnr: float | None


def run_layer(
    layer: Layer,
    config: MacConfig,
    *,
    rounding: Rounding = "nearest-away",
    in_hardware: bool = False,
    build: Path = BUILD,
    progress: Progress = lambda outputs: None,
) -> LayerResult:
    """Quantises a layer, drives all of it through the simulated unit and compares every output.

    Args:
        layer: what runs.
        config: the unit on which the layer runs.
        rounding: what ties do when the layer is quantised.
        in_hardware: whether a quantiser in the netlist makes blocks of the activations, which then arrive as floats.
        build: folder for builds.
        progress: called as outputs are compared.

    Raises:
        UsageError: the golden model refuses the layer.
        RunError: the simulator could not be built, or died.
    """
    a, w = (
        quantize(x, fmt, rounding=rounding)
        for x, fmt in zip((layer.activations, layer.weights), config.formats, strict=True)
    )
    job = chain_job(layer.activations, chain_for(config, layer, rounding), w) if in_hardware else mac_job(config, a, w)
    comparison = run_job(job, build=build, progress=progress)
    shape = len(layer.activations), len(layer.weights)
    values = np.ascontiguousarray(comparison.payloads[:, 0]).view(np.float32).reshape(shape)
    values = multiplied(values, a.tensor_scale, w.tensor_scale)
    rate = layer.outputs * a.length / max(comparison.cycles, 1)
    wanted = layer.in_float32()
    finite = np.isfinite(wanted) & np.isfinite(values)
    noise = sqnr(wanted[finite], values[finite]) if finite.any() else None
    return LayerResult(config, comparison, rate, rate / config.lanes, int(np.count_nonzero(~finite)), noise)


def chain_for(config: MacConfig, layer: Layer, rounding: Rounding) -> ChainConfig:
    """The MAC unit with a quantiser before it, which takes the layer's floats.

    The quantiser takes bfloat16 or float32. float16 goes in as float32, which holds it exactly.
    """
    kind = "bfloat16" if layer.activations.dtype.name == "bfloat16" else "float32"
    return ChainConfig(config, kind, rounding)
