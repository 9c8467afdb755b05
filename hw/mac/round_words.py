"""From the words of an exact total, as they pass, to float32: keep the leading words, shift them up, round once.

Two ways to shift stand in two files. `WordRounder` here shifts and rounds in one cycle each, into a register of its
own; `round_in_place.py` takes more cycles and less area.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.leading import leading_zeros
from amxfp4.hw.arith.round import FLOAT32_BIAS, KEPT, RESULT_LAYOUT, result_register, round_total
from amxfp4.hw.arith.shift import shift_up_once
from amxfp4.hw.mac.registers import TotalInWords
from amxfp4.hw.mac.words import WordSplit


@dataclass(frozen=True)
class RoundingOfWords(ABC):
    """The common part of rounders of a total in words.

    Attributes:
        split: the total's words.
        least_exponent: weight of the total's least bit, as a power of two.
    """

    split: WordSplit
    least_exponent: int

    @abstractmethod
    def rounder(self) -> "RounderOfWords":
        """The component that rounds."""

    def build(self, m: Module, total: TotalInWords, o: stream.Interface) -> None:
        """Rounds totals into `o`; submodules go to `m`."""
        m.submodules.rounder = rounder = self.rounder()
        m.d.comb += [
            rounder.total.eq(total.total),
            rounder.passed.eq(total.passed),
            rounder.nan.eq(total.nan),
            rounder.overflow.eq(total.overflow),
            rounder.valid.eq(total.valid),
            o.valid.eq(rounder.ready),
            o.payload.eq(rounder.result),
        ]

    def unshifted(self, word: int) -> int:
        """Biased exponent of the bit below the sign, unshifted, of a total whose leading word is `word`."""
        return (word + 1) * self.split.word_bits - 2 + self.least_exponent + FLOAT32_BIAS


@dataclass(frozen=True)
class ByWords(RoundingOfWords):
    """A rounder that keeps the leading word as words pass, and shifts within it at once."""

    title = "by words"
    cycles = 2

    def rounder(self) -> "WordRounder":
        return WordRounder(self)

    def explain(self) -> str:
        """In words: what is built and why."""
        return (
            f"the leading word is kept as the words pass; a shifter over {self.split.word_bits} places, in "
            f"{self.cycles} cycles, as the next dot product may begin too soon for a place per cycle"
        )


class RounderOfWords(wiring.Component):
    """The common part of both rounders: their ports, for which see `WordRounder`."""

    def __init__(self, plan: RoundingOfWords) -> None:
        self.plan = plan
        self.words, self.bits = plan.split.words, plan.split.word_bits
        super().__init__(
            {
                "total": In(data.ArrayLayout(self.bits, self.words)),
                "passed": In(self.words),
                "nan": In(1),
                "overflow": In(1),
                "valid": In(1),
                "result": Out(RESULT_LAYOUT),
                "ready": Out(1),
            }
        )


class LeadingWord:
    """Finds the leading word of a total whose words pass one per cycle, lowest first.

    A word whose bits all equal the top bit of the word below adds only copies of a sign. Any other word is the leading
    word so far. It is kept, with the bits below it that may still count.

    Attributes:
        top, below: the word that passes, and the top bit of the word below it.
        found: the word that passes is the leading word so far.
        kept: `word_bits` - 1 + `KEPT` bits: that word, and the bits below it that a shift may still bring up.
        sticky: something non-zero lies below the kept bits.
    """

    def __init__(self, m: Module, rounder: RounderOfWords) -> None:
        words, bits, passed = rounder.words, rounder.bits, rounder.passed
        below = -(-(KEPT - 1) // bits)
        top, *lower = (rounder.total[words - 1 - index] for index in range(below + 1))
        # The words below the lowest are 0, not what is left of another total.
        lower = [gated(word, ~passed[: index + 1].any()) for index, word in enumerate(lower)]
        window = Cat(*reversed(lower), top)
        cut = len(window) - (bits - 1 + KEPT)

        under = Signal(reset_less=True)  # something lies below the words in `window`
        under_lowest = under & ~passed[0]
        with m.If(passed.any() & rounder.valid):
            m.d.sync += under.eq(under_lowest | lower[-1].any())
        self.top, self.below = top, lower[0][-1]
        same = (top == self.below.replicate(bits)) & ~passed[0]
        self.found = passed.any() & rounder.valid & ~same
        self.kept = window[cut:]
        self.sticky = under_lowest | window[:cut].any()


class WordRounder(RounderOfWords):
    """Rounds a two's complement total to float32, ties to even. Its words come one per cycle, lowest first.

    Ports:
        total, passed, nan, overflow: in, see `WordAccumulator`.
        valid: in, 1 bit: the total that passes ends a dot product; looked at with each bit of `passed`.
        result: out, see `RESULT_LAYOUT`, two cycles after the last bit of `passed`. A NaN scale hides an overflow.
        ready: out, 1 bit: the result is there.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lead = LeadingWord(m, self)
        leading = Signal(len(lead.kept), reset_less=True)
        sticky: Value = Signal(reset_less=True)
        place = Signal(range(self.words), reset_less=True)
        zeros = Signal((self.bits - 1).bit_length(), reset_less=True)
        count, _ = leading_zeros(m, lead.top ^ Cat(lead.below, lead.top[:-1]), "zeros")
        number = (
            Cat(*(bit for k, bit in enumerate(self.passed) if k >> digit & 1)).any() for digit in range(len(place))
        )
        with m.If(lead.found):
            m.d.sync += [leading.eq(lead.kept), sticky.eq(lead.sticky), zeros.eq(count), place.eq(Cat(*number))]
        complete = self.passed[-1] & self.valid
        nan, overflow = Signal(reset_less=True), Signal(reset_less=True)
        with m.If(complete):
            m.d.sync += [nan.eq(self.nan), overflow.eq(self.overflow)]

        value: Value = leading
        for stage in reversed(range(len(zeros))):
            shifted = shift_up_once(m, value, 1 << stage, zeros[stage], "normal")
            # Bits that later stages cannot bring up any more are gathered in the sticky bit.
            kept = min(len(value), KEPT + (1 << stage) - 1)
            sticky = sticky | shifted[: len(value) - kept].any()
            value = shifted[len(value) - kept :]
        rounded = round_total(m, value, sticky, self.plan.unshifted(0) + place * self.bits - zeros)
        ready = Signal(2)
        m.d.sync += ready.eq(Cat(complete, ready[0]))
        m.d.comb += [self.result.eq(result_register(m, rounded, nan, overflow)), self.ready.eq(ready[1])]
        return m
