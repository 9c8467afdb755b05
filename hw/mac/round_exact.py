"""From an exact total to float32, in two pipeline stages: shift the leading bit to the top, round once."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.round import FLOAT32_BIAS, KEPT, RESULT_LAYOUT, result_register, round_total
from amxfp4.hw.arith.shift import shift_out_signs
from amxfp4.hw.mac.registers import Total

# Shifts of the second pipeline stage: 8, 4, 2 and 1.
FINE_STAGES = 4


@dataclass(frozen=True)
class AtOnce:
    """A rounder that takes a whole total at once.

    Attributes:
        width: of the total, two's complement.
        least_exponent: weight of its least bit, as a power of two.
    """

    width: int
    least_exponent: int

    title = "at once"
    cycles = 2

    def build(self, m: Module, total: Total, o: stream.Interface) -> None:
        """Rounds totals into `o`; submodules go to `m`."""
        m.submodules.rounder = rounder = ExactRounder(self)
        m.d.comb += [
            rounder.total.eq(total.total),
            rounder.nan.eq(total.nan),
            rounder.overflow.eq(total.overflow),
            rounder.valid.eq(total.valid),
            o.valid.eq(rounder.ready),
            o.payload.eq(rounder.result),
        ]

    def explain(self) -> str:
        """In words: what is built and why."""
        return f"a shifter over all {self.width} bits of the total, in {self.cycles} cycles"


class ExactRounder(wiring.Component):
    """Rounds a two's complement total to float32, ties to even.

    Ports:
        total: in, `width` bits, two's complement.
        nan, overflow: in, 1 bit.
        valid: in, 1 bit: take the inputs above.
        result: out, see `RESULT_LAYOUT`, two cycles after `valid`. A NaN scale hides an overflow.
        ready: out, 1 bit: the result is there.

    The total is shifted up until its sign stands alone on top (see `round_total`).
    """

    def __init__(self, plan: AtOnce) -> None:
        self.plan = plan
        super().__init__(
            {
                "total": In(plan.width),
                "nan": In(1),
                "overflow": In(1),
                "valid": In(1),
                "result": Out(RESULT_LAYOUT),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stages = (self.plan.width - 1).bit_length()
        value: Value = self.total
        sticky: Value = Const(0, 1)
        shift: list[Value] = []
        for stage in reversed(range(FINE_STAGES, stages)):
            value, sticky, up = self._stage(m, value, sticky, stage)
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
            value, sticky, up = self._stage(m, value, sticky, stage)
            shift.insert(0, up)
        # Biased exponent of the bit below the sign, where nothing was shifted.
        unshifted = self.plan.width - 2 + self.plan.least_exponent + FLOAT32_BIAS
        number = round_total(m, value, sticky, unshifted - Cat(*shift))
        ready = Signal(2)
        m.d.sync += ready.eq(Cat(self.valid, ready[0]))
        m.d.comb += [self.result.eq(result_register(m, number, nan, overflow)), self.ready.eq(ready[1])]
        return m

    @staticmethod
    def _stage(m: Module, value: Value, sticky: Value, stage: int) -> tuple[Value, Value, Value]:
        """Shifts up by 2^stage places if the shift loses only copies of the sign.

        Returns:
            The bits that later stages may still bring up; the sticky bit, into which the bits below are gathered; and
            whether the value was shifted.
        """
        kept = KEPT + (1 << stage) - 1
        shifted, up = shift_out_signs(m, value, 1 << stage, "normal")
        if len(value) <= kept:
            return shifted, sticky, up
        return shifted[len(value) - kept :], sticky | shifted[: len(value) - kept].any(), up
