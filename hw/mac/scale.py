"""Shared scales: decode, product of two, and a block sum or product scaled by it."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.golden.formats import BlockFormat, ScaleFormat
from amxfp4.hw.arith.compress import Columns
from amxfp4.hw.config import scales_layout
from amxfp4.hw.mac.config import MacConfig


@dataclass(frozen=True)
class Scale:
    """A decoded scale: value = significand x 2^(exponent - bias - mantissa bits)."""

    significand: Value  # mantissa bits + 1; the constant 1 for E8M0
    exponent: Value  # effective field: 1 for FP8 subnormals
    nan: Value


def decode(code: Value, scale: ScaleFormat) -> Scale:
    """Decodes a scale code.

    An FP8 field of 0 means no hidden bit and the weight of field 1. A NaN code decodes to some finite value besides,
    which the accumulator's NaN flag hides.
    """
    if not scale.is_fp8:
        return Scale(Const(1, 1), code, code == scale.nan_code)
    mantissa, field = code[: scale.mantissa_bits], code[scale.mantissa_bits :]
    subnormal = ~field.any()
    nan = field.all() if scale.nan_is_top_exponent else code.all()
    return Scale(Cat(mantissa, ~subnormal), Cat(field[0] | subnormal, field[1:]), nan)


def select(scales: data.View, f: BlockFormat, negative: Value) -> Value:
    """The code of the side that `negative` asks for; of the only one in a symmetric format."""
    return Mux(negative, scales[1], scales[0]) if f.asymmetric else scales[0]


def term_layout(config: MacConfig) -> data.StructLayout:
    """A scaled term: value = (-1)^negative x magnitude x 2^(exponent - exponent_offset), or with an exact
    accumulator the signed integer `value` in place of sign and magnitude; it may come at its place in a word."""
    number = (
        {"value": config.term_bits + 1 + config.places}
        if config.exact
        else {"magnitude": config.term_bits, "negative": 1}
    )
    return data.StructLayout({**number, "exponent": config.exponent_bits, "nan": 1})


def scale_product_layout(config: MacConfig) -> data.StructLayout:
    """The product of two scales: value = significand x 2^(exponent - biases and mantissa bits of both)."""
    return data.StructLayout(
        {"significand": bits_for(config.scale_significand_max), "exponent": config.exponent_bits, "nan": 1}
    )


class ScaleProduct(wiring.Component):
    """Multiplies the two scales of a sign pair; combinational.

    Ports: `a_scales`, `w_scales`: the codes of a block's scales, positive first. `a_negative`, `w_negative`: which sign
    pair (not looked at for a symmetric format). `product` out: see `scale_product_layout`.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        a, w = config.formats
        super().__init__(
            {
                "a_scales": In(scales_layout(a)),
                "w_scales": In(scales_layout(w)),
                "a_negative": In(1),
                "w_negative": In(1),
                "product": Out(scale_product_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sides = zip(
            (self.a_scales, self.w_scales), (self.a_negative, self.w_negative), self.config.formats, strict=True
        )
        a, w = (decode(select(scales, f, negative), f.scale) for scales, negative, f in sides)
        m.d.comb += [
            self.product.significand.eq(a.significand * w.significand),
            self.product.exponent.eq(a.exponent + w.exponent),
            self.product.nan.eq(a.nan | w.nan),
        ]
        return m


class ScaledTerm(wiring.Component):
    """Multiplies a sum by the product of its scales; combinational.

    Ports: `scale`: see `scale_product_layout`. `sum`: `sum_bits`, two's complement where `block_signed`; otherwise a
    magnitude, and `negative` is its sign. `term` out: see `term_layout`.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        super().__init__(
            {
                "scale": In(scale_product_layout(config)),
                "sum": In(config.sum_bits),
                "negative": In(1),
                "term": Out(term_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        m.d.comb += [self.term.exponent.eq(self.scale.exponent), self.term.nan.eq(self.scale.nan)]
        if config.exact:
            m.d.comb += self.term.value.eq(self._signed_product(m))
            return m
        negative, magnitude = self.negative, self.sum
        if config.block_signed:
            negative = self.sum[-1]
            magnitude = (self.sum ^ negative.replicate(config.sum_bits)) + negative
        m.d.comb += [self.term.negative.eq(negative), self.term.magnitude.eq(magnitude * self.scale.significand)]
        return m

    def _signed_product(self, m: Module) -> Value:
        """The sum, two's complement, times the significand, one row for each bit of the significand.

        A row's sign bit s weighs -2^n, which is 2^n (~s) - 2^n: the rows stay short, and what is subtracted for all of
        them together is a constant.
        """
        width = len(self.term.value)
        place = len(self.sum) - 1
        columns = Columns(width)
        for index, bit in enumerate(self.scale.significand):
            row = self.sum & bit.replicate(len(self.sum))
            columns.add(Cat(row[:-1], ~row[-1]), at=index)
        rows = len(self.scale.significand)
        columns.add(Const(-((1 << rows) - 1) << place & ((1 << width) - 1), width))
        low, high = columns.reduce(m, "fa")
        return (low + high)[:width]
