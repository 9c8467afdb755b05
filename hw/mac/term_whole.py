"""A term in one cycle: a block sum multiplied by the product of its scales at once."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import Columns
from amxfp4.hw.config import plural
from amxfp4.hw.mac.front import SumsInTurn
from amxfp4.hw.mac.registers import Terms
from amxfp4.hw.mac.term import TermOfSum


@dataclass(frozen=True)
class Whole(TermOfSum):
    """A term made in one cycle: the default."""

    title = "whole"

    @property
    def cycles(self) -> int:
        return 0

    def build(self, m: Module, sums: SumsInTurn) -> Terms:
        begin = Signal(init=1)  # the next block begins a dot product
        with m.If(sums.done):
            m.d.sync += begin.eq(sums.done_last)
        terms = []
        for path, (value, scale, negative) in enumerate(zip(sums.values, sums.scales, sums.negative, strict=True)):
            m.submodules[f"term{path}"] = term = ScaledTerm(self)
            m.d.comb += [term.scale.eq(scale), term.sum.eq(value), term.negative.eq(negative)]
            if self.scales.significand_max == 1:  # E8M0 alone: a constant, so that no register is kept for it
                m.d.comb += term.scale.significand.eq(1)
            terms.append(term.term)
        turn = sums.turn
        return Terms(terms, turn.any(), begin & sums.done, turn[-1], turn[-1] & sums.done_last)

    def explain(self) -> str:
        """In words: what is built and why."""
        if self.scales.significand_max == 1:
            return "no multiplier, as E8M0 scales are powers of two"
        bits, cycles = plural(self.scales.significand_bits, "bit"), self.sums.cycles_per_term
        time = plural(cycles, "cycle") if cycles else "less than a cycle"
        return f"a multiplier by all {bits} of the scales' product at once, as each sum has {time} to itself"


class ScaledTerm(wiring.Component):
    """Multiplies a sum by the product of its scales; combinational.

    Ports:
        scale: in, see `Scales.layout`.
        sum: in, `sums.bits` bits: two's complement where `sums.signed`, otherwise a magnitude.
        negative: in, the sign of a magnitude.
        term: out, see `Term.layout`.
    """

    def __init__(self, plan: Whole) -> None:
        self.plan = plan
        super().__init__(
            {
                "scale": In(plan.scales.layout),
                "sum": In(plan.sums.bits),
                "negative": In(1),
                "term": Out(plan.layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [self.term.exponent.eq(self.scale.exponent), self.term.nan.eq(self.scale.nan)]
        if self.plan.signed:
            m.d.comb += self.term.value.eq(self._signed_product(m))
            if self.plan.scales.window:
                m.d.comb += self.term.above.eq(self.scale.above & self.term.value.any())
            return m
        negative, magnitude = self.negative, self.sum
        if self.plan.sums.signed:
            negative = self.sum[-1]
            magnitude = (self.sum ^ negative.replicate(len(self.sum))) + negative
        m.d.comb += [self.term.negative.eq(negative), self.term.magnitude.eq(magnitude * self.scale.significand)]
        return m

    def _signed_product(self, m: Module) -> Value:
        """The sum, two's complement, times the significand, with one row to add per bit of the significand.

        A row's sign bit s weighs -2^n s, which equals 2^n (~s) - 2^n. So rows need no sign extension. The -2^n of all
        rows together are one constant.
        """
        width = len(self.term.value)
        place = len(self.sum) - 1
        columns = Columns(width)
        for index, bit in enumerate(self.scale.significand):
            row = gated(self.sum, bit)
            columns.add(Cat(row[:-1], ~row[-1]), at=index)
        rows = len(self.scale.significand)
        columns.add(Const(-((1 << rows) - 1) << place & ((1 << width) - 1), width))
        low, high = columns.reduce(m, "fa")
        return (low + high)[:width]
