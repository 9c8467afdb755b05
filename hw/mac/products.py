"""E2M1 elements: decode and product.

A code `s e1 e0 m` is `significand << shift` in units of 1/2, with a significand of two bits (hidden bit, m) and a
shift of 0, 1 or 2, so a product is a 2 x 2 bit multiplication and a shift by 0..4: 51 NAND2 a lane, against 79 for
a multiplication of the two 4-bit integers.
"""

import functools
import operator

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.golden.formats import BlockFormat
from amxfp4.hw.mac.config import MacConfig


def significand(code: Value) -> Value:
    """Two bits: the hidden bit, which only exponent field 0 lacks, above the mantissa bit."""
    return Cat(code[0], code[1] | code[2])


def shift(code: Value, halved: Value, block: BlockFormat) -> Value:
    """The shift of a code, two bits: its exponent field less 1, at least 0, and where sides may be halved 1 more for
    one that is not."""
    one, two = code[2] & ~code[1], code[2] & code[1]
    if not block.halving:
        return Cat(one, two)
    raised = ~Mux(code[3], halved[1], halved[0])
    return Cat(one ^ raised, two | (one & raised))


def shifted(m: Module, value: Value, by: Value, largest: int, name: str) -> Signal:
    """`value` shifted left by `by`, at most `largest`. Of three places an AND-OR is smaller than two multiplexers (44
    NAND2 a product against 50), of four larger (82 against 69)."""
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

    Ports: `a`, `w`: 4 bits a lane in. `a_halved`, `w_halved`: for a format with halved sides, whether the positive (bit
    0) and the negative (bit 1) side are; otherwise not looked at. `magnitude`: `product_bits` a lane out, |a * w|.
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        codes = data.ArrayLayout(4, config.lanes)
        super().__init__(
            {
                "a": In(codes),
                "w": In(codes),
                "a_halved": In(2),
                "w_halved": In(2),
                "magnitude": Out(data.ArrayLayout(config.product_bits, config.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a_format, w_format = self.config.formats
        for lane in range(self.config.lanes):
            a, w = self.a[lane], self.w[lane]
            product = Signal(4, name=f"significand{lane}")
            m.d.comb += product.eq(significand(a) * significand(w))
            once = shifted(m, product, shift(a, self.a_halved, a_format), 2 + a_format.halving, f"once{lane}")
            both = shifted(m, once, shift(w, self.w_halved, w_format), 2 + w_format.halving, f"both{lane}")
            m.d.comb += self.magnitude[lane].eq(both)
        return m
