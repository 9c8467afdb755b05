"""The whole MAC unit: each structure against golden in every cycle, and netlists that differ as their configs do.

What joins the stages (`registers.py`) is tested here, and what all terms share (`term.py`) with each of them.
"""

import warnings
from itertools import pairwise, product
from random import Random
from typing import Any

import numpy as np
import pytest
from amaranth.back import rtlil
from helpers.comb import SEED, generator, run
from helpers.configs import every_mac
from helpers.digests import FIRST
from helpers.quick import full_but

from amxfp4.golden import Blocks, dot_detailed, schedule
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, BlockFormat
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit

# -- values and cycles -----------------------------------------------------------------------------------------------

UNITS = [config for config in FIRST if type(config) is MacConfig]
"""One of each structure, and one with special values."""

STREAMS, DOTS = 24, 5


QUICK = {
    "mac_mxfp4_x_mxfp4_l2_fp32_k8",
    "mac_amxfp4x2_x_amxfp4x2_l1_exact",
    "mac_amxfp4e5m2_x_amxfp4e5m2_l1_exact_k8",
    "mac_amxfp4z_x_amxfp4z8_l2_exact_k8",
}
"""The smallest; the benches in tests/sim run the others in every run."""


@pytest.mark.parametrize("config", full_but(QUICK, UNITS, lambda config: config.name))
def test_dot_products(config: MacConfig) -> None:
    """Streams of dot products of one to three blocks, back to back, with gaps and with stalls: every result and flag,
    and both handshakes in every cycle."""
    rng = generator()
    streams = [Stream(config, rng, eager, willing) for eager, willing in PACES for _ in range(STREAMS // len(PACES))]
    cycles = max(len(stream.steps) for stream in streams)
    steps = [joined([stream.step(cycle) for stream in streams]) for cycle in range(cycles)]
    found = run(MacUnit(config), steps, len(streams), simulated=30)
    for cycle, outputs in enumerate(found):
        for name, index in (("o__valid", 0), ("i__ready", 1)):
            expected = [stream.expected(cycle)[index] for stream in streams]
            np.testing.assert_array_equal(outputs[name], expected, err_msg=f"{name} in cycle {cycle}")
        for number, stream in enumerate(streams):
            result = stream.expected(cycle)[2]
            if result is not None:
                payload = {name: int(values[number]) for name, values in outputs["o__payload"].items()}
                assert payload == result, f"stream {number}, cycle {cycle}"


PACES = ((1.0, 1.0), (1.0, 0.4), (0.5, 1.0), (0.6, 0.6))
"""How often a beat is offered, and how often a result is taken."""


class Stream:
    """Random dot products in beats, when the unit takes them, and what it must show."""

    def __init__(self, config: MacConfig, rng: np.random.Generator, eager: float, willing: float) -> None:
        self.config, self.rng = config, rng
        lengths = rng.integers(1, 4, DOTS)
        blocks = int(lengths.sum())
        a, w = (random_blocks(f, blocks, rng) for f in config.formats)
        ends = np.cumsum(lengths)
        self.results = [
            result(config, one(a, end - length, end), one(w, end - length, end))
            for end, length in zip(ends, lengths, strict=True)
        ]
        self.beats = beats(config, a, w, set(ends - 1), rng)
        count = 40 * len(self.beats)
        offered, ready = rng.random(count) < eager, rng.random(count) < willing
        last = [int(beat["last"]) for beat in self.beats]
        times = schedule(
            last, latency=config.latency, beats_per_block=config.beats_per_block, offered=offered, ready=ready
        )
        self.ready = ready
        self.steps: list[int | None] = [None] * (int(times.given[-1]) + 3)  # the beat on offer
        begin = 0
        for beat, cycle in enumerate(times.taken):
            starts = begin + int(np.argmax(offered[begin:]))
            self.steps[starts : cycle + 1] = [beat] * (cycle + 1 - starts)
            begin = cycle + 1
        self.shown: list[int | None] = [None] * len(self.steps)
        for number, (first, final) in enumerate(zip(times.shown, times.given, strict=True)):
            self.shown[first : final + 1] = [number] * (final + 1 - first)

    def step(self, cycle: int) -> dict[str, Any]:
        """Inputs of a cycle; without a beat on offer they are junk."""
        beat = self.steps[cycle] if cycle < len(self.steps) else None
        payload = self.beats[int(self.rng.integers(len(self.beats))) if beat is None else beat]
        return {"i__payload": payload, "i__valid": beat is not None, "o__ready": self.ready[cycle]}

    def expected(self, cycle: int) -> tuple[bool, bool, dict[str, int] | None]:
        """`o.valid`, `i.ready`, and the result where there is one."""
        number = self.shown[cycle] if cycle < len(self.shown) else None
        shown = None if number is None else self.results[number]
        return number is not None, number is None or bool(self.ready[cycle]), shown


def random_blocks(f: BlockFormat, count: int, rng: np.random.Generator) -> Blocks:
    """Blocks in a row with any codes, and scales close enough for sums to cancel; a few of them NaN."""
    middle = len(f.scale.values) // 2
    scales = rng.integers(middle - 12, middle + 12, (1, count, f.scale_fields))
    scales[rng.random(scales.shape) < 0.02] = f.scale.nan_code
    if f.has_asymmetry_code:
        scales[..., 1] = rng.integers(f.asymmetry_codes, size=scales.shape[:2])
    codes = rng.integers(16, size=(1, count * f.block_size))
    return Blocks.from_codes(codes=codes.astype(np.uint8), scales=scales.astype(np.uint8), fmt=f)


def one(blocks: Blocks, begin: int, end: int) -> Blocks:
    """Some of the blocks."""
    size = blocks.fmt.block_size
    codes = blocks.codes[:, begin * size : end * size]
    return Blocks.from_codes(codes=codes, scales=blocks.scales[:, begin:end], fmt=blocks.fmt)


def result(config: MacConfig, a: Blocks, w: Blocks) -> dict[str, int]:
    """The golden result of a dot product, in the fields of the unit's output."""
    accumulator: Any = config.accumulator
    found = dot_detailed(a, w, accumulator, accumulator_bits=config.accumulator_bits)
    return {"value": int(found.bits[0]), "nan": int(found.nan[0]), "overflow": int(found.overflow[0])}


def beats(config: MacConfig, a: Blocks, w: Blocks, ends: set[int], rng: np.random.Generator) -> list[dict[str, Any]]:
    """The unit's input, beat by beat. Scales after a block's first beat and `last` before its last beat are junk."""
    found = []
    for block, beat in product(range(a.scales.shape[1]), range(config.beats_per_block)):
        fields: dict[str, Any] = {}
        for side, blocks, f in (("a", a, config.formats[0]), ("w", w, config.formats[1])):
            fields[f"{side}_codes"] = blocks.codes[0, block * config.block_size + beat * config.lanes :][: config.lanes]
            scales = blocks.scales[0, block].astype(int)
            if beat:
                scales = rng.integers(1 << f.scale.bits, size=scales.shape)
            fields[f"{side}_scales"] = scales[: f.scales_per_block]
            if f.halving:
                fields[f"{side}_halved"] = int(scales[1]) % 4
            if f.specials:
                fields[f"{side}_special"] = int(scales[1]) % (1 << len(f.specials))
        ends_here = block in ends if beat == config.beats_per_block - 1 else rng.integers(2)
        found.append({**fields, "last": int(ends_here)})
    return found


def joined(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """Inputs of all streams side by side."""
    payloads = [step["i__payload"] for step in steps]
    return {
        "i__payload": {name: np.array([payload[name] for payload in payloads]) for name in payloads[0]},
        "i__valid": np.array([int(step["i__valid"]) for step in steps]),
        "o__ready": np.array([int(step["o__ready"]) for step in steps]),
    }


# -- netlists --------------------------------------------------------------------------------------------------------


def netlist(config: MacConfig) -> str:
    return rtlil.convert(MacUnit(config), name="top", emit_src=False)  # type: ignore[no-any-return]


def check_netlists(configs: list[MacConfig]) -> None:
    assert len({config.name for config in configs}) == len(configs)
    assert len({netlist(config) for config in configs}) == len(configs)


FIELDS = [
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 8, 1, "fp32"),
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 8, 1, "fp32", front_registers=1),
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 8, 2, "fp32"),
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 16, 1, "fp32"),
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 8, 1),
    MacConfig("AMXFP4-X2", "MXFP4-E4M3", 8, 1, accumulator_bits=80),
    MacConfig("MXFP4-E4M3", "AMXFP4-X2", 8, 1, "fp32"),
]
"""Each differs from the first in one field, or in which side has which format."""


