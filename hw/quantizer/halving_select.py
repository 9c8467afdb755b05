"""Whether a side of a block may be halved: whether its largest magnitude is at most 7 times half the block's scale.

The scale is known only after the block's last beat. What is kept of a side until then is not its maximum but the
number of scale codes that are too small for it, which is narrower, and grows with the maximum as a scale code does.
"""

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.step_count import count_steps


class HalvingSelect(wiring.Component):
    """Counts the scale codes under which one side of a block cannot be halved; combinational.

    Ports: `maximum` in: the side's largest magnitude, with whether anything lies below what is kept of it. `too_small`
    out: how many of the finite codes from 1 on are too small. Code 0 always is: nothing is halved under it.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"maximum": In(config.maximum_bits), "too_small": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        fraction_bits = config.maximum_fraction_bits
        too_small = count_steps(
            m,
            config.halving_steps,
            self.maximum[:fraction_bits],
            self.maximum[fraction_bits:],
            window_bias=config.window_bias,
            mantissa_bits=config.block_format.scale.mantissa_bits,
        )
        m.d.comb += self.too_small.eq(too_small)
        return m


def halved_sides(code: Value, too_small: tuple[Value, Value]) -> list[Value]:
    """Which sides of a block with this scale code are halved: those within the limit, but never both.

    The largest magnitude is about 6 scales, so that only the smallest code lets both be within 7 halves of one.
    """
    positive, negative = (~at_least(count, code) for count in too_small)
    return [positive & ~negative, negative & ~positive]
