"""A term scaled and shifted in one register: one bit of the scales' product per cycle, then one place per cycle.

Such a term needs neither a multiplier nor a shifter, and no register behind it. A block must have enough beats for all
of its steps.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib.wiring import In

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.front import SumsInTurn
from amxfp4.hw.mac.registers import Terms
from amxfp4.hw.mac.scale import Scales
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_digits import TermInSteps
from amxfp4.hw.mac.words import WordSplit, word_and_places


@dataclass(frozen=True)
class Placed(TermOfSum):
    """A term that comes at its place in a word of the accumulator.

    Attributes:
        split: the words of the accumulator.
    """

    split: WordSplit

    title = "placed"

    @classmethod
    def fits(cls, sums: Sums, split: WordSplit) -> bool:
        """Whether a block has enough cycles for all steps of a term.

        | step | cycles |
        |---|---|
        | taking the sum | 1 |
        | multiplying, one bit of the scales' product per cycle | `significand_bits` |
        | moving to the place within a word | `word_bits` - 1 |
        | adding, one word per cycle | `words` |
        """
        return Scales(sums.products).significand_bits + split.word_bits + split.words <= sums.beats

    @property
    def digits(self) -> int:
        """Bits of the scales' product, each of which is a digit."""
        return self.scales.significand_bits

    @property
    def places(self) -> int:
        """The most places by which the value comes shifted up."""
        return self.split.word_bits - 1

    @property
    def cycles(self) -> int:
        """Cycles from a block sum to its term, beyond the first: one per bit but the first, one per place, and one for
        the register."""
        return self.digits - 1 + self.places + 1

    def build(self, m: Module, sums: SumsInTurn) -> "PlacedTerms":
        m.submodules.term0 = term = PlacedTerm(self)
        # The term and its flags stay until the next block's end.
        last, first = Signal(init=1, name="block_last"), Signal(reset_less=True, name="block_first")
        beat = sums.beat
        with m.If(beat.valid & beat.ends):
            m.d.sync += [first.eq(last), last.eq(beat.last)]
        m.d.comb += [term.start.eq(sums.done), term.sum.eq(sums.values[0]), term.scale.eq(sums.scales[0])]
        return PlacedTerms([term.term], term.ready, first, Const(1, 1), last, take=term.take)

    def explain(self) -> str:
        """In words: what is built and why."""
        return (
            f"one register, which multiplies by 1 bit of the scales' product per cycle, then moves down 1 place per "
            f"cycle; {self.cycles + 1} cycles and {self.split.words} words fit the {self.sums.beats} beats of a block"
        )


@dataclass(frozen=True)
class PlacedTerms(Terms):
    """Terms that move down by one word whenever their lowest word has been added.

    Attributes:
        take: the lowest word is being added. The accumulator drives it.
    """

    take: Value


class PlacedTerm(TermInSteps):
    """Multiplies a sum by the product of its scales, one bit per cycle, and shifts it to its place in a word.

    Ports: see `TermInSteps`, with one more:
        take: in, 1 bit: the term's lowest word is being added. The other words move down by one.

    `scale` is held until the term has been added. `ready` comes `digits` + `word_bits` cycles after `start`. The term
    stays until the next `start`, except that it moves down with `take`.

    The bits of the significand add to the product at the top of the register, and the whole register moves down one
    place per cycle. After the last bit the product stands at the highest offset that a term can have within a word. It
    keeps moving down one place per cycle and stops at the offset that the exponent asks for.
    """

    def __init__(self, plan: Placed) -> None:
        self.plan = plan
        super().__init__(plan, take=In(1))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.plan
        significand = self.scale.significand
        moves = plan.digits + plan.places
        # 0 at rest; otherwise it counts up, and wraps after the last move that a term may make.
        count = Signal(range(moves + 1))
        begin = (1 << len(count)) - moves
        with m.If(self.start):
            m.d.sync += count.eq(begin)
        with m.Elif(count.any()):
            m.d.sync += count.eq(count + 1)
        ready = Signal()
        m.d.sync += ready.eq(count.all())

        bit = Signal()
        with m.Switch(count):
            for index in range(plan.digits):
                with m.Case(begin + index):
                    m.d.comb += bit.eq(significand[index])
        # The places that the exponent leaves out are the last moves: only in these does count + places pass all ones.
        _, places = word_and_places(plan.split, plan.scales, self.scale.exponent)
        moving = count.any() & ~(count + places)[len(count)]

        held = Signal(len(self.sum), reset_less=True)
        # The top adds a row, |sum| at most, to half a product of less than 2 |sum|. So it has one bit more than a sum.
        low = moves - 1
        product = Signal(low + len(held) + 1, reset_less=True)
        moved: Value = Cat(product[1:], product[-1])
        row = gated(held, bit)
        with m.If(self.start):
            m.d.sync += [held.eq(self.sum), product.eq(0)]
        with m.Elif(self.take):
            m.d.sync += product.eq(product.as_signed() >> plan.split.word_bits)
        with m.Elif(moving):
            m.d.sync += product.eq(Cat(moved[:low], moved[low:].as_signed() + row.as_signed()))
        m.d.comb += [
            self.ready.eq(ready),
            self.term.value.eq(product),
            self.term.exponent.eq(self.scale.exponent),
            self.term.nan.eq(self.scale.nan),
        ]
        return m
