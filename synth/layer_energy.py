"""A layer through the mapped gates of a unit: every output compared, and the energy of a MAC estimated from toggles."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import quantize
from amxfp4.golden.arguments import check_positive, check_type
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import described
from amxfp4.sim.layer.job import Job, mac_job
from amxfp4.sim.layer.layer import Layer
from amxfp4.synth import energy, flow
from amxfp4.synth.cells import liberty
from amxfp4.synth.mapped import MappedNetlist
from amxfp4.synth.record import Record

STIMULI = 128
"""Dot products that run side by side."""


def measure_energy(
    layer: Layer, config: MacConfig, library: str | os.PathLike[str] | None = None, *, timeout: float = 1800.0
) -> Record:
    """Energy of one unit in one library, while `STIMULI` dot products of the layer run through its gates.

    Args:
        layer: Tokens and outputs are taken evenly from it.
        config: The unit.
        library: As `liberty.find` takes it.
        timeout: Seconds for each run of yosys.

    Returns:
        What `described` says of the config; `library`; `outputs` compared and their `mismatches`; `cycles` counted;
        in fJ `logic`, `registers` and `clock` per cycle, and `energy_per_mac`; `ratio_to_mxfp4`, None until
        `ratios.with_ratios`.

    Raises:
        UsageError: A wrong liberty, or one without power tables; or an argument that is none of these.
        ToolError: yosys failed or took too long.
    """
    check_type(Layer, layer=layer)
    check_type(MacConfig, config=config)
    check_positive(timeout=timeout)
    part = sample(layer, STIMULI)
    a, w = (quantize(x, fmt) for x, fmt in zip((part.activations, part.weights), config.formats, strict=True))
    job = mac_job(config, a, w)
    lib = liberty.read(liberty.find(library))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mapped.json"
        flow.synthesise(job.verilog, job.top, lib, netlist=path, timeout=timeout)
        mapped = MappedNetlist(json.loads(path.read_text(encoding="utf-8")), job.top, lib, part.outputs)
    mapped.randomise(1)
    mismatches = run_on_gates(mapped, job)
    found = energy.of_toggles(mapped, lib)
    return {
        **described(config),
        "library": lib.name,
        "outputs": part.outputs,
        "mismatches": mismatches,
        "cycles": mapped.counted // mapped.stimuli,
        "logic": found.logic,
        "registers": found.registers,
        "clock": found.clock,
        "energy_per_mac": round(found.total / config.lanes, 4),
        "ratio_to_mxfp4": None,
        "ratio_to_window": None,
    }


def sample(layer: Layer, outputs: int) -> Layer:
    """A part of the layer with about as many outputs: tokens and outputs evenly spaced, as square as possible."""
    tokens = min(len(layer.activations), int(outputs**0.5))
    features = min(len(layer.weights), outputs // tokens)
    a_rows = np.linspace(0, len(layer.activations) - 1, tokens).astype(int)
    w_rows = np.linspace(0, len(layer.weights) - 1, features).astype(int)
    return Layer(layer.what, layer.activations[a_rows], layer.weights[w_rows])


def run_on_gates(mapped: MappedNetlist, job: Job) -> int:
    """Runs one dot product per stimulus, twice.

    Toggles are counted the second time, when the pipeline is full from the first beat on.

    Returns:
        How many stimuli gave a wrong result.
    """
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
    """Payloads as wires.

    Args:
        words: (stimuli, words), one payload per stimulus.
        width: Bits of a payload.

    Returns:
        One integer per wire, with one bit per stimulus.
    """
    bits = np.unpackbits(words.astype("<u4").view(np.uint8), axis=1, bitorder="little")[:, :width]
    packed = np.packbits(bits.T, axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]
