"""The front end: the flags of beats, whose turn it is, and the sums and scales of each turn beside each other."""

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import generator, run
from helpers.gates import signed

from amxfp4.golden.formats import ELEMENT_MAGNITUDES
from amxfp4.hw.mac.acc_float32_steps import Float32InSteps
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.front import Pace, count_beats, sums_in_turn


class Beats(wiring.Component):
    """`count_beats` as a component."""

    def __init__(self, config: MacConfig) -> None:
        self.beats = config.beats_per_block
        super().__init__({"i": In(stream.Signature(config.beat_layout)), "flags": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beat = count_beats(m, self.i, self.beats)
        m.d.comb += [self.flags.eq(Cat(beat.valid, beat.first, beat.ends, beat.last)), self.i.ready.eq(1)]
        return m


@pytest.mark.parametrize("lanes", [1, 2, 4])
def test_flags_of_beats(lanes: int) -> None:
    """Eight beats, four or two per block, with gaps; `last` counts in a block's last beat only."""
    config = MacConfig("MXFP4", "MXFP4", 8, lanes)
    rng = generator()
    count, cycles = 50, 60
    valid, last = rng.random((cycles, count)) < 0.7, rng.integers(2, size=(cycles, count))
    place = (np.cumsum(valid, axis=0) - valid) % config.beats_per_block  # of the beat on offer in its block
    found = run(Beats(config), [step(config, valid[c], {"last": last[c]}) for c in range(cycles)], count)
    for cycle, outputs in enumerate(found):
        ends = place[cycle] == config.beats_per_block - 1
        flags = (valid[cycle], place[cycle] == 0, ends, ends & (last[cycle] == 1))
        for index, expected in enumerate(flags):
            seen = outputs["flags"] >> index & 1
            np.testing.assert_array_equal(seen[valid[cycle]], expected[valid[cycle]])
        np.testing.assert_array_equal(outputs["flags"] & 1, valid[cycle])


def step(config: MacConfig, valid: np.ndarray, fields: dict[str, Any]) -> dict[str, Any]:
    """Inputs of one cycle; what is not given is 0."""
    count = len(valid)
    payload: dict[str, Any] = {}
    for name, field in config.beat_layout:
        shape = (count, field.shape.length) if isinstance(field.shape, data.ArrayLayout) else (count,)
        payload[name] = fields.get(name, np.zeros(shape, int))
    return {"i__payload": payload, "i__valid": valid.astype(int)}


class Front(wiring.Component):
    """`sums_in_turn` as a component, at the pace of a unit's own tail."""

    def __init__(self, config: MacConfig) -> None:
        self.config, self.sums = config, config.plan.sums
        layout = data.StructLayout(
            {"value": self.sums.bits, "significand": config.plan.scales.significand_bits, "negative": 1}
        )
        self.layout = layout
        super().__init__(
            {
                "i": In(stream.Signature(config.beat_layout)),
                "paths": Out(data.ArrayLayout(layout, self.sums.paths)),
                "turn": Out(self.sums.turns),
                "done_last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        accumulator = self.config.plan.accumulator
        late = bool(self.sums.front_registers or self.sums.turns > 1 or self.config.plan.term.cycles)
        pace = Pace(accumulator.cycles_per_term, isinstance(accumulator, Float32InSteps), late)
        found = sums_in_turn(m, self.i, self.sums, pace)
        m.d.comb += [self.turn.eq(found.turn), self.done_last.eq(found.done_last), self.i.ready.eq(1)]
        for port, value, scale, negative in zip(self.paths, found.values, found.scales, found.negative, strict=True):
            m.d.comb += [
                port.value.eq(value),
                port.significand.eq(scale.significand),
                port.negative.eq(negative),
            ]
        return m


FRONTS = {
    "one sum": MacConfig("MXFP4-E4M3", "MXFP4-E5M2", 8, 2),
    "one beat per block": MacConfig("MXFP4-E4M3", "MXFP4-E5M2", 8, 8),
    "two turns": MacConfig("AMXFP4", "MXFP4-E5M2", 8, 4, front_registers=1),
    "by weight, halved": MacConfig("AMXFP4-X2", "AMXFP4", 16, 2),
    "special": MacConfig("AMXFP4-Z", "MXFP4-E4M3", 8, 2),
    "special, one beat per block": MacConfig("AMXFP4-Z8", "MXFP4-E4M3", 8, 8),
    "by weight, special": MacConfig("AMXFP4-Z8", "AMXFP4", 8, 2),
    "four turns": MacConfig("AMXFP4", "AMXFP4", 8, 2, "fp32"),
    "two turns, two paths": MacConfig("AMXFP4", "AMXFP4-E4M3", 8, 4),
    "counted": MacConfig("AMXFP4", "MXFP4-E5M2", 128, 2, "fp32"),
}


@pytest.mark.parametrize("name", FRONTS)
def test_turns(name: str) -> None:
    """Blocks back to back: in its turn each sum comes with the product of its own two scales and its sign, while the
    next block's scales have arrived."""
    config = FRONTS[name]
    plan, count, blocks = config.plan.sums, 40, 4
    rng = generator()
    a, w = config.formats
    a_codes, w_codes = rng.integers(16, size=(2, blocks, plan.beats, count, config.lanes))
    a_scales = rng.integers(a.scale.max_code + 1, size=(blocks, count, a.scales_per_block))
    w_scales = rng.integers(w.scale.max_code + 1, size=(blocks, count, w.scales_per_block))
    a_asymmetry, last = rng.integers(a.asymmetry_codes, size=(blocks, count)), rng.integers(2, size=(blocks, count))
    field = "a_special" if a.specials else "a_halved"
    steps = []
    for block in range(blocks):
        for beat in range(plan.beats):
            fields = {"a_codes": a_codes[block, beat], "w_codes": w_codes[block, beat], "last": last[block]}
            here = {"a_scales": a_scales[block], "w_scales": w_scales[block], field: a_asymmetry[block]}
            junk = {name: 1 - np.minimum(values, 1) for name, values in here.items()}
            steps.append(step(config, np.ones(count, bool), fields | (junk if beat else here)))
    apart = config.plan.accumulator.cycles_per_term
    steps += [step(config, np.zeros(count, bool), {})] * (plan.cycles + plan.turns * apart)
    found = run(Front(config), steps, count, simulated=30)

    due = {}
    for block, turn in np.ndindex(blocks, plan.turns):
        due[(block + 1) * plan.beats - 1 + plan.cycles + turn * apart] = (block, turn)
    for cycle, outputs in enumerate(found):
        if cycle not in due:
            assert not outputs["turn"].any()
            continue
        block, turn = due[cycle]
        np.testing.assert_array_equal(outputs["turn"], 1 << turn)
        if turn == 0:
            np.testing.assert_array_equal(outputs["done_last"], last[block])
        for path in range(plan.paths):
            index = path * plan.turns + turn
            a_side, w_side = divmod(index, w.scales_per_block)
            port = outputs["paths"][path]
            value = signed(port["value"], plan.bits) if plan.signed else port["value"]
            sums = block_sums(config, a_codes[block], w_codes[block], a_asymmetry[block], a_side, w_side)
            if plan.mixed:
                np.testing.assert_array_equal(value, sums)
            else:
                np.testing.assert_array_equal(port["negative"], a_side ^ w_side)
                np.testing.assert_array_equal(value, sums if plan.for_exact else np.abs(sums))
            significand = a.scale.significands[a_scales[block, :, a_side]]
            significand = significand * w.scale.significands[w_scales[block, :, w_side]]
            np.testing.assert_array_equal(port["significand"], significand)


def block_sums(
    config: MacConfig, a: np.ndarray, w: np.ndarray, a_asymmetry: np.ndarray, a_side: int, w_side: int
) -> np.ndarray:
    """The sum of a block's products of one sign pair, of codes (beat, stream, lane), in the unit's own unit."""
    halves = 2 * np.array(ELEMENT_MAGNITUDES)
    a_format, w_format = config.formats
    a_asymmetry = a_asymmetry[None, :, None]
    a_magnitude, a_negative = halves[a & 7], a >> 3
    if a_format.halving:
        a_magnitude = a_magnitude * (2 - (a_asymmetry >> a_negative & 1))
    if a_format.specials:
        a_magnitude = np.where(a == 8, np.where(a_asymmetry & 2, 24, 16), a_magnitude)
        a_negative = np.where(a == 8, a_asymmetry & 1, a_negative)
    product = a_magnitude * halves[w & 7] * np.where(a_negative ^ w >> 3, -1, 1)
    if a_format.asymmetric:
        product = np.where(a_negative == a_side, product, 0)
    if w_format.asymmetric:
        product = np.where(w >> 3 == w_side, product, 0)
    return product.sum(axis=(0, 2)).astype(int)  # type: ignore[no-any-return]
