"""One lane, both operands asymmetric, an exact accumulator: every product is scaled and added by itself; no sums."""

from amaranth.hdl import Cat, Const, Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import scales_layout
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import shift, significand
from amxfp4.hw.mac.scale import decode, select, term_layout


def product_layout() -> data.StructLayout:
    """A product before its shift: significand (0 .. 9) x 2^shift (0 .. 4), and the operands' signs."""
    return data.StructLayout({"significand": 4, "shift": 3, "a_negative": 1, "w_negative": 1})


class DirectProduct(wiring.Component):
    """Decodes and multiplies one pair of E2M1 codes, leaving the shift to the accumulator; combinational.

    Ports: `a`, `w`: codes; `product` out. (Sides that may be halved have one scale, and so never four sums.)
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        super().__init__({"a": In(4), "w": In(4), "product": Out(product_layout())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a_format, w_format = self.config.formats
        a_shift, w_shift = (shift(code, Const(0, 2), f) for code, f in ((self.a, a_format), (self.w, w_format)))
        m.d.comb += [
            self.product.significand.eq(significand(self.a) * significand(self.w)),
            self.product.shift.eq(a_shift + w_shift),
            self.product.a_negative.eq(self.a[3]),
            self.product.w_negative.eq(self.w[3]),
        ]
        return m


class DirectTerm(wiring.Component):
    """Scales one product by the scales that its signs select; combinational.

    Ports: `product`, `a_scales`, `w_scales` (positive first) in; `term` out, see `term_layout`. NaN is that of any of
    the block's scales, selected or not.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        a, w = config.formats
        super().__init__(
            {
                "product": In(product_layout()),
                "a_scales": In(scales_layout(a)),
                "w_scales": In(scales_layout(w)),
                "term": Out(term_layout(config)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product, term = self.product, self.term
        a_format, w_format = self.config.formats
        a = decode(select(self.a_scales, a_format, product.a_negative), a_format.scale)
        w = decode(select(self.w_scales, w_format, product.w_negative), w_format.scale)
        magnitude = product.significand * (a.significand * w.significand)
        negative = product.a_negative ^ product.w_negative
        nans = [
            decode(code, f.scale).nan
            for f, codes in ((a_format, self.a_scales), (w_format, self.w_scales))
            for code in codes
        ]
        m.d.comb += [
            term.value.eq((magnitude ^ negative.replicate(len(magnitude) + 1)) + negative),
            term.exponent.eq(a.exponent + w.exponent + product.shift),
            term.nan.eq(Cat(*nans).any()),
        ]
        return m
