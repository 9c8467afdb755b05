"""From the exact accumulator to float32: find the leading bit, shift it up, round once. Two pipeline stages."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import MacConfig
from amxfp4.hw.round import FLOAT32_BIAS, QUIET_NAN, SIGNIFICAND_BITS, Rounder

# What is left of the shift for the second stage: 8, 4, 2 and 1.
FINE_STAGES = 4


class ExactRounder(wiring.Component):
    """Rounds a two's complement total to float32, ties to even.

    Ports: `total` (`width` bits), `nan`, `overflow`: taken when `valid`. `value` out: float32 bits two cycles later;
    `value_nan`, `value_overflow` with it (a NaN scale hides an overflow).

    The total is shifted up, zeros filling in, until its sign bit stands alone on top: the bits below are the
    magnitude, or, of a negative number, its one's complement. That is too small by one in a last place infinitely far
    down, so the bits that the shift brought in count as ones, and the rounder adds the missing one where it matters:
    no wide negation is needed. Zero is what leaves the top bit clear after the largest shift.
    """

    def __init__(self, config: MacConfig, width: int) -> None:
        self.config = config
        self.width = width
        super().__init__(
            {
                "total": In(width),
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
        # sign, significand, guard
        kept = 1 + SIGNIFICAND_BITS + 1
        stages = (self.width - 1).bit_length()
        value: Value = self.total
        sticky: Value = Const(0, 1)
        shift: list[Value] = []
        for stage in reversed(range(FINE_STAGES, stages)):
            value, sticky, up = self._stage(m, value, sticky, stage, kept + (1 << stage) - 1)
            shift.insert(0, up)

        coarse = Signal(len(value), reset_less=True)
        coarse_sticky = Signal(reset_less=True)
        coarse_shift = Signal(len(shift), reset_less=True)
        nan, overflow = Signal(reset_less=True), Signal(reset_less=True)
        with m.If(self.valid):
            m.d.sync += [
                coarse.eq(value),
                coarse_sticky.eq(sticky),
                coarse_shift.eq(Cat(*shift)),
                nan.eq(self.nan),
                overflow.eq(self.overflow),
            ]

        value, sticky, shift = coarse, coarse_sticky, list(coarse_shift)
        for stage in reversed(range(FINE_STAGES)):
            value, sticky, up = self._stage(m, value, sticky, stage, kept + (1 << stage) - 1)
            shift.insert(0, up)
        self._round(m, value, sticky, Cat(*shift), nan, overflow)
        return m

    @staticmethod
    def _stage(m: Module, value: Value, sticky: Value, stage: int, kept: int) -> tuple[Value, Value, Value]:
        """Shifts up by 2^stage if that loses no more than copies of the sign; keeps `kept` bits, the rest sticky."""
        step = 1 << stage
        top = value[-1 - step :]
        up = Signal(name=f"up{step}")
        shifted = Signal(len(value), name=f"normal{step}")
        m.d.comb += [
            up.eq(top.all() | ~top.any()),
            shifted.eq(Mux(up, Cat(Const(0, step), value[:-step]), value)),
        ]
        if len(value) <= kept:
            return shifted, sticky, up
        return shifted[len(value) - kept :], sticky | shifted[: len(value) - kept].any(), up

    def _round(self, m: Module, value: Value, sticky: Value, shift: Value, nan: Value, overflow: Value) -> None:
        # The bit below the sign has this biased exponent when nothing was shifted; it exceeds 0 and stays below 255
        # for every accumulator of FP8 scales (2^-34 .. 2^94), so neither subnormals nor infinities are built.
        unshifted = self.width - 2 + self.config.lsb_exponent + FLOAT32_BIAS
        sign = value[-1]
        magnitude = value[:-1] ^ sign.replicate(len(value) - 1)
        rounder = m.submodules.rounder = Rounder(8, overflows=False)
        m.d.comb += [
            rounder.significand.eq(magnitude[1:]),
            rounder.guard.eq(magnitude[0]),
            rounder.sticky.eq(sticky),
            rounder.complement.eq(sign),
            rounder.exponent.eq(unshifted - shift),
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
