"""E2M1 codes from narrowed magnitudes and a scale, without a multiplier.

|x| >= threshold x scale is decided as for floats: by the difference of exponents, and where that leaves it open by
comparing fractions. In units of a quarter of the scale the thresholds are 1, 3, 5, 7, 10, 14 and 20: under one scale
there are four fractions to compare with, those of 1, 3, 5 and 7 times the scale's significand. Where such a product
reaches the next power of two, it is met a binade later ("carries").
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.quantizer_config import QuantizerConfig
from amxfp4.hw.scale_select import ELEMENT_EXPONENT


def decoded_layout(config: QuantizerConfig) -> data.StructLayout:
    """A scale as elements are compared with it.

    `none`: nothing but zeros, as the scale is 0 or NaN. FP8: `mantissa` of the scale once normalised, and `origin`, the held
    exponent field of a quarter of the scale. E8M0: `origin` is the field of the block's largest magnitude.
    """
    mantissa = {"mantissa": config.block_format.scale.mantissa_bits} if config.fp8 else {}
    return data.StructLayout({"origin": config.exponent_bits, **mantissa, "none": 1})


class ScaleDecode(wiring.Component):
    """Decodes a block's scale for `ElementEncode`; combinational.

    Ports: `code` in, `scale` out: see `decoded_layout`. E8M0 codes beyond 252 but NaN, which no float asks for, decode
    to anything.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"code": In(config.block_format.scale.bits), "scale": Out(decoded_layout(config))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        scale = config.block_format.scale
        if not config.fp8:
            m.d.comb += [self.scale.origin.eq(self.code + ELEMENT_EXPONENT), self.scale.none.eq(self.code.all())]
            return m
        bits = scale.mantissa_bits
        mantissa, field = self.code[:bits], self.code[bits:]
        nan = field.all() if len(scale.nan_codes) > 1 else self.code.all()
        offset = config.window_bias - scale.bias - ELEMENT_EXPONENT
        m.d.comb += [
            self.scale.none.eq(nan | ~self.code.any()),
            self.scale.mantissa.eq(mantissa),
            self.scale.origin.eq(field + offset),
        ]
        with m.If(~field.any()), m.Switch(mantissa):
            for subnormal in range(1, 1 << bits):
                leading = subnormal.bit_length() - 1
                with m.Case(subnormal):
                    m.d.comb += [
                        self.scale.mantissa.eq((subnormal << (bits - leading)) & ((1 << bits) - 1)),
                        self.scale.origin.eq(1 + offset - (bits - leading)),
                    ]
        return m


class ElementEncode(wiring.Component):
    """Encodes one element; combinational.

    Ports: `element` in (see `QuantizerConfig.element_layout`), `scale` in (see `decoded_layout`), `code` out: sign and
    magnitude, 0 for a zero magnitude whatever the sign.

    For E8M0 the element lies within the block's largest magnitude, as the one that the scale was made for does.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"element": In(config.element_layout), "scale": In(decoded_layout(config)), "code": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        magnitude = Signal(3)
        if self.config.fp8:
            self._fp8(m, magnitude)
        else:
            self._e8m0(m, magnitude)
        m.d.comb += self.code.eq(Cat(magnitude, self.element.negative & magnitude.any()))
        return m

    def _family(self, m: Module, multiple: int) -> tuple[Value, Value]:
        """Whether the fraction meets `multiple` x the scale's significand, and whether that product carries."""
        steps = [s[{1: 0, 3: 1, 5: 2, 7: 3}[multiple]] for s in self.config.element_steps]
        plain = (multiple.bit_length() - 1) - 2  # exponent without a carry, in units of the scale
        if len(steps) == 1:
            return self.element.fraction >= steps[0].fraction, Const(0, 1)
        threshold = Array(step.fraction for step in steps)[self.scale.mantissa]
        carries = Array(step.exponent - plain for step in steps)[self.scale.mantissa]
        met, carry = Signal(name=f"met{multiple}"), Signal(name=f"carry{multiple}")
        m.d.comb += [met.eq(self.element.fraction >= threshold), carry.eq(carries)]
        return met, carry

    def _codes(self, m: Module) -> list[Value]:
        """The magnitude code at each distance of exponents, 0 .. 5."""
        (c1, _), (c3, w3), (c5, w5), (c7, w7) = (self._family(m, multiple) for multiple in (1, 3, 5, 7))
        return [
            c1,
            1 + (c3 & ~w3),
            1 + (~w3 | c3) + (~w5 & c5) + (~w7 & c7),
            2 + (~w5 | c5) + (~w7 | c7) + (~w5 & c5) + (~w7 & c7),
            4 + (~w5 | c5) + (~w7 | c7) + (~w5 & c5),
            6 + (~w5 | c5),
        ]

    def _fp8(self, m: Module, magnitude: Signal) -> None:
        distance = Signal(self.config.exponent_bits + 1)
        m.d.comb += distance.eq(self.element.exponent - self.scale.origin)
        with m.If(self.scale.none | distance[-1]):
            m.d.comb += magnitude.eq(0)
        with m.Else(), m.Switch(distance[:-1]):
            for index, code in enumerate(self._codes(m)):
                with m.Case(index):
                    m.d.comb += magnitude.eq(code)
            with m.Default():
                m.d.comb += magnitude.eq(7)

    def _e8m0(self, m: Module, magnitude: Signal) -> None:
        distance = Signal(self.config.exponent_bits)
        m.d.comb += distance.eq(self.scale.origin - self.element.exponent)
        codes = self._codes(m)
        largest = ELEMENT_EXPONENT + 2
        tiny = self._subnormal()
        subnormal = ~self.element.exponent.any()
        with m.If(~self.scale.none), m.Switch(distance):
            for index in range(largest + 1):
                with m.Case(largest - index):
                    code = codes[index]
                    if largest - index in tiny:
                        code = Mux(subnormal, tiny[largest - index], code)
                    m.d.comb += magnitude.eq(code)

    def _subnormal(self) -> dict[int, Value]:
        """The magnitude code of a subnormal input under the scales 2^-127, 2^-126 and 2^-125 (`origin` 2, 3, 4), which are
        the only ones with a threshold that low. Its three fraction bits count 2^-129."""
        value = self.element.fraction
        codes = {}
        for index in range(3):
            met = [
                value >= ((multiple << index) << 1 | code & 1 if self.config.ties_to_even else multiple << index)
                for code, multiple in enumerate((1, 3, 5, 7), 1)
                if multiple << index < 8
            ]
            codes[ELEMENT_EXPONENT + index] = sum(met, Const(0, 1))
        return codes
