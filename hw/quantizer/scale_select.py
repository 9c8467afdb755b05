"""A block's scale from its largest magnitude, without a divider.

FP8: the code is the number of thresholds (6 x midpoint of two neighbouring scales) that the maximum meets.

E8M0: the code is the exponent field of the maximum less 2, as the largest element's exponent is 2. By the rules "even"
and "ceil" it is one more where the maximum reaches the rule's threshold (`power_rule.py`).
"""

from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.step_count import count_met

# The largest element, 6, lies in [2^2, 2^3).
ELEMENT_EXPONENT = 2


class ScaleSelect(wiring.Component):
    """Selects the scale of one side of a block; combinational.

    Ports:
        maximum: in, `maximum_bits` bits: a magnitude, exponent above fraction; for E8M0 see `narrow.magnitude_of`.
        code: out, the scale's code. Blocks with a NaN are not this component's matter.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"maximum": In(config.maximum_bits), "code": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        if config.rounds_up:
            reaches, field = self.maximum[0], self.maximum[1:]
            # 6 times the code after the largest one would exceed float32's range.
            more = reaches & ~field[1:].all()
            m.d.comb += self.code.eq(Mux(field[1:].any(), field - ELEMENT_EXPONENT + more, 0))
            return m
        if not config.fp8:
            m.d.comb += self.code.eq(Mux(self.maximum[1:].any(), self.maximum - ELEMENT_EXPONENT, 0))
            return m
        m.d.comb += self.code.eq(count_met(m, config, config.scale_steps, self.maximum[config.maximum_sticky :]))
        return m
