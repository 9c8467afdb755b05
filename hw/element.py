"""E2M1 elements: decode and product.

A code `s e1 e0 m` is `significand << shift` in units of 1/2, with a significand of two bits (hidden bit, m) and a
shift of 0, 1 or 2, so a product is a 2 x 2 bit multiplication and a shift by 0..4: 51 NAND2 a lane, against 79 for
a multiplication of the two 4-bit integers.
"""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import PRODUCT_BITS


def significand(code: Value) -> Value:
    """Two bits: the hidden bit, which only exponent field 0 lacks, above the mantissa bit."""
    return Cat(code[0], code[1] | code[2])


def shift(code: Value) -> tuple[Value, Value]:
    """The shift of a code, one bit for 1 (exponent field 2) and one for 2 (exponent field 3)."""
    return code[2] & ~code[1], code[2] & code[1]


def shift_1_2(m: Module, value: Value, by: tuple[Value, Value], name: str) -> Signal:
    """`value` shifted left by 0, 1 or 2, two bits wider."""
    one, two = by
    width = len(value)
    out = Signal(width + 2, name=name)
    m.d.comb += out.eq(
        Cat(value, 0, 0) & (~(one | two)).replicate(width + 2)
        | Cat(0, value, 0) & one.replicate(width + 2)
        | Cat(0, 0, value) & two.replicate(width + 2)
    )
    return out


class ElementProducts(wiring.Component):
    """The products of `lanes` pairs of E2M1 codes; combinational.

    Ports: `a`, `w`: 4 bits a lane in. `magnitude`: 8 bits a lane out, |a * w| in units of 1/4 (0 .. 144).
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        codes = data.ArrayLayout(4, lanes)
        super().__init__({"a": In(codes), "w": In(codes), "magnitude": Out(data.ArrayLayout(PRODUCT_BITS, lanes))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for lane in range(self.lanes):
            a, w = self.a[lane], self.w[lane]
            product = Signal(4, name=f"significand{lane}")
            m.d.comb += product.eq(significand(a) * significand(w))
            once = shift_1_2(m, product, shift(a), f"shifted_a{lane}")
            m.d.comb += self.magnitude[lane].eq(shift_1_2(m, once, shift(w), f"shifted{lane}"))
        return m
