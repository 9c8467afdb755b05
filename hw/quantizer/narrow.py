"""Narrows floats, before they are held, to the bits that a comparison with a scale's thresholds can depend on.

Every threshold has few significant bits, so low fraction bits matter only as "something non-zero below". FP8 scales
have a short range besides: all magnitudes above it compare alike, and so do all below it. So a held element takes 12 or
13 bits (one more with ties to even), whether it came as bfloat16 or as float32.
"""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.quantizer.config import EXPONENT_BITS, QuantizerConfig
from amxfp4.hw.quantizer.power_rule import reaches


class Narrow(wiring.Component):
    """Narrows one float; combinational.

    Ports:
        float: in, `float_bits` bits: a bfloat16 or float32.
        element: out, see `QuantizerConfig.element_layout`.
        special: out, 1 bit: the float is NaN or infinite.
        below: out, 1 bit, only with `QuantizerConfig.maximum_sticky`: something non-zero lies below the held fraction.
        reaches: out, 1 bit, only with `QuantizerConfig.rounds_up`: see `power_rule.reaches`.

    A magnitude below the window of FP8 scales gets exponent field 0, and one above it the largest field. The fractions
    of both do not matter, as both lie beyond every threshold.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        below = {"below": Out(1)} if config.maximum_sticky else {"reaches": Out(1)} if config.rounds_up else {}
        super().__init__(
            {"float": In(config.float_bits), "element": Out(config.element_layout), "special": Out(1), **below}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        fraction = self.float[: config.input_fraction_bits]
        field = self.float[config.input_fraction_bits :][:EXPONENT_BITS]
        m.d.comb += [
            self.element.fraction.eq(self._fraction(fraction)),
            self.element.negative.eq(self.float[-1]),
        ]
        if config.maximum_sticky:
            m.d.comb += self.below.eq(fraction[: len(fraction) - config.kept_fraction_bits].any())
        if config.rounds_up:
            m.d.comb += self.reaches.eq(reaches(config, fraction))
        if config.exponent_bits == EXPONENT_BITS:
            m.d.comb += [self.element.exponent.eq(field), self.special.eq(field.all())]
            return m
        # Fields of the window are 01..1xxx (its lower half) and 10..0xxx (its upper half), xxx being `kept`: the bits
        # of `top` are all set in the lower half and all clear in the upper.
        top, kept = field[config.exponent_bits - 1 : -1], field[: config.exponent_bits - 1]
        upper = field[-1]
        above, below = Signal(), Signal()
        m.d.comb += [
            above.eq(upper & top.any()),
            below.eq(~upper & ~top.all()),
            self.element.exponent.eq(Cat(gated(kept, ~below) | above.replicate(len(kept)), upper)),
            self.special.eq(above & field.all()),
        ]
        return m

    def _fraction(self, fraction: Value) -> Value:
        cut = len(fraction) - self.config.kept_fraction_bits
        return Cat(fraction[:cut].any(), fraction[cut:]) if self.config.ties_to_even else fraction[cut:]


def magnitude_of(narrow: Narrow) -> Value:
    """The value, `maximum_bits` wide, of a narrowed float whose maximum is found.

    It is the exponent field. Below it stands for an FP8 scale the held fraction, with a sticky bit below that where
    there is one; for an E8M0 scale what `power_rule.reaches` says, where the rule asks for it.
    """
    return held_magnitude(narrow.config, narrow.element, bits_below(narrow))


def bits_below(narrow: Any) -> list[Value]:
    """What stands below the held bits of a narrowed float, or of a product, to find maxima with: one bit or none."""
    config = narrow.config
    return [narrow.below] if config.maximum_sticky else [narrow.reaches] if config.rounds_up else []


def held_magnitude(config: QuantizerConfig, element: Any, below: Sequence[Value]) -> Value:
    """`magnitude_of`, from its parts."""
    fraction = [element.fraction] if config.fp8 else []
    return Cat(*below, *fraction, element.exponent)
