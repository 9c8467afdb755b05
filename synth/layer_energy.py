"""A layer through the mapped gates of a unit: every output compared, and the energy of a MAC estimated from toggles."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import quantize
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.layer.job import Job, mac_job
from amxfp4.sim.layer.layer import Layer
from amxfp4.synth import energy
from amxfp4.synth import flow as synth
from amxfp4.synth.cells import liberty
from amxfp4.synth.mapped import MappedNetlist

STIMULI = 128
"""Dot products that run side by side."""


def measure(
    layer: Layer, config: MacConfig, library: str | os.PathLike[str] | None = None, *, timeout: float = 1800.0
) -> dict[str, Any]:
    """Energy of one unit in one library, while `STIMULI` dot products of the layer run through its gates.

    Tokens and outputs are taken evenly from the layer. Returns a flat record, ready for JSON: `name`, `activation`,
    `weight`, `lanes`, `accumulator`, `library`, `outputs` compared and their `mismatches`, `cycles` counted, and in fJ
    `logic`, `registers`, `clock` of a cycle and `energy_per_mac`; `ratio_to_mxfp4` is None until compared.

    Raises UsageError for a wrong liberty or one without power tables, ToolError when yosys fails.
    """
    part = sample(layer, STIMULI)
    a, w = (quantize(x, fmt) for x, fmt in zip((part.activations, part.weights), config.formats, strict=True))
    job = mac_job(config, a, w)
    lib = liberty.read(liberty.find(library))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mapped.json"
        synth.synthesise(job.verilog, job.top, lib, netlist=path, timeout=timeout)
        mapped = MappedNetlist(json.loads(path.read_text()), job.top, lib, part.outputs)
    mapped.randomise(1)
    mismatches = run(mapped, job)
    found = energy.of_toggles(mapped, lib)
    return {
        "name": config.name,
        "activation": config.activation,
        "weight": config.weight,
        "lanes": config.lanes,
        "accumulator": config.accumulator,
        "library": lib.name,
        "outputs": part.outputs,
        "mismatches": mismatches,
        "cycles": mapped.counted // mapped.stimuli,
        "logic": found.logic,
        "registers": found.registers,
        "clock": found.clock,
        "energy_per_mac": round(found.total / config.lanes, 4),
        "ratio_to_mxfp4": None,
    }


def sample(layer: Layer, outputs: int) -> Layer:
    """About as many outputs: tokens and outputs evenly from the layer, as square as it may be."""
    tokens = min(len(layer.activations), int(outputs**0.5))
    features = min(len(layer.weights), outputs // tokens)
    a_rows = np.linspace(0, len(layer.activations) - 1, tokens).astype(int)
    w_rows = np.linspace(0, len(layer.weights) - 1, features).astype(int)
    return Layer(layer.what, layer.activations[a_rows], layer.weights[w_rows])


def run(mapped: MappedNetlist, job: Job) -> int:
    """Each stimulus runs one dot product, twice; counted is the second time, when the pipeline is full from the first
    beat on. Returns how many stimuli gave a wrong result."""
    beats = np.concatenate(list(job.beats())).reshape(mapped.stimuli, job.beats_per_dot, -1)
    idle = dict(zip(("rst", "i__valid", "o__ready"), ([mapped.ones], [0], [mapped.ones]), strict=True))
    width = len(mapped.ports["i__payload"]["bits"])
    idle["i__payload"] = [0] * width
    mapped.step(idle)
    going = {"rst": [0], "i__valid": [mapped.ones], "o__ready": [mapped.ones]}
    results: list[list[int]] = []
    for cycle in range(2 * job.beats_per_dot):
        mapped.count = cycle >= job.beats_per_dot
        found = mapped.step(going | {"i__payload": wires(beats[:, cycle % job.beats_per_dot], width)})
        results += [found["o__payload"]] if found["o__valid"] == [mapped.ones] else []
    mapped.count = False
    for _ in range(job.latency):
        found = mapped.step(idle | {"rst": [0]})
        results += [found["o__payload"]] if found["o__valid"] == [mapped.ones] else []
    expected = wires(job.expected, len(mapped.ports["o__payload"]["bits"]))
    differs = 0
    for result in results:
        for one, other in zip(result, expected, strict=True):
            differs |= one ^ other
    return differs.bit_count() if len(results) == 2 else mapped.stimuli


def wires(words: NDArray[np.uint32], width: int) -> list[int]:
    """A payload a stimulus, (stimuli, words), as an integer a wire with a bit for each stimulus."""
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), axis=1, bitorder="little")[:, :width]
    packed = np.packbits(bits.T, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def with_ratios(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records with their energy a MAC over that of MXFP4 with as many lanes in the same library, if it is there."""
    baselines = {
        (record["lanes"], record["library"]): record["energy_per_mac"]
        for record in records
        if (record["activation"], record["weight"]) == ("MXFP4", "MXFP4")
    }
    compared = []
    for record in records:
        base = baselines.get((record["lanes"], record["library"]))
        ratio = None if base is None else round(record["energy_per_mac"] / base, 4)
        compared.append(record | {"ratio_to_mxfp4": ratio})
    return compared
