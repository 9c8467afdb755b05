"""A job for a simulated unit: the beats of many dot products, and what must come of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from amxfp4.golden import Blocks, TensorScaleRule, matmul, quantize, schedule
from amxfp4.golden.cycles import chain_schedule
from amxfp4.golden.terms import nan_blocks
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import unit_verilog
from amxfp4.sim.stimuli.dots import golden_accumulator
from amxfp4.sim.stimuli.floats import bits_of
from amxfp4.sim.stimuli.packing import operand_fields, pack

CHUNK_BEATS = 1 << 15
"""Beats that are packed at a time, which take a few hundred kilobytes."""


@dataclass(frozen=True)
class Job:
    """Dot products for a simulated unit, and what must come of them.

    Attributes:
        top: the name of the unit's top module.
        verilog: the unit's Verilog, as it ships.
        inputs: the names of its input streams.
        latency: cycles from a dot product's last beat to its result.
        schedule: turns `last` of each beat into the golden model's cycle of each result, when neither end ever stalls.
        beats_per_dot: beats of each dot product.
        beats: yields the packed beats (beats, words) of all dot products in order, in chunks. The words of a beat are
            those of all inputs, in order.
        expected: uint32 (dot products, words), the payload of each result.
    """

    top: str
    verilog: str
    inputs: tuple[str, ...]
    latency: int
    schedule: Callable[[NDArray[np.bool_]], NDArray[np.int64]]
    beats_per_dot: int
    beats: Callable[[], Iterator[NDArray[np.uint32]]]
    expected: NDArray[np.uint32]


def mac_job(config: MacConfig, a: Blocks, w: Blocks) -> Job:
    """The job of a MAC unit: all dot products of activations `a` (M, K) and weights `w` (N, K), row by row of `a`."""
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
        expected=expected_payloads(config, a, w),
    )


def chain_job(x: NDArray[Any], config: ChainConfig, w: Blocks) -> Job:
    """The job of a chain: all dot products of floats `x` (M, K) and weights `w` (N, K), row by row of `x`."""
    quantizer = config.quantizer
    scale: float | TensorScaleRule = "max" if quantizer.tensor_scale else 1.0
    a = quantize(x, config.mac.activation_format, rounding=quantizer.rounding, rule=quantizer.rule, tensor_scale=scale)
    a_words = _float_words(config, x, a)
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
        expected=expected_payloads(config.mac, a, w),
    )


def _float_words(config: ChainConfig, x: NDArray[Any], a: Blocks) -> NDArray[np.uint32]:
    """The beats (rows, beats, words) of each row of floats, padded with zeros to the whole blocks of `a`."""
    padded = np.zeros((len(x), a.block_count * config.block_size), np.float32)
    padded[:, : x.shape[1]] = x
    bits = bits_of(config.quantizer, padded).reshape(len(x), -1, config.lanes)
    last = np.zeros(bits.shape[1], np.uint8)
    last[-1] = 1
    fields: dict[str, NDArray[Any]] = {"elements": bits, "last": last}
    if config.tensor_scale:
        fields["reciprocal"] = np.array(np.float32(1) / np.float32(a.tensor_scale)).view(np.uint32)
    return pack(config.quantizer.beat_layout, fields)


def _operand_words(config: MacConfig, side: str, blocks: Blocks, layout: data.StructLayout) -> NDArray[np.uint32]:
    """One operand's part of the beats (rows, beats, words) of each of its rows."""
    rows, fmt = len(blocks.codes), blocks.fmt
    scales = np.zeros((rows, blocks.block_count, config.beats_per_block, fmt.scale_fields), np.uint8)
    scales[:, :, 0] = blocks.scales  # a unit reads them in a block's first beat only
    fields = operand_fields(
        side,
        fmt,
        blocks.codes.reshape(rows, -1, config.lanes),
        scales.reshape(rows, -1, fmt.scale_fields),
    )
    return pack(layout, fields)


def expected_payloads(config: MacConfig, a: Blocks, w: Blocks) -> NDArray[np.uint32]:
    """The payload of each result. A unit knows nothing of tensors' scales, which whoever reads its results applies."""
    a, w = replace(a, tensor_scale=1.0), replace(w, tensor_scale=1.0)
    accumulator, window = golden_accumulator(config)
    values = matmul(a, w, accumulator, window=window).ravel()
    nan = np.isnan(values)
    # An exact accumulator of the default width cannot overflow within a length that `matmul` takes.
    overflow = np.isinf(values)
    if config.windowed:  # what is NaN for no scale's sake has overflowed
        overflow = nan & ~np.logical_or.outer(*(nan_blocks(blocks).any(axis=-1) for blocks in (a, w))).ravel()
    fields = {"value": values.view(np.uint32), "nan": nan, "overflow": overflow}
    return pack(config.result_layout, fields)
