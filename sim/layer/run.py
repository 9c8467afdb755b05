"""A whole layer through a simulated unit, every output compared with the golden model bit for bit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from amxfp4.accuracy.metrics import sqnr
from amxfp4.golden import Blocks, Rounding, matmul, quantize, schedule
from amxfp4.golden.chain_cycles import chain_schedule
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import unit_verilog
from amxfp4.sim.layer.harness import Harness
from amxfp4.sim.layer.layer import Layer
from amxfp4.sim.stimuli.floats import bits_of
from amxfp4.sim.stimuli.packing import operand_fields, pack
from amxfp4.sim.verilate import BUILD, build_harness

CHUNK_BEATS = 1 << 15
"""Beats packed at a time: a few hundred kilobytes."""

EXAMPLES = 5
"""Mismatches kept for the report."""

Progress = Callable[[int], None]
"""Called with the number of outputs compared since the last call."""


@dataclass(frozen=True)
class Job:
    """Dot products for a simulated unit, and what must come of them.

    Attributes:
        top, verilog: the unit, as it ships.
        inputs: the names of its input streams.
        latency: cycles from a dot product's last beat to its result.
        schedule: from `last` of each beat to the golden model's cycle of each result, when neither end ever stalls.
        beats_per_dot: of every dot product here.
        beats: packed beats (beats, words) of all dot products in order, in chunks; the words of all inputs in order.
        expected: uint32 (dot products, words), the payload of every result.
    """

    top: str
    verilog: str
    inputs: tuple[str, ...]
    latency: int
    schedule: Callable[[NDArray[np.bool_]], NDArray[np.int64]]
    beats_per_dot: int
    beats: Callable[[], Iterator[NDArray[np.uint32]]]
    expected: NDArray[np.uint32]


@dataclass(frozen=True)
class Mismatched:
    """An output that differs: its place in the order of results, payloads as integers, and cycles."""

    index: int
    expected: int
    found: int
    expected_cycle: int
    found_cycle: int


@dataclass(frozen=True)
class Comparison:
    """What came of a job.

    Attributes:
        outputs: compared.
        mismatches: outputs whose bits, flags or cycle differ, or that did not come.
        extra: results that nobody asked for.
        cycles: from the first beat to the last result.
        examples: the first few mismatches.
        payloads: uint32 (outputs, words), as the unit gave them; zero where none came.
    """

    outputs: int
    mismatches: int
    extra: int
    cycles: int
    examples: tuple[Mismatched, ...]
    payloads: NDArray[np.uint32]

    @property
    def good(self) -> bool:
        return self.outputs > 0 and not self.mismatches and not self.extra


@dataclass(frozen=True)
class LayerResult:
    """A layer's run on one unit, in the figures of the report.

    Attributes:
        config: the unit.
        comparison: with the golden model.
        macs_per_cycle: of the layer's own multiplications; padding does not count.
        utilisation: that by the unit's lanes.
        sqnr: of the unit's outputs against the float32 layer, in dB.
    """

    config: MacConfig
    comparison: Comparison
    macs_per_cycle: float
    utilisation: float
    sqnr: float


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
        layer, config: what runs on which unit.
        rounding: what ties do when the layer is quantised.
        in_hardware: the activations reach the netlist as floats, and a quantiser in it makes blocks of them.
        build: folder for builds.
        progress: called as outputs are compared.

    Raises:
        UsageError: a layer that the golden model refuses.
        BuildError, RuntimeError: the simulator could not be built, or died.
    """
    a, w = (
        quantize(x, fmt, rounding=rounding)
        for x, fmt in zip((layer.activations, layer.weights), config.formats, strict=True)
    )
    job = chain_job(layer.activations, chained(config, layer, rounding), w) if in_hardware else mac_job(config, a, w)
    comparison = run(job, build=build, progress=progress)
    shape = len(layer.activations), len(layer.weights)
    values = np.ascontiguousarray(comparison.payloads[:, 0]).view(np.float32).reshape(shape)
    rate = layer.outputs * a.length / max(comparison.cycles, 1)
    return LayerResult(config, comparison, rate, rate / config.lanes, sqnr(layer.in_float32(), values))


def chained(config: MacConfig, layer: Layer, rounding: Rounding) -> ChainConfig:
    """A MAC unit with a quantiser before it that takes the layer's floats: bfloat16, or float32, as which float16 can
    be had exactly."""
    kind = "bfloat16" if layer.activations.dtype.name == "bfloat16" else "float32"
    return ChainConfig(config, kind, rounding)