def test_other_names_other_netlists() -> None:
    pairs = pairwise(BLOCK_FORMAT_NAMES)
    check_netlists([*FIELDS, *(MacConfig(*pair, 8, 1, "fp32") for pair in pairs)])


@pytest.mark.full
def test_every_pair_has_its_own_netlist() -> None:
    """But for NVFP4, whose netlists are those of MXFP4-E4M3."""
    configs = [c for c in every_mac() if (c.block_size, c.lanes) in ((8, 1), (32, 1))]
    check_netlists([c for c in configs if "NVFP4" not in (c.activation, c.weight)])
    for other in ("NVFP4", "AMXFP4-Z", "MXFP4"):
        assert netlist(MacConfig("NVFP4", other, 8, 1)) == netlist(MacConfig("MXFP4-E4M3", other, 8, 1))


def elaborate(config: MacConfig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rtlil.convert(MacUnit(config), name=config.name, emit_src=False)


SAMPLE = Random(SEED).sample([config for config in every_mac() if config.lanes <= 8], 6)


@pytest.mark.parametrize("config", SAMPLE, ids=lambda config: config.name)
def test_a_sample_elaborates(config: MacConfig) -> None:
    elaborate(config)


@pytest.mark.full
@pytest.mark.parametrize("pair", list(product(BLOCK_FORMAT_NAMES, repeat=2)), ids=" x ".join)
def test_every_pair_elaborates(pair: tuple[str, str]) -> None:
    """In blocks of 32 with every accumulator and number of lanes, and in other blocks with one lane."""
    for config in every_mac():
        if (config.activation, config.weight) == pair and (config.block_size == 32 or config.lanes == 1):
            elaborate(config)
