"""Whether a side of a block may be halved: its largest magnitude is at most 7 times half the block's scale.

The scale is known only after the block's last beat. Until then a side is kept as the number of scale codes that are too
small for it, not as its maximum. That number is narrower than the maximum and grows with it, as a scale code does.
"""

from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.step_count import count_met


class HalvingSelect(wiring.Component):
    """Counts the scale codes under which one side of a block cannot be halved; combinational.

    Ports:
        maximum: in, `maximum_bits` bits: the side's largest magnitude. Its lowest bit is sticky: something non-zero
            lies below the kept bits.
        too_small: out, as wide as a scale code: the number of finite codes, from 1 on, that are too small.

    Code 0 is always too small: no side is halved under it.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"maximum": In(config.maximum_bits), "too_small": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.too_small.eq(count_met(m, self.config, self.config.halving_steps, self.maximum))
        return m


def halved_sides(code: Value, too_small: tuple[Value, Value]) -> list[Value]:
    """Which side of a block is halved: the one within the limit. Where both sides are within it, neither is halved.

    The block's largest magnitude is about 6 times its scale, so only under the smallest code can both sides be within
    7 times half the scale.

    Args:
        code: the block's scale code.
        too_small: from `HalvingSelect`, of the positive and of the negative side.

    Returns:
        A bit for the positive side, and one for the negative.
    """
    positive, negative = (~at_least(count, code) for count in too_small)
    return [positive & ~negative, negative & ~positive]
