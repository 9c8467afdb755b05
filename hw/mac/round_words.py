"""From the words of an exact total, as they pass, to float32: keep the leading ones, shift them up, round once.

Two forms: `WordRounder` shifts and rounds in a cycle each, into a register of its own; `SerialRounder`, where the next
dot product is far enough away, by a place a cycle or three, and rounds in place.
"""

import functools
import operator

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.leading import leading_zeros
from amxfp4.hw.arith.round import FLOAT32_BIAS, FRACTION_BITS, KEPT, QUIET_NAN, result_register, round_total
from amxfp4.hw.mac.acc_words import choose
from amxfp4.hw.mac.config import MacConfig


class _RounderOfWords(wiring.Component):
    """What both forms have in common: their ports, for which see `WordRounder`."""

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        self.words, self.bits = config.words, config.word_bits
        super().__init__(
            {
                "total": In(data.ArrayLayout(config.word_bits, config.words)),
                "passed": In(config.words),
                "nan": In(1),
                "overflow": In(1),
                "valid": In(1),
                "result": Out(config.result_layout),
                "ready": Out(1),
            }
        )


class _Leading:
    """Finds the leading word of a total whose words pass one a cycle, lowest first.

    A word whose bits all equal the top bit of the word below adds nothing but copies of a sign. Any other is the
    leading word so far, and is kept with the bits below it that may still count.

    top, below: the word that passes, and the top bit of the one below it
    found: the word that passes is the leading word so far
    kept: it and as many bits below it as may still come up, `word_bits` - 1 + `KEPT`
    sticky: whether anything lies below those
    """

    def __init__(self, m: Module, rounder: _RounderOfWords) -> None:
        words, bits, passed = rounder.words, rounder.bits, rounder.passed
        below = -(-(KEPT - 1) // bits)
        top, *lower = (rounder.total[words - 1 - index] for index in range(below + 1))
        # The words below the lowest are 0, not what is left of another total.
        lower = [choose(word, ~passed[: index + 1].any()) for index, word in enumerate(lower)]
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


def _unshifted(config: MacConfig, word: int) -> int:
    """Biased exponent of the bit below the sign of a total whose leading word is this one, when nothing is shifted."""
    return (word + 1) * config.word_bits - 2 + config.lsb_exponent + FLOAT32_BIAS


class WordRounder(_RounderOfWords):
    """Rounds a two's complement total to float32, ties to even; its words come one a cycle, lowest first.

    Ports: `total`, `passed`, `nan`, `overflow`: see `WordAccumulator`. `valid`: the total that passes ends a dot
    product; looked at with each bit of `passed`. `result` out, two cycles after the last bit of `passed`, when `ready`
    is set: see `MacConfig.result_layout` (a NaN scale hides an overflow).
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lead = _Leading(m, self)
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
            shifted = Signal(len(value), name=f"normal{1 << stage}")
            m.d.comb += shifted.eq(Mux(zeros[stage], value << (1 << stage), value))
            # What the stages to come cannot bring up any more counts as something or nothing.
            kept = min(len(value), KEPT + (1 << stage) - 1)
            sticky = sticky | shifted[: len(value) - kept].any()
            value = shifted[len(value) - kept :]
        rounded = round_total(m, value, sticky, _unshifted(self.config, 0) + place * self.bits - zeros)
        ready = Signal(2)
        m.d.sync += ready.eq(Cat(complete, ready[0]))
        m.d.comb += [self.result.eq(result_register(m, rounded, nan, overflow)), self.ready.eq(ready[1])]
        return m


class SerialRounder(_RounderOfWords):
    """As `WordRounder`, in more cycles and less area.

    Ports: as those of `WordRounder`; `nan` and `overflow` stay from the last bit of `passed` until after `ready`, which
    comes `config.round_cycles` cycles after that bit.

    What is kept of the total is shifted up by `config.round_places` places a cycle until its sign stands alone on top,
    `word_bits` - 1 places at most, while the exponent counts down. It is then rounded in place: the register is window,
    significand and result.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycles = self.config.round_cycles - 1  # of shifting, and one of rounding
        lead = _Leading(m, self)
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
            starts = (choose(Const(_unshifted(self.config, word), 8), here) for word, here in enumerate(self.passed))
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
        """Shifted up by as many places as a cycle may, if that loses no more than copies of the sign."""
        down: list[Value] = []
        for stage in reversed(range(self.config.round_places.bit_length())):
            step = 1 << stage
            top = value[-1 - step :]
            up = Signal(name=f"up{step}")
            shifted = Signal(len(value), name=f"shifted{step}")
            m.d.comb += [
                up.eq(top.all() | ~top.any()),
                shifted.eq(Mux(up, Cat(Const(0, step), value[:-step]), value)),
            ]
            down.insert(0, up)
            value = shifted
        return value, exponent - Cat(*down)