def mac_job(config: MacConfig, a: Blocks, w: Blocks) -> Job:
    """All dot products of activations `a` (M, K) with weights `w` (N, K), row by row of `a`, for a MAC unit."""
    a_words = _operand_words(config, "a", a, config.beat_layout)
    w_words = _operand_words(config, "w", w, config.beat_layout)
    beats_per_dot = a.block_count * config.beats_per_block
    last = np.zeros(beats_per_dot, np.uint8)
    last[-1] = 1
    w_words |= pack(config.beat_layout, {"last": last})
    at_once = max(1, CHUNK_BEATS // beats_per_dot)

    def beats() -> Iterator[NDArray[np.uint32]]:
        for row in a_words:
            for start in range(0, len(w_words), at_once):
                yield (row | w_words[start : start + at_once]).reshape(-1, row.shape[-1])

    return Job(
        top=config.name,
        verilog=unit_verilog(config),
        inputs=unit_of(config).inputs,
        latency=config.latency,
        schedule=lambda last: schedule(last, latency=config.latency).given,
        beats_per_dot=beats_per_dot,
        beats=beats,
        expected=_expected_payloads(config, a, w),
    )


def chain_job(x: NDArray[Any], config: ChainConfig, w: Blocks) -> Job:
    """All dot products of floats `x` (M, K), quantised by the unit, with weights `w` (N, K), row by row of `x`."""
    a = quantize(x, config.mac.activation_format, rounding=config.quantizer.rounding)
    a_words = _float_words(config, x, a.block_count)
    w_words = _operand_words(config.mac, "w", w, config.weight_layout)
    rows, beats_per_dot, _ = w_words.shape
    at_once = max(1, CHUNK_BEATS // beats_per_dot)

    def beats() -> Iterator[NDArray[np.uint32]]:
        for row in a_words:
            for start in range(0, rows, at_once):
                part = w_words[start : start + at_once]
                both = np.concatenate([np.broadcast_to(row, (len(part), *row.shape)), part], axis=-1)
                yield both.reshape(-1, both.shape[-1])

    def cycles(last: NDArray[np.bool_]) -> NDArray[np.int64]:
        quantizer = config.quantizer
        return chain_schedule(
            last, beats_per_block=config.beats_per_block, drain=quantizer.drain, latency=config.mac.latency
        ).given

    return Job(
        top=config.name,
        verilog=unit_verilog(config),
        inputs=unit_of(config).inputs,
        latency=config.latency,
        schedule=cycles,
        beats_per_dot=beats_per_dot,
        beats=beats,
        expected=_expected_payloads(config.mac, a, w),
    )


def _float_words(config: ChainConfig, x: NDArray[Any], blocks: int) -> NDArray[np.uint32]:
    """The beats of each row of floats, padded with zeros to whole blocks. (rows, beats, words)"""
    padded = np.zeros((len(x), blocks * config.block_size), np.float32)
    padded[:, : x.shape[1]] = x
    bits = bits_of(config.quantizer, padded).reshape(len(x), -1, config.lanes)
    last = np.zeros(bits.shape[1], np.uint8)
    last[-1] = 1
    return pack(config.quantizer.beat_layout, {"elements": bits, "last": last})


def _operand_words(config: MacConfig, side: str, blocks: Blocks, layout: data.StructLayout) -> NDArray[np.uint32]:
    """One operand's part of the beats of each of its rows. (rows, beats, words)"""
    rows, fmt = len(blocks.codes), blocks.fmt
    scales = np.zeros((rows, blocks.block_count, config.beats_per_block, fmt.scale_fields), np.uint8)
    scales[:, :, 0] = blocks.scales  # looked at in a block's first beat only
    fields = operand_fields(
        side,
        fmt,
        blocks.codes.reshape(rows, -1, config.lanes),
        scales.reshape(rows, -1, fmt.scale_fields),
    )
    return pack(layout, fields)


def _expected_payloads(config: MacConfig, a: Blocks, w: Blocks) -> NDArray[np.uint32]:
    values = matmul(a, w, "exact" if config.exact else "fp32").ravel()
    nan = np.isnan(values)
    # An exact accumulator of the default width cannot overflow within a length that `matmul` takes.
    fields = {"value": values.view(np.uint32), "nan": nan, "overflow": np.isinf(values)}
    return pack(config.result_layout, fields)


def run(job: Job, *, build: Path = BUILD, progress: Progress = lambda outputs: None) -> Comparison:
    """Builds the unit's simulator, sends every beat and compares every result and its cycle."""
    outputs, words = job.expected.shape
    executable = build_harness(job.verilog, job.top, job.inputs, build=build) / job.top
    due = predicted_cycles(job, outputs)
    payloads = np.zeros_like(job.expected)
    wrong = extra = done = cycles = 0
    examples: list[Mismatched] = []
    with Harness(executable, result_words=words, drain=job.latency + 2 * job.beats_per_dot) as harness:
        for trace in harness.run(job.beats()):
            count = min(len(trace.given), outputs - done)
            extra += len(trace.given) - count
            part = slice(done, done + count)
            payloads[part] = trace.payloads[:count]
            given = trace.given[:count]
            differs = (payloads[part] != job.expected[part]).any(axis=1) | (given != due[part])
            for place in np.flatnonzero(differs)[: EXAMPLES - len(examples)]:
                index = done + int(place)
                examples.append(
                    Mismatched(
                        index,
                        _integer(job.expected[index]),
                        _integer(payloads[index]),
                        int(due[index]),
                        int(given[place]),
                    )
                )
            wrong += int(differs.sum())
            done += count
            cycles = int(trace.given[-1]) + 1 if len(trace.given) else cycles
            progress(count)
    return Comparison(outputs, wrong + outputs - done, extra, cycles, tuple(examples), payloads)


def predicted_cycles(job: Job, outputs: int) -> NDArray[np.int64]:
    """The cycle of every result as the golden model has it, when neither end ever stalls. (outputs,)

    Without stalls a unit repeats itself from one dot product to the next: the model is asked for the first few, which
    show the period, and the rest follow.
    """
    shown = min(outputs, 3)
    last = np.arange(1, shown * job.beats_per_dot + 1) % job.beats_per_dot == 0
    first = job.schedule(last)
    period = int(np.diff(first)[0]) if shown > 1 else 0
    assert (np.diff(first) == period).all()
    return first[0] + period * np.arange(outputs, dtype=np.int64)


def _integer(payload: NDArray[np.uint32]) -> int:
    return int.from_bytes(payload.astype("<u4").tobytes(), "little")
