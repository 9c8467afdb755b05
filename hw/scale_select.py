"""A block's scale from its largest magnitude, without a divider.

FP8: the code is the number of thresholds 6 x midpoint that the maximum meets. In every binade of the maximum where the
codes around are normal the same fractions are thresholds, so the code is the exponent less a constant, beside a number
of fractions met. The few binades where codes are subnormal, and the last one, have lists of their own.

E8M0: two less than the exponent field of the maximum, which is where the element format's largest exponent lies.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.compare import at_least, thermometer_count
from amxfp4.hw.quantizer_config import QuantizerConfig

# The largest element, 6, lies in [2^2, 2^3).
ELEMENT_EXPONENT = 2


class ScaleSelect(wiring.Component):
    """Selects the scale of one side of a block; combinational.

    Ports: `maximum` in: a magnitude (fraction, then exponent), or the exponent alone for E8M0. `code` out: the scale's
    code. Whether the block has a NaN is no matter here.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"maximum": In(config.maximum_bits), "code": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.config.fp8:
            self._fp8(m)
        else:
            m.d.comb += self.code.eq(Mux(self.maximum[1:].any(), self.maximum - ELEMENT_EXPONENT, 0))
        return m

    def _fp8(self, m: Module) -> None:
        config = self.config
        scale, steps = config.block_format.scale, config.scale_steps
        fraction, exponent = self.maximum[: config.fraction_bits], self.maximum[config.fraction_bits :]
        octave = 1 << scale.mantissa_bits
        binades: dict[int, list[int]] = {}
        for step in steps:
            binades.setdefault(step.exponent, []).append(step.fraction)
        below = {e: sum(step.exponent < e for step in steps) for e in binades}  # code of the binade's lowest maxima
        # Codes are normal from the binade whose list is that of the last whole one.
        last = max(binades)
        regular = last - 1
        first = min(e for e in binades if all(binades[x] == binades[regular] for x in range(e, regular + 1)))
        met = {
            t: at_least(fraction, Const(t, config.fraction_bits))
            for t in sorted({t for fractions in binades.values() for t in fractions})
        }

        # Field and mantissa of code - count, in the regular binades.
        offset = below[first] - (first + config.window_bias) * octave
        field, mantissa = divmod(offset, octave)
        regular_code = Signal(len(exponent) + 1 + scale.mantissa_bits)
        count = thermometer_count([met[t] for t in binades[regular]])
        low = Signal(scale.mantissa_bits + 1)
        m.d.comb += [
            low.eq(mantissa + count),
            regular_code.eq(Cat(low[:-1], (exponent + low[-1] + field)[: len(exponent) + 1])),
        ]
        m.d.comb += self.code.eq(Mux(regular_code > scale.max_code, scale.max_code, regular_code[: scale.bits]))
        with m.If(exponent < first + config.window_bias):
            m.d.comb += self.code.eq(0)
            with m.Switch(exponent):
                for e in range(min(binades), first):
                    here = [met[t] for t in binades.get(e, [])]
                    base = sum(step.exponent < e for step in steps)
                    with m.Case(e + config.window_bias):
                        m.d.comb += self.code.eq(base + thermometer_count(here))
