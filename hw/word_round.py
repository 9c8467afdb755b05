"""From the words of an exact total, as they pass, to float32: keep the leading ones, shift them up, round once."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import MacConfig
from amxfp4.hw.leading import leading_zeros
from amxfp4.hw.round import FLOAT32_BIAS, QUIET_NAN, SIGNIFICAND_BITS, Rounder
from amxfp4.hw.words import choose

# Sign, significand and guard: what is kept of a total once its sign stands alone on top.
KEPT = 1 + SIGNIFICAND_BITS + 1


class WordRounder(wiring.Component):
    """Rounds a two's complement total to float32, ties to even; its words come one a cycle, lowest first.

    Ports: `total`, `passed`, `nan`, `overflow`: see `WordAccumulator`. `valid`: the total that passes ends a dot
    product; looked at with each bit of `passed`. `value` out: float32 bits two cycles after the last bit of `passed`;
    `value_nan`, `value_overflow` with it (a NaN scale hides an overflow).

    A word whose bits all equal the top bit of the word below adds nothing but copies of a sign. Any other is the
    leading word so far, and is kept with the bits below it that may still count. Shifted up until the sign stands
    alone on top, they are rounded as in `ExactRounder`.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        self.words, self.bits = config.words, config.word_bits
        super().__init__(
            {
                "total": In(data.ArrayLayout(self.bits, self.words)),
                "passed": In(self.words),
                "nan": In(1),
                "overflow": In(1),
                "valid": In(1),
                "value": Out(32),
                "value_nan": Out(1),
                "value_overflow": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        leading = Signal(self.bits + KEPT - 1, reset_less=True)
        sticky, place, zeros = self._lead(m, leading)
        nan, overflow = Signal(reset_less=True), Signal(reset_less=True)
        with m.If(self.passed[-1] & self.valid):
            m.d.sync += [nan.eq(self.nan), overflow.eq(self.overflow)]

        value: Value = leading
        for stage in reversed(range(len(zeros))):
            shifted = Signal(len(value), name=f"normal{1 << stage}")
            m.d.comb += shifted.eq(Mux(zeros[stage], value << (1 << stage), value))
            # What the stages to come cannot bring up any more counts as something or nothing.
            kept = min(len(value), KEPT + (1 << stage) - 1)
            sticky = sticky | shifted[: len(value) - kept].any()
            value = shifted[len(value) - kept :]
        self._round(m, value, sticky, place, zeros, nan, overflow)
        return m

    def _lead(self, m: Module, leading: Signal) -> tuple[Value, Value, Value]:
        """Keeps the leading word and the bits below it in `leading`. Gives whether anything lies below those, the
        word's number, and the copies of the sign on top but one."""
        below = -(-(KEPT - 1) // self.bits)
        top, *lower = (self.total[self.words - 1 - index] for index in range(below + 1))
        # The words below the lowest are 0, not what is left of another total.
        lower = [choose(word, ~self.passed[: index + 1].any()) for index, word in enumerate(lower)]
        window = Cat(*reversed(lower), top)
        cut = len(window) - len(leading)

        under = Signal(reset_less=True)  # something lies below the words in `window`
        under_lowest = under & ~self.passed[0]
        sticky = Signal(reset_less=True)
        place = Signal(range(self.words), reset_less=True)
        zeros = Signal((self.bits - 1).bit_length(), reset_less=True)
        count, _ = leading_zeros(m, top ^ Cat(lower[0][-1], top[:-1]), "zeros")
        same = (top == lower[0][-1].replicate(self.bits)) & ~self.passed[0]
        with m.If(self.passed.any() & self.valid):
            m.d.sync += under.eq(under_lowest | lower[-1].any())
        with m.If(self.passed.any() & self.valid & ~same):
            m.d.sync += [
                leading.eq(window[cut:]),
                sticky.eq(under_lowest | window[:cut].any()),
                zeros.eq(count),
                place.eq(
                    Cat(
                        *(
                            Cat(*(bit for k, bit in enumerate(self.passed) if k >> digit & 1)).any()
                            for digit in range(len(place))
                        )
                    )
                ),
            ]
        return sticky, place, zeros

    def _round(
        self, m: Module, value: Value, sticky: Value, place: Value, zeros: Value, nan: Value, overflow: Value
    ) -> None:
        # The bit below the sign has this biased exponent in word 0 when nothing is shifted; see `ExactRounder`.
        lowest = self.bits - 2 + self.config.lsb_exponent + FLOAT32_BIAS
        sign = value[-1]
        magnitude = value[:-1] ^ sign.replicate(len(value) - 1)
        rounder = m.submodules.rounder = Rounder(8, overflows=False)
        m.d.comb += [
            rounder.significand.eq(magnitude[1:]),
            rounder.guard.eq(magnitude[0]),
            rounder.sticky.eq(sticky),
            rounder.complement.eq(sign),
            rounder.exponent.eq(lowest + place * self.bits - zeros),
        ]
        special = nan | overflow
        number = Cat(rounder.fraction, rounder.exponent_field, sign)
        # Looked at only when valid: no reset.
        result = Signal(data.StructLayout({"value": 32, "nan": 1, "overflow": 1}), reset_less=True)
        m.d.sync += [
            result.value.eq(Mux(special, QUIET_NAN, number)),
            result.nan.eq(special),
            result.overflow.eq(overflow & ~nan),
        ]
        m.d.comb += [
            self.value.eq(result.value),
            self.value_nan.eq(result.nan),
            self.value_overflow.eq(result.overflow),
        ]
