"""From the words of an exact total to float32 in place: a few places per cycle, in one register."""

import functools
import operator
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.round import FRACTION_BITS, KEPT, QUIET_NAN, round_total
from amxfp4.hw.arith.shift import shift_out_signs
from amxfp4.hw.config import plural
from amxfp4.hw.mac.round_words import LeadingWord, RounderOfWords, RoundingOfWords
from amxfp4.hw.mac.words import WordSplit

PLACES = (1, 3)
"""Places per cycle, the smallest rounder first: 1, or 3 where 1 would be too slow."""


@dataclass(frozen=True)
class InPlace(RoundingOfWords):
    """A rounder that shifts a total up by a few places per cycle.

    Attributes:
        places: how many per cycle.
    """

    places: int

    title = "in place"

    @property
    def cycles(self) -> int:
        """Cycles from a total's last word to the result: one for the register, one per shift, and one to round."""
        return 2 + -(-(self.split.word_bits - 1) // self.places)

    @classmethod
    def choices(cls, split: WordSplit, least_exponent: int, gap: int) -> "list[InPlace]":
        """The forms that are ready in time, the smallest first.

        A term's words pass in the cycles 1 .. `words` after it, and the result comes `cycles` later. The result must be
        ready by the cycle of the next dot product's first term, because that term restarts the NaN and overflow flags
        that the result still reads.

        Args:
            gap: cycles from a dot product's last term to the next one's first, at least.
        """
        forms = (cls(split, least_exponent, places) for places in PLACES)
        return [form for form in forms if split.words + form.cycles <= gap]

    def rounder(self) -> "InPlaceRounder":
        return InPlaceRounder(self)

    def explain(self) -> str:
        """In words: what is built and why."""
        places = plural(self.places, "place")
        return (
            f"the leading word is kept as the words pass, then shifted up by {places} per cycle and rounded in one "
            f"register: {self.cycles} cycles, before the next dot product's first term"
        )


class InPlaceRounder(RounderOfWords):
    """As `WordRounder`, in more cycles and less area.

    Ports: as those of `WordRounder`, but `nan` and `overflow` stay from the last bit of `passed` until after `ready`.
    `ready` comes `cycles` cycles after that bit.

    The kept bits of the total are shifted up by `places` places per cycle until their sign stands alone on top, by
    `word_bits` - 1 places at most. The exponent counts down meanwhile. Then they are rounded in place: one register is
    first the kept bits, then the significand, and last the result.
    """

    def __init__(self, plan: InPlace) -> None:
        super().__init__(plan)
        self.places, self.cycles = plan.places, plan.cycles

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycles = self.cycles - 1  # of shifting, and one of rounding
        lead = LeadingWord(m, self)
        leading = Signal(len(lead.kept), reset_less=True)
        sticky = Signal(reset_less=True)
        exponent = Signal(8, reset_less=True)

        # 0 at rest; otherwise it counts up, and wraps after the cycle that rounds.
        count = Signal(range(cycles + 1))
        ready = Signal()
        start = (1 << len(count)) - cycles
        complete = self.passed[-1] & self.valid
        with m.If(complete):
            m.d.sync += count.eq(start)
        with m.Elif(count.any()):
            m.d.sync += count.eq(count + 1)
        rounds = count.all()
        m.d.sync += ready.eq(rounds)

        special = self.nan | self.overflow
        value, number = self._shifted(m, leading, exponent)
        rest = leading[: self.bits - 1]
        rounded = round_total(m, leading[-KEPT:], sticky | rest.any(), exponent)
        fraction = slice(len(leading) - 2 - FRACTION_BITS, len(leading) - 2)
        result = Cat(leading[fraction], exponent, leading[-1])
        with m.If(lead.found):
            m.d.sync += [leading.eq(lead.kept), sticky.eq(lead.sticky)]
            starts = (gated(Const(self.plan.unshifted(word), 8), here) for word, here in enumerate(self.passed))
            m.d.sync += exponent.eq(functools.reduce(operator.or_, starts))
        with m.Elif(rounds):
            m.d.sync += result.eq(Mux(special, QUIET_NAN, rounded))
        with m.Elif(count.any()):
            m.d.sync += [leading.eq(value), exponent.eq(number)]
        m.d.comb += [
            self.result.value.eq(result),
            self.result.nan.eq(special),
            self.result.overflow.eq(self.overflow & ~self.nan),
            self.ready.eq(ready),
        ]
        return m

    def _shifted(self, m: Module, value: Value, exponent: Value) -> tuple[Value, Value]:
        """Shifts up by as many places as one cycle allows and as lose only copies of the sign.

        Returns:
            The shifted value, and the exponent less the places.
        """
        down: list[Value] = []
        for stage in reversed(range(self.places.bit_length())):
            value, up = shift_out_signs(m, value, 1 << stage, "shifted")
            down.insert(0, up)
        return value, exponent - Cat(*down)
