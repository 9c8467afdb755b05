"""E2M1 codes from narrowed magnitudes and a scale, without a multiplier.

|x| >= threshold x scale is decided as for floats: by the difference of exponents, and where exponents leave the
question open, by comparing fractions. In units of a quarter of the scale the thresholds are 1, 3, 5, 7, 10, 14 and 20.
So under one scale there are four fractions to compare with: those of 1, 3, 5 and 7 times the scale's significand. A
product "carries" where it reaches the next power of two: its threshold then lies one binade higher.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.golden.formats import NEGATIVE_ZERO
from amxfp4.hw.arith.compare import at_least, entry, subtract, thermometer_count
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.scale_select import ELEMENT_EXPONENT

# The thresholds in quarters of the scale are these and their doubles 10, 14 and 20.
MULTIPLES = (1, 3, 5, 7)
LARGEST_MAGNITUDE = 7


def decoded_layout(config: QuantizerConfig) -> data.StructLayout:
    """A scale in the form that elements are compared with.

    | field | FP8 | E8M0 |
    |---|---|---|
    | `origin` | held exponent field of a quarter of the scale | exponent field of the block's largest magnitude |
    | `mantissa` | of the normalised scale | absent |
    | `none` | all codes are 0, as the scale is 0 or NaN | all codes are 0, as the scale is NaN |

    In formats with halved sides `origin` is the field for half the scale. A side that is not halved needs one more.
    The borrow input of the subtraction of `origin` provides that one at no cost.
    """
    mantissa = {"mantissa": config.block_format.scale.mantissa_bits} if config.fp8 else {}
    return data.StructLayout({"origin": config.exponent_bits, **mantissa, "none": 1})


class ScaleDecode(wiring.Component):
    """Decodes a block's scale for `ElementEncode`; combinational.

    Ports:
        code: in, the scale's code. E8M0 codes 253 and 254 decode to arbitrary values, as no float asks for them.
        scale: out, see `decoded_layout`.
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

    Ports:
        element: in, see `QuantizerConfig.element_layout`.
        scale: in, see `decoded_layout`.
        whole: in, 1 bit, only in formats with halved sides: the element's side is not halved.
        special: in, only in formats with special values, 1 bit each: the element's side is the special one; the value
            is 12.
        code: out, 4 bits: magnitude and, on top, sign. The sign of a zero is 0. The code 0b1000 is a special value.

    An element under a scale that was chosen for 12 must be one that a block with this scale can have.

    For E8M0 the element must not exceed the largest magnitude of the block that the scale was made for.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        side = {"whole": In(1)} if config.halving else {"special": In(len(config.specials))} if config.specials else {}
        super().__init__(
            {"element": In(config.element_layout), "scale": In(decoded_layout(config)), "code": Out(4), **side}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        magnitude = Signal(3)
        special = Signal()
        if self.config.fp8:
            self._fp8(m, magnitude, special)
        else:
            self._e8m0(m, magnitude)
        code = Cat(magnitude, self.element.negative & magnitude.any())
        m.d.comb += self.code.eq(Mux(special, NEGATIVE_ZERO, code) if self.config.specials else code)
        return m

    def _meets(self, m: Module, multiple: int) -> tuple[Value, Value]:
        """Whether the element's fraction is at least that of `multiple` x the scale's significand, and whether that
        product carries."""
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

    def _magnitudes(self, m: Module) -> tuple[list[Value], dict[int, Value]]:
        """The magnitude code at each distance of exponents, 0 .. 5: that of the highest threshold met.

        And, at the distances that leave it open, whether 28 quarters are met, from which on a special element is 8.

        "7" stands for 7 x the scale's significand, and so on. Thresholds in brackets are products that carry: they are
        met here instead of at the distance before.

            distance   thresholds (code)           code below them
            0          1 (1)                       0
            1          3 (2)                       1
            2          7 (4), 5 (3), [3 (2)]       1
            3          14 (6), 10 (5), [7, 5]      2
            4          20 (7), [14, 10]            4
            5          [20]                        6
        """
        (one, _), (three, late3), (five, late5), (seven, late7) = (self._meets(m, n) for n in MULTIPLES)
        # `in_time`: met at the product's own distance, as it does not carry. `by_now`: met at the next distance.
        in_time3, by_now3 = three & ~late3, three | ~late3
        in_time5, by_now5 = five & ~late5, five | ~late5
        in_time7, by_now7 = seven & ~late7, seven | ~late7
        eight = {4: in_time7, 5: by_now7}
        magnitudes = [
            one,
            Mux(in_time3, 2, 1),
            Mux(in_time7, 4, Mux(in_time5, 3, Mux(by_now3, 2, 1))),
            Mux(in_time7, 6, Mux(in_time5, 5, Mux(by_now7, 4, Mux(by_now5, 3, 2)))),
            Mux(in_time5, 7, Mux(by_now7, 6, Mux(by_now5, 5, 4))),
            Mux(by_now5, 7, 6),
        ]
        return magnitudes, eight

    def _special(self, eight: dict[int, Value]) -> dict[int, Value]:
        """Whether an element of the special side takes its special value, at the distances that leave it open.

        At larger distances it does. From 28 quarters of the scale on it is 8; from about 36 on it is 12, see
        `special_steps.py`.
        """
        if not self.config.second_special:
            return eight
        bits = self.config.kept_fraction_bits
        fractions = self.config.special_fractions
        threshold = entry([fraction or 0 for fraction in fractions], self.scale.mantissa, bits)
        here = entry([int(fraction is not None) for fraction in fractions], self.scale.mantissa, 1)
        twelve = at_least(self.element.fraction[-bits:], threshold) & here
        return {4: eight[4] & ~self.special[1], 5: Mux(self.special[1], twelve, eight[5])}

    def _fp8(self, m: Module, magnitude: Signal, special: Signal) -> None:
        magnitudes, eight = self._magnitudes(m)
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
        if self.config.specials:
            near = self._special(eight)
            met = [distance[low:].any(), *(distance[:low] == index for index in range(max(near) + 1, 1 << low))]
            met += [(distance[:low] == index) & here for index, here in near.items()]
            m.d.comb += special.eq(Cat(*met).any() & self.special[0] & ~closer & ~self.scale.none)

    def _e8m0(self, m: Module, magnitude: Signal) -> None:
        """As `_fp8`, but `origin` is the highest exponent here, at distance 4, so distances count down from it.

        The largest magnitude lies in [4, 8) scales, which is [16, 32) quarters of the scale.
        """
        magnitudes = self._magnitudes(m)[0][: ELEMENT_EXPONENT + 3]
        tiny = self._subnormal()
        subnormal = Signal()
        below, _ = subtract(m, self.scale.origin, self.element.exponent)
        m.d.comb += subnormal.eq(~self.element.exponent.any())
        with m.If(~self.scale.none), m.Switch(below):
            for index, code in enumerate(reversed(magnitudes)):
                with m.Case(index):
                    m.d.comb += magnitude.eq(Mux(subnormal, tiny[index], code) if index in tiny else code)

    def _subnormal(self) -> dict[int, Value]:
        """The magnitude code of a subnormal input, by how far `origin` lies above its exponent field of 0.

        `origin` 2, 3 and 4 stand for the scales 2^-127, 2^-126 and 2^-125. Larger scales have no threshold among the
        subnormals. The kept fraction counts 2^-129, a quarter of the least scale.
        """
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
