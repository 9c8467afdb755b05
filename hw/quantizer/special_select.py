"""The scale of a block with special values, and which value is meant on which side.

L is the maximum of the larger side, S that of the smaller. A scale's code is a count of thresholds, as in
`scale_select.py`:

| case | code |
|---|---|
| the largest element stands alone (only with 12) | that of L / 12 |
| S is at least 7 scales of the code of L / 8: the block is crowded | that of S / 6 |
| otherwise | that of L / 8 |

The thresholds of L / 12 are those of (L / 2) / 6. So one counter serves the first two cases.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compare import at_least
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.rivals import are_rivals
from amxfp4.hw.quantizer.step_count import count_met


class SpecialSelect(wiring.Component):
    """Selects a block's scale and asymmetry code; combinational.

    Ports:
        maximum: in, `maximum_bits` bits per side: the largest magnitudes of the positive and of the negative elements.
        rivalled: in, 1 bit per side, only with two special values: the maximum has a rival on its side. One on the
            other side may count too.
        code: out, the scale's code. Blocks with a NaN are not this component's matter.
        special: out, the asymmetry code.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__(
            {
                "maximum": In(data.ArrayLayout(config.maximum_bits, config.sides)),
                **({"rivalled": In(config.sides)} if config.second_special else {}),
                "code": Out(config.block_format.scale.bits),
                "special": Out(config.block_format.asymmetry_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        negative, larger, smaller = self._sides(m)
        bits = config.maximum_fraction_bits
        zero, alone, crowded = Signal(), Signal(), Signal()
        nearest = count_met(m, config, config.special_steps, larger)
        m.d.comb += [
            zero.eq(larger[bits:] < config.window_bias + config.special_steps[0].exponent),
            crowded.eq(at_least(count_met(m, config, config.crowding_steps, smaller), nearest) & ~zero),
        ]
        sixth = smaller
        if config.second_special:
            half = Cat(larger[:bits], (larger[bits:] - 1)[: config.exponent_bits])
            sixth = Signal(config.maximum_bits)
            m.d.comb += [alone.eq(self._alone(larger, negative) & ~zero), sixth.eq(Mux(alone, half, smaller))]
        other = count_met(m, config, config.scale_steps, sixth)
        m.d.comb += [
            self.code.eq(Mux(crowded | alone, other, nearest)),
            self.special.eq(Cat(negative & ~zero, alone)),
        ]
        return m

    def _sides(self, m: Module) -> tuple[Value, Value, Value]:
        """Whether the negative side is the larger; the larger maximum, and the smaller."""
        config = self.config
        positive, negative = self.maximum
        sticky = config.maximum_fraction_bits - config.kept_fraction_bits
        beyond = positive[config.maximum_fraction_bits :].all() & negative[config.maximum_fraction_bits :].all()
        swap, larger, smaller = Signal(), Signal(config.maximum_bits), Signal(config.maximum_bits)
        m.d.comb += [
            swap.eq(~at_least(positive[sticky:], negative[sticky:]) & ~beyond),
            larger.eq(Mux(swap, negative, positive)),
            smaller.eq(Mux(swap, positive, negative)),
        ]
        return swap, larger, smaller

    def _alone(self, larger: Value, negative: Value) -> Value:
        """Whether the largest element stands alone."""
        beyond = larger[self.config.maximum_fraction_bits :].all()
        own = Mux(negative, self.rivalled[1], self.rivalled[0])
        return ~own & ~are_rivals(self.config, *self.maximum) & ~beyond
