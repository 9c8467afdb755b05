"""From the exact accumulator to float32: find the leading bit, shift it up, round once. Two pipeline stages."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.round import FLOAT32_BIAS, KEPT, result_register, round_total
from amxfp4.hw.mac.config import MacConfig

# What is left of the shift for the second stage: 8, 4, 2 and 1.
FINE_STAGES = 4


class ExactRounder(wiring.Component):
    """Rounds a two's complement total to float32, ties to even.

    Ports: `total` (`width` bits), `nan`, `overflow`: taken when `valid`. `result` out, two cycles later, when `ready`
    is set: see `MacConfig.result_layout` (a NaN scale hides an overflow).

    The total is shifted up until its sign stands alone on top (see `round_total`).
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
                "result": Out(config.result_layout),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stages = (self.width - 1).bit_length()
        value: Value = self.total
        sticky: Value = Const(0, 1)
        shift: list[Value] = []
        for stage in reversed(range(FINE_STAGES, stages)):
            value, sticky, up = self._stage(m, value, sticky, stage, KEPT + (1 << stage) - 1)
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
            value, sticky, up = self._stage(m, value, sticky, stage, KEPT + (1 << stage) - 1)
            shift.insert(0, up)
        # The bit below the sign has this biased exponent when nothing was shifted.
        unshifted = self.width - 2 + self.config.lsb_exponent + FLOAT32_BIAS
        number = round_total(m, value, sticky, unshifted - Cat(*shift))
        ready = Signal(2)
        m.d.sync += ready.eq(Cat(self.valid, ready[0]))
        m.d.comb += [self.result.eq(result_register(m, number, nan, overflow)), self.ready.eq(ready[1])]
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
