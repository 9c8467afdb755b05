"""The exact accumulator: a fixed-point register wide enough to hold every dot product without rounding."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import columns_of
from amxfp4.hw.arith.shift import shift_left
from amxfp4.hw.config import plural
from amxfp4.hw.mac.registers import Terms, Total, registered
from amxfp4.hw.mac.round_exact import AtOnce
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_direct import Direct

CAPACITY = 1 << 24
"""Worst-case products that an exact accumulator of the default width has room for: 2^19 worst-case blocks of 32."""


@dataclass(frozen=True)
class Exact:
    """An accumulator that adds a term in one cycle, in an adder as wide as itself.

    Attributes:
        term: the form of the terms.
        paths: terms that are added at once.
        bits: width of the total, two's complement.
    """

    term: TermOfSum | Direct
    paths: int
    bits: int

    title = "exact"
    cycles_per_term = 1

    @property
    def width(self) -> int:
        """Width of the register: one bit more than the total, see `ExactAccumulator`."""
        return self.bits + 1

    @property
    def cycles(self) -> int:
        """Cycles from a term to its total: the term's register, and the addition."""
        return 2

    @property
    def rounder(self) -> AtOnce:
        """The rounder of the total."""
        return AtOnce(self.width, self.term.scales.least_exponent)

    def build(self, m: Module, terms: Terms, o: stream.Interface) -> None:
        """Registers terms, adds them and rounds their total into `o`; submodules and registers go to `m`."""
        terms = registered(m, terms, "term")
        m.submodules.accumulator = accumulator = ExactAccumulator(self)
        complete = Signal()
        m.d.sync += complete.eq(terms.valid & terms.last)
        m.d.comb += [
            *(accumulator.term[path].eq(term) for path, term in enumerate(terms.terms)),
            accumulator.valid.eq(terms.valid),
            accumulator.first.eq(terms.first),
            accumulator.last.eq(terms.ends),
        ]
        total = Total(accumulator.total, accumulator.nan, accumulator.overflow, complete)
        self.rounder.build(m, total, o)

    def explain(self) -> str:
        """In words: what is built and why."""
        return f"fixed point, {self.bits} bits; {plural(self.paths, 'term')} per cycle, shifted and added at full width"


class ExactAccumulator(wiring.Component):
    """Adds scaled terms without rounding.

    Ports:
        term: in, one per path, see `Term.layout`.
        valid: in, 1 bit: add the terms.
        first: in, 1 bit: the terms begin a dot product.
        last: in, 1 bit: the terms end a block.
        total: out, `bits + 1` bits, two's complement.
        nan, overflow: out, 1 bit: sticky since the dot product began; valid once the last term of a block was added.

    While a block's terms are added one after the other, the running sum may need one bit more than `bits`. So overflow
    is judged on whole blocks only. A whole block's total has overflowed where its two top bits differ.
    """

    def __init__(self, plan: Exact) -> None:
        self.plan = plan
        super().__init__(
            {
                "term": In(data.ArrayLayout(plan.term.layout, plan.paths)),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "total": Out(plan.width),
                "nan": Out(1),
                "overflow": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.plan.width
        total = Signal(width, reset_less=True)
        nan = Signal(reset_less=True)
        overflowed = Signal(reset_less=True)  # in a block before the one whose terms are being added
        whole = Signal(reset_less=True)  # `total` is a whole number of blocks
        m.d.comb += [
            self.total.eq(total),
            self.nan.eq(nan),
            self.overflow.eq(overflowed | (whole & (total[-1] ^ total[-2]))),
        ]
        addends = [gated(total, ~self.first)]
        for path, term in enumerate(self.term):
            addends.append(self._aligned(m, term, path))
        if len(addends) > 2:
            row0, row1 = columns_of(width, addends).reduce(m, "fa")
        else:
            row0, row1 = addends
        new_nan = Cat(*(term.nan for term in self.term)).any()
        overflow: Value = self.overflow & ~self.first
        if self.plan.term.scales.window:
            overflow = overflow | Cat(*(term.above for term in self.term)).any()
        with m.If(self.valid):
            m.d.sync += [
                total.eq(row0 + row1),
                nan.eq((nan & ~self.first) | new_nan),
                overflowed.eq(overflow),
                whole.eq(self.last),
            ]
        return m

    def _aligned(self, m: Module, term: data.View, path: int) -> Value:
        """A term in units of the accumulator's least bit, as wide as the accumulator."""
        width, highest = self.plan.width, self.plan.term.exponent_max
        # Shifting by `exponent` and dropping the zeros below saves the subtraction. Bits under a window go with them.
        lowest = self.plan.term.scales.exponent_min + self.plan.term.scales.below
        value = shift_left(m, term.value, term.exponent, highest, f"shifted{path}_")
        value = value[lowest : lowest + len(term.value) + highest - lowest]
        if len(value) >= width:
            return value[:width]
        return Cat(value, value[-1].replicate(width - len(value)))
