"""A term in several cycles: a block sum multiplied by one digit of the scales' product per cycle.

A digit of n bits takes n rows to add, fewer than in `term_whole.py`. A block must leave enough cycles for all digits.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import columns_of
from amxfp4.hw.config import plural
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.front import SumsInTurn
from amxfp4.hw.mac.registers import Terms
from amxfp4.hw.mac.term import TermOfSum

ROWS_WORTH_SAVING = 5
"""Rows of the multiplier that digits must save: fewer do not pay for holding the sum and the growing product."""


@dataclass(frozen=True)
class Digits(TermOfSum):
    """A term made of digits of the scales' product.

    Attributes:
        digit_bits: bits of the scales' product by which a sum is multiplied in one cycle.
        held: whether a term stays where it was made until it has been added, as the next term is begun only later. It
            then needs no register of its own.
    """

    digit_bits: int
    held: bool

    title = "digits"

    @classmethod
    def over(cls, sums: Sums, cycles: int, held_for: int) -> "Digits":
        """The narrowest digits that all pass in `cycles` cycles.

        Args:
            held_for: cycles for which a term must be there to be added.
        """
        bits = sums.scales.significand_bits
        digit_bits = -(-bits // cycles)
        digits = -(-bits // digit_bits)
        return cls(sums, digit_bits, held=digits + held_for <= sums.beats)

    @property
    def rows_saved(self) -> int:
        """Rows of the multiplier that a term does without, compared with a whole one."""
        return self.scales.significand_bits - self.digit_bits

    @property
    def digits(self) -> int:
        """The number of digits. One is used per cycle."""
        return -(-self.scales.significand_bits // self.digit_bits)

    @property
    def cycles(self) -> int:
        return self.digits - 1

    def build(self, m: Module, sums: SumsInTurn) -> Terms:
        begin = Signal(init=1)  # the next block begins a dot product
        m.submodules.term0 = term = DigitTerm(self)
        m.d.comb += [term.start.eq(sums.done), term.sum.eq(sums.values[0]), term.scale.eq(sums.scales[0])]
        with m.If(term.ready):
            m.d.sync += begin.eq(sums.done_last)
        return Terms([term.term], term.ready, begin & term.ready, term.ready, term.ready & sums.done_last)

    def explain(self) -> str:
        """In words: what is built and why."""
        stays = "; the term stays there until it has been added" if self.held else ""
        return (
            f"a multiplier by {plural(self.digit_bits, 'bit')} of the scales' product per cycle, {self.digits} cycles "
            f"for all {self.scales.significand_bits} bits, as a term has {self.sums.beats} cycles to itself{stays}"
        )


class TermInSteps(wiring.Component):
    """The common part of terms made in several cycles: their ports.

    Args:
        plan: the form of the term.
        more: further ports of a form.

    Ports:
        start: in, 1 bit: take `sum`.
        sum: in, `sums.bits` bits, two's complement.
        scale: in, see `Scales.layout`; held from `start` on.
        ready: out, 1 bit: the term is there.
        term: out, see `Term.layout`.
    """

    def __init__(self, plan: TermOfSum, **more: wiring.Member) -> None:
        super().__init__(
            {
                "start": In(1),
                "sum": In(plan.sums.bits),
                "scale": In(plan.scales.layout),
                **more,
                "ready": Out(1),
                "term": Out(plan.layout),
            }
        )


class DigitTerm(TermInSteps):
    """Multiplies a sum by the product of its scales, `digits` digits of `digit_bits` bits, lowest first.

    Ports: see `TermInSteps`. `scale` is held until the term is taken. `ready` comes `digits` - 1 cycles after `start`.
    `term` is there together with `ready`. With `held` it is there from the cycle after `ready` until the next `start`.
    """

    def __init__(self, plan: Digits) -> None:
        self.plan = plan
        super().__init__(plan)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        digits, bits = self.plan.digits, self.plan.digit_bits
        later = Signal(digits - 1)
        step = Cat(self.start, later)
        m.d.sync += later.eq(step[:-1])

        taken: Value = self.sum
        if not self.plan.signed:  # the magnitude of the sum
            taken = (self.sum ^ self.sum[-1].replicate(len(self.sum))) + self.sum[-1]
            negative = Signal(reset_less=True)
            with m.If(self.start):
                m.d.sync += negative.eq(self.sum[-1])
            m.d.comb += self.term.negative.eq(negative)
        held = Signal(len(self.sum), reset_less=True)
        with m.If(self.start):
            m.d.sync += held.eq(taken)
        value = Mux(self.start, taken, held)[: len(self.sum)]

        significand = Cat(self.scale.significand, Const(0, digits * bits - len(self.scale.significand)))
        digit = Signal(bits)
        for index, here in enumerate(step):
            with m.If(here):
                m.d.comb += digit.eq(significand[index * bits :][:bits])

        # The growing product stands on top of `low` bits that no later digit changes; both move down a digit per cycle.
        low, width = (digits - 1) * bits, len(self.sum) + bits
        product = Signal(low + width, reset_less=True)
        moved = Cat(product[bits:], product[-1].replicate(bits))
        rows = [gated(moved[low:], ~self.start)]
        for place, bit in enumerate(digit):
            row = gated(value, bit)
            rows.append(Cat(Const(0, place), row, row[-1].replicate(width - place - len(row))))
        row0, row1 = columns_of(width, rows).reduce(m, "fa")
        total = Signal(low + width)
        m.d.comb += total.eq(Cat(moved[:low], (row0 + row1)[:width]))
        with m.If(step.any()):
            m.d.sync += product.eq(total)
        m.d.comb += [
            self.ready.eq(step[-1]),
            (self.term.value if self.plan.signed else self.term.magnitude).eq(product if self.plan.held else total),
            self.term.exponent.eq(self.scale.exponent),
            self.term.nan.eq(self.scale.nan),
        ]
        return m
