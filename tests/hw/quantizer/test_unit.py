"""The quantiser as a stream: values against golden, and every port in every cycle against the cycle model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module, ResetSignal, Signal
from amaranth.sim import Simulator
from helpers.comb import generator, run
from helpers.quick import full_but
from numpy.typing import NDArray

from amxfp4.golden import BLOCK_FORMAT_NAMES, ScaleRule, block_format, quantize
from amxfp4.golden.cycles import quantizer_schedule
from amxfp4.hw.config import asymmetry_field
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer
from amxfp4.sim.stimuli.floats import floats, random_bits

STREAMS = 48
CYCLES = 256


@dataclass
class Plan:
    """One stream's inputs and outputs, cycle by cycle. In `takes` and `shows`, -1 stands for no beat."""

    takes: NDArray[np.int64]
    shows: NDArray[np.int64]
    ready: NDArray[np.bool_]


def plan(config: QuantizerConfig, rng: np.random.Generator, eager: float, willing: float, blocks: int) -> Plan:
    """A stream's transfers, from the cycle model. A beat is on offer until it is taken."""
    offered, ready = rng.random(CYCLES) < eager, rng.random(CYCLES) < willing
    schedule = quantizer_schedule(
        blocks, beats_per_block=config.beats_per_block, drain=config.drain, offered=offered, ready=ready
    )
    takes, shows = np.full(CYCLES, -1), np.full(CYCLES, -1)
    begin = 0
    for beat, cycle in enumerate(schedule.taken):
        # On offer from the first cycle in which the driver starts to.
        starts = begin + np.argmax(offered[begin:]) if begin < CYCLES and offered[begin:].any() else CYCLES
        takes[min(starts, cycle) : cycle + 1] = beat
        begin = cycle + 1
    for beat, (first, last) in enumerate(zip(schedule.shown, schedule.given, strict=True)):
        shows[first : last + 1] = beat
    return Plan(takes, shows, ready)


