"""Netlists as bit-vectors compute what Amaranth's simulator does."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import z3
from amaranth.hdl import Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from helpers.comb import generator
from helpers.mac_parts import exact_part

from amxfp4.formal.netlist import Netlist, Word, concat, extended, pack, unpack
from amxfp4.hw.arith.round import Rounder
from amxfp4.hw.mac.acc_exact import ExactAccumulator
from amxfp4.hw.mac.block_sums import BlockSums
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts
from amxfp4.hw.mac.scale import ScaleProduct
from amxfp4.hw.mac.term_direct import product_layout
from amxfp4.hw.quantizer.block_store import BlockStore
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.narrow import Narrow
from amxfp4.hw.quantizer.scale_select import ScaleSelect


class Operators(wiring.Component):
    """Every operator that the hardware uses, and signed ones, whose operands have different widths."""

    def __init__(self) -> None:
        names = ("sum", "difference", "product", "less", "less_signed", "shifted", "chosen", "bits", "switched")
        super().__init__({"a": In(6), "b": In(4), **{name: Out(12) for name in names}})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = self.a, self.b
        m.d.comb += [
            self.sum.eq(a.as_signed() + b.as_signed()),
            self.difference.eq(a - b),
            self.product.eq(a.as_signed() * b.as_signed()),
            self.less.eq((a < b) | (a == b)),
            self.less_signed.eq(a.as_signed() <= b.as_signed()),
            self.shifted.eq((a << b[:3]) ^ (a >> b[1:])),
            self.chosen.eq(Mux(a.any(), Mux(b[0], a & b, ~a), b)),
            self.bits.eq((~a | b.all()) & ~b[1]),
        ]
        with m.Switch(b):
            for case in range(11):
                with m.Case(case):
                    m.d.comb += self.switched.eq(a + 5 * case)
            with m.Default():
                m.d.comb += self.switched.eq(a)
        return m


COMPONENTS: dict[str, Callable[[], wiring.Component]] = {
    "operators": Operators,
    "products": lambda: ElementProducts(MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1).plan.products),
    "scales": lambda: ScaleProduct(MacConfig().plan.scales),
    "rounder": lambda: Rounder(10, overflows=True),
    "narrow": lambda: Narrow(QuantizerConfig()),
    "select": lambda: ScaleSelect(QuantizerConfig()),
}


CLOCKED: dict[str, Callable[[], wiring.Component]] = {
    "store": lambda: BlockStore(5, 3),
    "block sums": lambda: BlockSums(MacConfig(lanes=2, block_size=8).plan.sums),
    "accumulator": lambda: ExactAccumulator(exact_part(MacConfig())),
}
STEPS = 40


def signal(component: wiring.Component, name: str) -> Value:
    return Value.cast(functools.reduce(getattr, name.split("__"), component))


def simulate(component: wiring.Component, steps: list[dict[str, int]], outputs: list[str]) -> list[dict[str, int]]:
    """Outputs in Amaranth's simulator, whose registers begin with 0, cycle by cycle."""
    found = []

    async def bench(context: Any) -> None:
        for step in steps:
            for name, value in step.items():
                context.set(signal(component, name), value)
            await context.delay(1e-9)
            found.append({name: context.get(signal(component, name)) for name in outputs})
            await (context.tick() if clocked else context.delay(1e-9))

    clocked = bool(Netlist(component).registers)
    simulator = Simulator(component)
    if clocked:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def stimulus(netlist: Netlist, component: wiring.Component) -> tuple[list[dict[str, int]], list[str]]:
    """Random inputs by port, and the names of the outputs."""
    ins = {name for name, member in component.signature.members.items() if member.flow == In}
    rng = generator()
    widths = {name: width for name, width in netlist.ports.items() if name in ins}
    steps = [
        {name: int.from_bytes(rng.bytes(w // 8 + 1), "little") % (1 << w) for name, w in widths.items()}
        for _ in range(STEPS)
    ]
    return steps, [name for name in netlist.ports if name not in ins and name != "rst"]


def constant(word: Word) -> int:
    value = z3.simplify(word)
    assert z3.is_bv_value(value), "not a constant"
    return value.as_long()


@pytest.mark.parametrize("make", [*COMPONENTS.values(), *CLOCKED.values()], ids=[*COMPONENTS, *CLOCKED])
def test_outputs_are_those_of_simulation(make: Callable[[], wiring.Component]) -> None:
    component = make()
    netlist = Netlist(component)
    steps, outputs = stimulus(netlist, component)
    assert steps[0] and outputs
    state: Mapping[str, Word] = {name: z3.BitVecVal(0, width) for name, width in netlist.registers.items()}
    for step, expected in zip(steps, simulate(component, steps, outputs), strict=True):
        found, after = netlist.step(state, **{name: z3.BitVecVal(v, netlist.ports[name]) for name, v in step.items()})
        assert {name: constant(found[name]) for name in outputs} == expected
        state = {name: z3.BitVecVal(constant(word), word.size()) for name, word in after.items()}


def test_a_cut_gives_what_drives_it_and_takes_what_it_drives() -> None:
    whole = Netlist(ExactAccumulator(exact_part(MacConfig())))
    cut = Netlist(ExactAccumulator(exact_part(MacConfig())), cut=["shifted0_32"])
    state = {name: z3.BitVecVal(0, width) for name, width in whole.registers.items()}
    inputs = {name: z3.BitVecVal(1, 1) for name in ("valid", "first", "last")}
    inputs["term"] = z3.BitVecVal(0x155555, whole.ports["term"])
    before, _ = cut.step(state, **inputs, shifted0_32=z3.BitVecVal(0, cut.ports["shifted0_32"]))
    _, other = cut.step(state, **inputs, shifted0_32=z3.BitVecVal(4, cut.ports["shifted0_32"]))
    assert constant(other["total"]) == 1, "units below the smallest exponent, 2, are dropped"
    _, after = cut.step(state, **inputs, shifted0_32=before["shifted0_32"])
    assert constant(after["total"]) == constant(whole.step(state, **inputs)[1]["total"]) != 0


def test_reset_sets_what_is_reset() -> None:
    netlist = Netlist(BlockStore(2, 2))
    ones = {name: z3.BitVecVal(-1, netlist.ports[name]) for name in ("beat", "valid", "drain", "rst")}
    _, state = netlist.step(netlist.symbols(), **ones)
    assert [constant(state[f"valid{place}"]) for place in range(2)] == [0, 0]


def test_wrong_inputs_are_refused() -> None:
    netlist = Netlist(Rounder(8, overflows=False))
    with pytest.raises(AssertionError, match="inputs are"):
        netlist.outputs(significand=z3.BitVec("s", 24))
    rest = {name: z3.BitVec(name, 1) for name in ("guard", "sticky", "complement")}
    with pytest.raises(AssertionError, match="exponent has 8 bits"):
        netlist.outputs(significand=z3.BitVec("s", 24), exponent=z3.BitVec("e", 9), **rest)
    with pytest.raises(AssertionError, match="has registers"):
        Netlist(BlockStore(2, 2)).outputs()


def test_layouts() -> None:
    fields = {"significand": 9, "shift": 6, "a_negative": 1, "w_negative": 0}
    layout = product_layout()
    word = pack(layout, {name: z3.BitVecVal(value, layout[name].width) for name, value in fields.items()})
    assert constant(word) == layout.const(fields).as_bits()
    assert {name: constant(value) for name, value in unpack(layout, word).items()} == fields
    assert constant(concat([z3.BitVecVal(1, 2), z3.BitVecVal(2, 3)])) == 0b01001
    assert constant(extended(z3.BitVecVal(-2, 3), 5, signed=True)) == 0b11110
    assert constant(extended(z3.BitVecVal(5, 3), 2)) == 1
    with pytest.raises(AssertionError, match="fields are"):
        pack(layout, {})
    with pytest.raises(AssertionError, match="significand has 4 bits"):
        pack(layout, {name: z3.BitVecVal(0, 1) for name in fields})
