"""A term per product, without sums: for one lane, two asymmetric operands and an exact accumulator."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import scales_layout
from amxfp4.hw.mac.front import block_scales, count_beats
from amxfp4.hw.mac.products import SIGNIFICAND_MAX, Products, shift, significand
from amxfp4.hw.mac.registers import Terms, flags
from amxfp4.hw.mac.scale import Scales, decode, select
from amxfp4.hw.mac.term import Term

PRODUCT_MAX = SIGNIFICAND_MAX * SIGNIFICAND_MAX
"""The largest product of two 2-bit significands, before its shift."""
SHIFT_MAX = 2 + 2
"""The largest shift of that product: 0 .. 2 for each operand."""


@dataclass(frozen=True)
class Direct(Term):
    """A term for each product: every scaled product goes into the accumulator by itself.

    Attributes:
        products: the products that are scaled.
    """

    products: Products

    title = "direct"

    @staticmethod
    def fits(products: Products, for_exact: bool) -> bool:
        """Whether products are added one by one.

        With one lane and an exact accumulator there is nothing to sum first, and four block sums would cost more than
        they save. With one or two sums a term has a whole or half a block's beats to itself; the accumulator in words
        (`acc_words.py`) saves more than adding product by product.
        """
        return for_exact and products.lanes == 1 and all(f.asymmetric for f in products.formats)

    @property
    def scales(self) -> Scales:
        return Scales(self.products)

    @property
    def sum_max(self) -> int:
        """The largest product before its shift, as the shift goes to the exponent."""
        return PRODUCT_MAX

    @property
    def signed(self) -> bool:
        return True

    @property
    def cycles(self) -> int:
        return 0

    @property
    def exponent_max(self) -> int:
        """The largest exponent, the product's own shift included."""
        return self.scales.exponent_max + SHIFT_MAX

    def build(self, m: Module, i: stream.Interface, beats: int) -> Terms:
        """A term per beat.

        Args:
            i: the unit's input.
            beats: per block.
        """
        beat = count_beats(m, i, beats)
        a_scales, w_scales = block_scales(m, i, beat.valid & beat.first)
        m.submodules.product = multiply = DirectProduct(self.products)
        m.submodules.scale = scale = DirectTerm(self)
        product = Signal(product_layout(), reset_less=True)
        valid, first, last, ends = flags("product", "first", "last", "ends")
        begin = Signal(init=1)  # the next block begins a dot product
        m.d.comb += [
            multiply.a.eq(i.payload.a_codes[0]),
            multiply.w.eq(i.payload.w_codes[0]),
            scale.product.eq(product),
            scale.a_scales.eq(a_scales),
            scale.w_scales.eq(w_scales),
        ]
        m.d.sync += valid.eq(beat.valid)
        with m.If(beat.valid):
            m.d.sync += [
                product.eq(multiply.product),
                first.eq(begin & beat.first),
                ends.eq(beat.ends),
                last.eq(beat.last),
            ]
        with m.If(beat.valid & beat.ends):
            m.d.sync += begin.eq(beat.last)
        return Terms([scale.term], valid, first, ends, last)

    def explain(self) -> str:
        """In words: what is built and why."""
        return "every scaled product is a term, as one lane has nothing to sum and four block sums would cost more"


def product_layout() -> data.StructLayout:
    """A product before its shift: significand (0 .. 9) x 2^shift (0 .. 4), and the operands' signs."""
    return data.StructLayout({"significand": 4, "shift": 3, "a_negative": 1, "w_negative": 1})


class DirectProduct(wiring.Component):
    """Decodes and multiplies one pair of E2M1 codes, leaving the shift to the accumulator; combinational.

    Sides that may be halved share one scale, so their products are never added directly.

    Ports:
        a, w: in, 4 bits: the codes.
        product: out, see `product_layout`.
    """

    def __init__(self, plan: Products) -> None:
        self.plan = plan
        super().__init__({"a": In(4), "w": In(4), "product": Out(product_layout())})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        operands = [(code, Const(0, 2), f) for code, f in zip((self.a, self.w), self.plan.formats, strict=True)]
        (a_significand, a_shift), (w_significand, w_shift) = ((significand(*x), shift(*x)) for x in operands)
        m.d.comb += [
            self.product.significand.eq(a_significand * w_significand),
            self.product.shift.eq(a_shift + w_shift),
            self.product.a_negative.eq(self.a[3]),
            self.product.w_negative.eq(self.w[3]),
        ]
        return m


class DirectTerm(wiring.Component):
    """Scales one product by the scales that its signs select; combinational.

    Ports:
        product: in, see `product_layout`.
        a_scales, w_scales: in, codes, positive first.
        term: out, see `Term.layout`. Its `nan` is set where any of the block's scales is NaN, selected or not.
    """

    def __init__(self, plan: Direct) -> None:
        self.plan = plan
        a, w = plan.products.formats
        super().__init__(
            {
                "product": In(product_layout()),
                "a_scales": In(scales_layout(a)),
                "w_scales": In(scales_layout(w)),
                "term": Out(plan.layout),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product, term = self.product, self.term
        a_format, w_format = self.plan.products.formats
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