def check_streams(config: QuantizerConfig, rng: np.random.Generator) -> None:
    """Streams side by side, each with gaps and stalls of its own, compared in every cycle."""
    n, lanes, size = config.beats_per_block, config.lanes, config.block_size
    blocks = CYCLES // n + 1
    bits = random_bits(config, rng, (STREAMS, blocks))
    fmt = block_format(config.format, size)
    values, settings = floats(config, bits), {"rounding": config.rounding, "rule": config.rule}
    tensor_scales = np.float32(rng.uniform(1, 2, STREAMS) * 2.0 ** rng.integers(-5, 5, STREAMS))
    if not config.tensor_scale:
        tensor_scales[:] = 1
    each = [quantize(x, fmt, tensor_scale=s, **settings) for x, s in zip(values, tensor_scales, strict=True)]
    reciprocals = {"reciprocal": (1 / tensor_scales).view(np.uint32).astype(np.int64)} if config.tensor_scale else {}
    beats_in = bits.reshape(STREAMS, blocks * n, lanes)
    codes = np.array([blocks.codes for blocks in each]).reshape(STREAMS, blocks * n, lanes)
    scales = np.array([blocks.scales for blocks in each]).reshape(STREAMS, blocks, -1)
    lasts = rng.integers(0, 2, (STREAMS, blocks * n))
    eager = rng.choice([1, 0.8, 0.4], STREAMS)
    willing = rng.choice([1, 0.8, 0.4], STREAMS)
    eager[0], willing[0], eager[1], willing[1] = 0.7, 0.7, 1, 1
    plans = [plan(config, rng, eager[i], willing[i], blocks) for i in range(STREAMS)]
    takes, shows = np.array([p.takes for p in plans]), np.array([p.shows for p in plans])
    ready = np.array([p.ready for p in plans])
    every = np.arange(STREAMS)

    def step(cycle: int) -> dict[str, Any]:
        beat = takes[:, cycle]
        junk = rng.integers(0, 1 << config.float_bits, (STREAMS, lanes))
        elements = np.where((beat >= 0)[:, None], beats_in[every, beat], junk)
        return {
            "i__payload": {"elements": elements.astype(np.int64), **reciprocals, "last": lasts[every, beat]},
            "i__valid": (beat >= 0).astype(np.int64),
            "o__ready": ready[:, cycle].astype(np.int64),
        }

    found = run(Quantizer(config), (step(cycle) for cycle in range(CYCLES)), STREAMS, simulated=2 * n + 20)
    compared = 0
    for cycle, outputs in enumerate(found):
        beat = shows[:, cycle]
        valid = beat >= 0
        where = f"cycle {cycle} of {config.name}"
        np.testing.assert_array_equal(outputs["o__valid"], valid, err_msg=where)
        np.testing.assert_array_equal(outputs["i__ready"], ~valid | ready[:, cycle], err_msg=where)
        payload = outputs["o__payload"]
        np.testing.assert_array_equal(payload["codes"][valid], codes[every, beat][valid], err_msg=where)
        first, last = valid & (beat % n == 0), valid & (beat % n == n - 1)
        asymmetry = asymmetry_field(config.block_format)
        fields = [payload["scales"], *([payload[asymmetry][:, None]] if asymmetry else [])]
        found_scales = np.concatenate(fields, axis=1)
        np.testing.assert_array_equal(found_scales[first], scales[every, beat // n][first], err_msg=where)
        np.testing.assert_array_equal(payload["last"][last], lasts[every, beat][last], err_msg=where)
        compared += valid.sum()
    assert compared > STREAMS * CYCLES // 5


@pytest.mark.parametrize("format", BLOCK_FORMAT_NAMES)
def test_every_format(format: str) -> None:
    check_streams(QuantizerConfig(format, lanes=2), generator())


@pytest.mark.full
@pytest.mark.parametrize("rounding", ("nearest-away", "nearest-even"))
@pytest.mark.parametrize("format", BLOCK_FORMAT_NAMES)
def test_every_format_and_rounding(format: str, rounding: str) -> None:
    check_streams(QuantizerConfig(format, rounding=rounding), generator())


@pytest.mark.parametrize("rule, input", (("even", "bfloat16"), ("ceil", "float32")))
def test_other_rules_of_powers_of_two(rule: ScaleRule, input: str) -> None:
    check_streams(QuantizerConfig("AMXFP4-E8M0", lanes=2, block_size=8, input=input, rule=rule), generator())


@pytest.mark.parametrize(
    "format, lanes, input",
    (
        ("NVFP4", 8, "bfloat16"),
        ("AMXFP4-X2", 2, "float32"),
        pytest.param("AMXFP4", 1, "bfloat16", marks=pytest.mark.full),
        pytest.param("AMXFP4-Z", 4, "bfloat16", marks=pytest.mark.full),
    ),
)
def test_tensor_scales(format: str, lanes: int, input: str) -> None:
    check_streams(QuantizerConfig(format, lanes=lanes, input=input, tensor_scale=True), generator())


GEOMETRIES = ((1, 8, 0), (1, 8, 1), (2, 16, 0), (2, 16, 1), (4, 128, 0), (8, 8, 0), (8, 8, 1), (16, 32, 0), (32, 32, 1))
"""Lanes, block size and registers behind the maxima."""


@pytest.mark.parametrize(
    "geometry", full_but({"1-8-1", "2-16-0", "8-8-0"}, GEOMETRIES, lambda g: "-".join(map(str, g)))
)
def test_every_geometry(geometry: tuple[int, int, int]) -> None:
    """Blocks of one beat, of a few and of many, with and without a register rank behind the maxima."""
    lanes, block_size, maximum_registers = geometry
    config = QuantizerConfig("AMXFP4", block_size, lanes, maximum_registers=maximum_registers)
    check_streams(config, generator())


@pytest.mark.parametrize(
    "format, rounding",
    (
        pytest.param("AMXFP4", "nearest-away", marks=pytest.mark.full),
        ("MXFP4", "nearest-even"),
        pytest.param("AMXFP4-X2", "nearest-away", marks=pytest.mark.full),
    ),
)
def test_float32(format: str, rounding: str) -> None:
    check_streams(QuantizerConfig(format, lanes=4, input="float32", rounding=rounding), generator())


@pytest.mark.full
@pytest.mark.parametrize("lanes", (1, 2, 4, 8, 16, 32))
@pytest.mark.parametrize("format", BLOCK_FORMAT_NAMES)
def test_everything_else(format: str, lanes: int) -> None:
    rng = generator()
    for block_size in (8, 32, 128):
        for input in ("bfloat16", "float32"):
            for rounding in ("nearest-away", "nearest-even"):
                for registers in (0, 1):
                    if lanes <= block_size:
                        check_streams(QuantizerConfig(format, block_size, lanes, input, rounding, registers), rng)


def test_reset_in_mid_block() -> None:
    """Reset drops what is held, what drains and what is counted: the next block begins as after power-up."""
    config = QuantizerConfig(block_size=8, lanes=2)
    rng = generator()
    bits = random_bits(config, rng, (4,))
    golden = quantize(floats(config, bits), block_format(config.format, 8))
    unit = Quantizer(config)

    async def bench(context: Any) -> None:
        async def beats(count: int, block: int) -> None:
            for beat in range(count):
                elements = [int(v) for v in bits[block, 2 * beat : 2 * beat + 2]]
                context.set(unit.i.payload, {"elements": elements, "last": 1})
                context.set(unit.i.valid, 1)
                await context.tick()
            context.set(unit.i.valid, 0)

        context.set(unit.o.ready, 1)
        await beats(4, 0)
        await beats(3, 1)  # in mid-block, as the first block drains
        context.set(reset, 1)
        await context.tick()
        context.set(reset, 0)
        for _ in range(3):
            assert not context.get(unit.o.valid)
            await context.tick()
        await beats(4, 2)
        found = []
        for _ in range(config.latency + 8):
            if context.get(unit.o.valid):
                found.append(list(context.get(unit.o.payload.codes)))
            await context.tick()
        assert found == golden.codes[2].reshape(4, 2).tolist()

    top = Module()
    reset = Signal()
    top.domains.sync = ClockDomain()
    top.submodules.unit = unit
    top.d.comb += ResetSignal().eq(reset)
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
