"""E2M1 codes from narrowed magnitudes and a scale, without a multiplier.

|x| >= threshold x scale is decided as for floats: by the difference of exponents, and where that leaves it open by
comparing fractions. In units of a quarter of the scale the thresholds are 1, 3, 5, 7, 10, 14 and 20: under one scale
there are four fractions to compare with, those of 1, 3, 5 and 7 times the scale's significand. Where such a product
reaches the next power of two, it is met a binade later ("carries").
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.compare import at_least, entry, subtract, thermometer_count
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.scale_select import ELEMENT_EXPONENT

# The thresholds in quarters of the scale are these and their doubles 10, 14 and 20.
MULTIPLES = (1, 3, 5, 7)
LARGEST_MAGNITUDE = 7


def decoded_layout(config: QuantizerConfig) -> data.StructLayout:
    """A scale as elements are compared with it.

    `none`: nothing but zeros, as the scale is 0 or NaN. FP8: `mantissa` of the scale once normalised, and `origin`, the
    held exponent field of a quarter of the scale. E8M0: `origin` is the field of the block's largest magnitude.

    With halved sides `origin` is that of half the scale: the one more of a side that is whole is the borrow of a
    subtraction that is there anyway.
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
        nan = field.all() if scale.nan_is_top_exponent else self.code.all()
        offset = config.window_bias - scale.bias - ELEMENT_EXPONENT - config.halving
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
    magnitude, 0 for a zero magnitude whatever the sign. `whole` in, where a side may have half the scale: the element's
    has all of it.

    For E8M0 the element lies within the block's largest magnitude, as the one that the scale was made for does.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        whole = {"whole": In(1)} if config.halving else {}
        super().__init__(
            {"element": In(config.element_layout), "scale": In(decoded_layout(config)), "code": Out(4), **whole}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        magnitude = Signal(3)
        if self.config.fp8:
            self._fp8(m, magnitude)
        else:
            self._e8m0(m, magnitude)
        m.d.comb += self.code.eq(Cat(magnitude, self.element.negative & magnitude.any()))
        return m

    def _meets(self, m: Module, multiple: int) -> tuple[Value, Value]:
        """Whether the fraction meets that of `multiple` x the scale's significand, and whether that product carries."""
        steps = [steps[MULTIPLES.index(multiple)] for steps in self.config.element_steps]
        plain = multiple.bit_length() - 1 - ELEMENT_EXPONENT  # the product's exponent without a carry
        met, carries = Signal(name=f"met{multiple}"), Signal(name=f"carries{multiple}")
        threshold = Signal(self.config.fraction_bits, name=f"threshold{multiple}")
        mantissa = self.scale.mantissa if self.config.fp8 else Const(0, 1)
        m.d.comb += [
            threshold.eq(entry([step.fraction for step in steps], mantissa, len(threshold))),
            carries.eq(entry([step.exponent - plain for step in steps], mantissa, 1)),
            met.eq(at_least(self.element.fraction, threshold)),
        ]
        return met, carries

    def _magnitudes(self, m: Module) -> list[Value]:
        """The magnitude code at each distance of exponents, 0 .. 5: the first of the thresholds met, from the top.

        With 7 = "7 x significand" etc.; a product that carries is met at the next distance instead:

            distance   thresholds (code)           code below them
            0          1 (1)                       0
            1          3 (2)                       1
            2          7 (4), 5 (3), [3 (2)]       1
            3          14 (6), 10 (5), [7, 5]      2
            4          20 (7), [14, 10]            4
            5          [20]                        6
        """
        (one, _), (three, late3), (five, late5), (seven, late7) = (self._meets(m, n) for n in MULTIPLES)
        # `in_time`: met at the distance of a product that does not carry. `by_now`: met a distance later.
        in_time3, by_now3 = three & ~late3, three | ~late3
        in_time5, by_now5 = five & ~late5, five | ~late5
        in_time7, by_now7 = seven & ~late7, seven | ~late7
        return [
            one,
            Mux(in_time3, 2, 1),
            Mux(in_time7, 4, Mux(in_time5, 3, Mux(by_now3, 2, 1))),
            Mux(in_time7, 6, Mux(in_time5, 5, Mux(by_now7, 4, Mux(by_now5, 3, 2)))),
            Mux(in_time5, 7, Mux(by_now7, 6, Mux(by_now5, 5, 4))),
            Mux(by_now5, 7, 6),
        ]

    def _fp8(self, m: Module, magnitude: Signal) -> None:
        magnitudes = self._magnitudes(m)
        less = self.whole if self.config.halving else None
        distance, closer = subtract(m, self.element.exponent, self.scale.origin, less=less)
        low = (len(magnitudes) - 1).bit_length()
        with m.If(closer | self.scale.none):
            m.d.comb += magnitude.eq(0)
        with m.Elif(distance[low:].any()):
            m.d.comb += magnitude.eq(LARGEST_MAGNITUDE)
        with m.Else(), m.Switch(distance[:low]):
            for index, code in enumerate(magnitudes):
                with m.Case(index):
                    m.d.comb += magnitude.eq(code)
            with m.Default():
                m.d.comb += magnitude.eq(LARGEST_MAGNITUDE)

    def _e8m0(self, m: Module, magnitude: Signal) -> None:
        """`origin` lies a distance of 4 above: the largest element, 6, is within [4, 8) scales, [16, 32) quarters."""
        magnitudes = self._magnitudes(m)[: ELEMENT_EXPONENT + 3]
        tiny = self._subnormal()
        subnormal = Signal()
        below, _ = subtract(m, self.scale.origin, self.element.exponent)
        m.d.comb += subnormal.eq(~self.element.exponent.any())
        with m.If(~self.scale.none), m.Switch(below):
            for index, code in enumerate(reversed(magnitudes)):
                with m.Case(index):
                    m.d.comb += magnitude.eq(Mux(subnormal, tiny[index], code) if index in tiny else code)

    def _subnormal(self) -> dict[int, Value]:
        """The magnitude code of a subnormal input where `origin` is 2, 3 or 4 (a scale of 2^-127, 2^-126, 2^-125);
        larger scales have no threshold that low. Its fraction bits count 2^-129, a quarter of the least scale."""
        codes = {}
        for shift in range(3):
            thresholds = [(code, multiple << shift) for code, multiple in enumerate(MULTIPLES, 1)]
            met = [
                at_least(
                    self.element.fraction,
                    Const(
                        threshold << 1 | code & 1 if self.config.ties_to_even else threshold, self.config.fraction_bits
                    ),
                )
                for code, threshold in thresholds
                if threshold < 1 << self.config.kept_fraction_bits
            ]
            codes[ELEMENT_EXPONENT + shift] = thermometer_count(met)
        return codes
