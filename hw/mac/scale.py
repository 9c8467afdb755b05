"""Shared scales: decode a code, and multiply the two scales of a sign pair."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.golden.formats import BlockFormat, ScaleFormat
from amxfp4.hw.config import scales_layout
from amxfp4.hw.mac.products import Products
from amxfp4.hw.mac.window import Window


def largest_significand(scale: ScaleFormat) -> int:
    """The largest integer significand of a scale: 7 for E5M2, 15 for E4M3, 1 for E8M0 (no mantissa)."""
    return (2 << scale.mantissa_bits) - 1


def largest_exponent(scale: ScaleFormat) -> int:
    """The largest exponent field of a finite scale code: 30 for E5M2, 15 for E4M3, 254 for E8M0."""
    return scale.max_code >> scale.mantissa_bits


def smallest_exponent(scale: ScaleFormat) -> int:
    """The smallest effective exponent field: an FP8 field of 0 (subnormal) has the weight of 1; E8M0 has none."""
    return int(scale.is_fp8)


@dataclass(frozen=True)
class Scales:
    """The product of the two scales of a sign pair: value = significand x 2^(exponent - biases and mantissa bits).

    Attributes:
        products: the products that are scaled. Their formats say which scales there are.
        window: the window of the accumulator that takes the scaled sums. The exponent is then the shift from the place
            under the window in which every term starts, and not the sum of the scales' exponents.
    """

    products: Products
    window: Window | None = None

    @property
    def formats(self) -> tuple[ScaleFormat, ScaleFormat]:
        """Scale format of the activations, and of the weights."""
        a, w = self.products.formats
        return a.scale, w.scale

    @property
    def significand_max(self) -> int:
        """The largest product of the two significands."""
        a, w = self.formats
        return largest_significand(a) * largest_significand(w)

    @property
    def significand_bits(self) -> int:
        """Width of the significands' product: 1 for E8M0 alone."""
        return bits_for(self.significand_max)

    @property
    def exponent_min(self) -> int:
        """The smallest sum of two effective exponent fields, or the smallest shift."""
        return 0 if self.window else sum(smallest_exponent(scale) for scale in self.formats)

    @property
    def exponent_max(self) -> int:
        """The largest sum of two exponent fields, or the largest shift."""
        return self.window.shift_max if self.window else sum(largest_exponent(scale) for scale in self.formats)

    @property
    def below(self) -> int:
        """Places under the accumulator's least bit in which a term starts."""
        return self.window.below if self.window else 0

    @property
    def exponent_offset(self) -> int:
        """A scaled sum's value is sum x significand x 2^(exponent - exponent_offset).

        The offset takes away both scales' biases and mantissa bits, and the exponent of the products' unit.
        """
        return sum(scale.bias + scale.mantissa_bits for scale in self.formats) - self.products.unit_exponent

    @property
    def least_exponent(self) -> int:
        """Weight of the accumulator's least bit, as a power of two.

        Every scaled product is a multiple of it, -34 for E5M2 x E5M2, but for the bits that lie under a window.
        """
        return self.window.exponent if self.window else self.exponent_min - self.exponent_offset

    @property
    def product_max(self) -> int:
        """The largest scaled product of two elements, in units of 2^least_exponent."""
        value = self.products.largest
        for scale in self.formats:
            mantissa = scale.max_code & ((1 << scale.mantissa_bits) - 1)
            field = largest_exponent(scale) - smallest_exponent(scale)
            value *= ((1 << scale.mantissa_bits) + mantissa) << field
        return value

    @property
    def wide(self) -> bool:
        """Whether scaled sums may lie outside float32's normal range, so that subnormals and infinity are built.

        E8M0 scales reach 2^+-127 each; two FP8 scales stay within 2^-34 .. 2^44, and a window lies within the range.
        """
        return not self.window and any(not scale.is_fp8 for scale in self.formats)

    @property
    def layout(self) -> data.StructLayout:
        """`significand`, `exponent`, and `nan`: either scale is NaN. With a window also `above`: they lie above it."""
        fields = {"significand": self.significand_bits, "exponent": bits_for(self.exponent_max), "nan": 1}
        return data.StructLayout(fields | ({"above": 1} if self.window else {}))


@dataclass(frozen=True)
class Scale:
    """A decoded scale: value = significand x 2^(exponent - bias - mantissa bits).

    Attributes:
        significand: as wide as the mantissa and one bit more; the constant 1 for E8M0.
        exponent: effective field: 1 for FP8 subnormals.
        nan: the scale is NaN.
    """

    significand: Value
    exponent: Value
    nan: Value


def decode(code: Value, scale: ScaleFormat) -> Scale:
    """Decodes a scale code.

    An FP8 field of 0 means no hidden bit and the weight of field 1. The significand and exponent of a NaN code are
    those of some finite value, which the accumulator's NaN flag hides.
    """
    if not scale.is_fp8:
        return Scale(Const(1, 1), code, code == scale.nan_code)
    mantissa, field = code[: scale.mantissa_bits], code[scale.mantissa_bits :]
    subnormal = ~field.any()
    nan = field.all() if scale.nan_is_top_exponent else code.all()
    return Scale(Cat(mantissa, ~subnormal), Cat(field[0] | subnormal, field[1:]), nan)


def select(scales: data.View, f: BlockFormat, negative: Value) -> Value:
    """The scale code of the side that `negative` asks for, or of the only one in a symmetric format."""
    return Mux(negative, scales[1], scales[0]) if f.asymmetric else scales[0]


class ScaleProduct(wiring.Component):
    """Multiplies the two scales of a sign pair; combinational.

    Ports:
        a_scales, w_scales: in, the codes of a block's scales, positive first.
        a_negative, w_negative: in, 1 bit: the operand's sign in the sign pair. A symmetric format does not look at it.
        product: out, see `Scales.layout`.
    """

    def __init__(self, plan: Scales) -> None:
        self.plan = plan
        a, w = plan.products.formats
        super().__init__(
            {
                "a_scales": In(scales_layout(a)),
                "w_scales": In(scales_layout(w)),
                "a_negative": In(1),
                "w_negative": In(1),
                "product": Out(plan.layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sides = zip(
            (self.a_scales, self.w_scales), (self.a_negative, self.w_negative), self.plan.products.formats, strict=True
        )
        a, w = (decode(select(scales, f, negative), f.scale) for scales, negative, f in sides)
        exponent = a.exponent + w.exponent
        if self.plan.window:
            exponent, above = self.plan.window.place(m, exponent, self.plan.exponent_offset)
            m.d.comb += self.product.above.eq(above)
        m.d.comb += [
            self.product.significand.eq(a.significand * w.significand),
            self.product.exponent.eq(exponent),
            self.product.nan.eq(a.nan | w.nan),
        ]
        return m
