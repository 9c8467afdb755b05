"""Products: each lane decodes two E2M1 elements and multiplies them.

A code `s e1 e0 m` is `significand << shift` in units of 1/2. The significand has two bits (hidden bit, m); the shift is
0, 1 or 2. So a product takes a multiplication of 2 x 2 bits and a shift for each operand, which is smaller than a
multiplication of the two 4-bit integers (docs/architecture.md has both areas).
"""

import functools
import operator
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.golden.formats import ELEMENT_HALVES, BlockFormat

ELEMENT_MAX_HALVES = ELEMENT_HALVES[-1]
"""The largest |element|, 6, in units of 1/2: 12."""


@dataclass(frozen=True)
class Products:
    """The products of the lanes: their operands, and how large they get.

    Attributes:
        activation, weight: the block formats of both operands.
        lanes: element pairs per beat.
    """

    activation: BlockFormat
    weight: BlockFormat
    lanes: int

    @property
    def formats(self) -> tuple[BlockFormat, BlockFormat]:
        """Activation format, weight format."""
        return self.activation, self.weight

    @property
    def halvings(self) -> int:
        """Operands whose sides may have half the block's scale.

        Elements of such an operand count in units of half that scale. Elements of a side that is not halved are shifted
        by one place more. So the asymmetry takes a shift, not a further sum.
        """
        return sum(f.halving for f in self.formats)

    @property
    def unit_exponent(self) -> int:
        """Products are integers in units of 2 to this power times both scales: -2, and 1 less per halving operand."""
        return -2 - self.halvings

    @property
    def largest(self) -> int:
        """The largest product of two elements, in that unit: 144, 288 or 576."""
        return ELEMENT_MAX_HALVES * ELEMENT_MAX_HALVES << self.halvings

    @property
    def bits(self) -> int:
        """Width of a product's magnitude."""
        return bits_for(self.largest)


def significand(code: Value) -> Value:
    """Two bits: the hidden bit, which only exponent field 0 lacks, above the mantissa bit."""
    return Cat(code[0], code[1] | code[2])


def shift(code: Value, halved: Value, block: BlockFormat) -> Value:
    """The shift of a code, two bits: its exponent field less 1, but at least 0.

    Where sides may be halved, an element of a side that is not halved is shifted by 1 more.
    """
    one, two = code[2] & ~code[1], code[2] & code[1]
    if not block.halving:
        return Cat(one, two)
    raised = ~Mux(code[3], halved[1], halved[0])
    return Cat(one ^ raised, two | (one & raised))


def shifted(m: Module, value: Value, by: Value, largest: int, name: str) -> Signal:
    """`value` shifted left by `by`, which is at most `largest`.

    For three possible shifts an AND-OR is smaller than two multiplexers; for four it is larger.
    """
    width = len(value) + largest
    out = Signal(width, name=name)
    if largest == 2:
        places = (Cat(Const(0, place), value) & (by == place).replicate(width) for place in range(3))
        m.d.comb += out.eq(functools.reduce(operator.or_, places))
    else:
        once = Signal(len(value) + 1, name=f"{name}_once")
        m.d.comb += [once.eq(Mux(by[0], value << 1, value)), out.eq(Mux(by[1], once << 2, once))]
    return out


class ElementProducts(wiring.Component):
    """The products of `lanes` pairs of E2M1 codes; combinational.

    Ports:
        a, w: in, 4 bits per lane: the codes.
        a_halved, w_halved: in, 2 bits: the positive (bit 0) and the negative (bit 1) side is halved. Only formats with
            halved sides look at these.
        magnitude: out, `plan.bits` bits per lane: |a * w|.
    """

    def __init__(self, plan: Products) -> None:
        self.plan = plan
        codes = data.ArrayLayout(4, plan.lanes)
        super().__init__(
            {
                "a": In(codes),
                "w": In(codes),
                "a_halved": In(2),
                "w_halved": In(2),
                "magnitude": Out(data.ArrayLayout(plan.bits, plan.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a_format, w_format = self.plan.formats
        for lane in range(self.plan.lanes):
            a, w = self.a[lane], self.w[lane]
            product = Signal(4, name=f"significand{lane}")
            m.d.comb += product.eq(significand(a) * significand(w))
            once = shifted(m, product, shift(a, self.a_halved, a_format), 2 + a_format.halving, f"once{lane}")
            both = shifted(m, once, shift(w, self.w_halved, w_format), 2 + w_format.halving, f"both{lane}")
            m.d.comb += self.magnitude[lane].eq(both)
        return m
