"""Multiplies floats by the reciprocal of a tensor's scale, and narrows what comes of it, as `narrow.py` narrows floats.

The product of two significands is exact. golden rounds it to a float32 before anything is compared with it, and so
does this: a product that lies just below a threshold may be rounded up to it, and one just above may be rounded down
to it. Of the rounded product only the few bits leave that a comparison can depend on.

The reciprocal is the same for all lanes, and so is three times it. With both, two bits of a lane's significand choose
one addend out of four: 0, 1, 2 or 3 times the reciprocal. A bfloat16 takes four addends.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.compress import Columns
from amxfp4.hw.quantizer.config import BIAS, EXPONENT_BITS, QuantizerConfig

FLOAT32_FRACTION_BITS = 23
SIGNIFICAND_BITS = FLOAT32_FRACTION_BITS + 1


@dataclass(frozen=True)
class Reciprocal:
    """A float32 as the lanes take it.

    Attributes:
        once: its significand.
        thrice: three times its significand.
        exponent: its exponent field.
    """

    once: Value
    thrice: Value
    exponent: Value


def split_reciprocal(m: Module, bits: Value) -> Reciprocal:
    """The parts of a positive normal float32."""
    once = Signal(SIGNIFICAND_BITS, name="once")
    thrice = Signal(SIGNIFICAND_BITS + 2, name="thrice")
    m.d.comb += [once.eq(Cat(bits[:FLOAT32_FRACTION_BITS], Const(1, 1))), thrice.eq(once + (once << 1))]
    return Reciprocal(once, thrice, bits[FLOAT32_FRACTION_BITS:-1])


class ScaledNarrow(wiring.Component):
    """Multiplies one float by a float32, and narrows the product; combinational.

    Ports:
        float: in, `float_bits` bits: a bfloat16 or float32. A subnormal counts as 0.
        once: in, 24 bits: the significand of the other factor, which is positive and normal.
        thrice: in, 26 bits: three times `once`.
        exponent: in, 8 bits: the exponent field of the other factor.
        element: out, see `QuantizerConfig.element_layout`: of the product.
        special: out, 1 bit: the float is NaN or infinite.
        below: out, 1 bit, only with `QuantizerConfig.maximum_sticky`: something non-zero lies below the held fraction.

    A product beyond the window of FP8 scales has the lowest or the largest exponent field, as in `Narrow`. float32's
    range is wider than any window, so that no limit of float32 shows.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        below = {"below": Out(1)} if config.maximum_sticky else {}
        super().__init__(
            {
                "float": In(config.float_bits),
                "once": In(SIGNIFICAND_BITS),
                "thrice": In(SIGNIFICAND_BITS + 2),
                "exponent": In(EXPONENT_BITS),
                "element": Out(config.element_layout),
                "special": Out(1),
                **below,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self.config
        field = self.float[config.input_fraction_bits : -1]
        product = self._product(m)
        fraction, inexact = self._rounded(m, product)
        m.d.comb += [
            self.element.fraction.eq(Cat(inexact, fraction) if config.ties_to_even else fraction),
            self.element.exponent.eq(self._exponent(m, field, product[-1])),
            self.element.negative.eq(self.float[-1]),
            self.special.eq(field.all()),
        ]
        if config.maximum_sticky:
            m.d.comb += self.below.eq(inexact)
        return m

    def _product(self, m: Module) -> Value:
        """The product of the significands, and an addend that rounds it.

        The product lies in [1, 4). The addend is half the least bit of a float32 that begins with the product's second
        bit. One that begins with the first bit has a least bit twice as large.
        """
        float_bits = self.config.input_fraction_bits + 1
        significand = Cat(self.float[: float_bits - 1], Const(1, 1))
        columns = Columns(float_bits + SIGNIFICAND_BITS)
        columns.add(Const(1, 1), at=float_bits - 2)
        for place in range(0, float_bits, 2):
            one, two = significand[place], significand[place + 1]
            addend = Signal(SIGNIFICAND_BITS + 2, name=f"addend{place}")
            chosen = [(self.once, one & ~two), (self.once << 1, two & ~one), (self.thrice, two & one)]
            if place == float_bits - 2:
                chosen = [(self.once << 1, ~one), (self.thrice, one)]  # the leading bit is there
            m.d.comb += addend.eq(reduce(or_, (gated(multiple, when) for multiple, when in chosen)))
            columns.add(addend, at=place)
        first, second = columns.reduce(m, "product")
        product = Signal(columns.width, name="product")
        m.d.comb += product.eq(first + second)
        return product

    def _rounded(self, m: Module, product: Value) -> tuple[Value, Value]:
        """The kept fraction of the product as a float32, ties to even.

        Args:
            product: as `_product` gives it, half a least bit added where it begins with its second bit.

        Returns:
            The fraction, and whether something non-zero lies below it. No product is rounded up to 4, as the largest is
            (2 - u)^2 where the smaller factor's least bit is u.
        """
        kept, cut = self.config.kept_fraction_bits, len(product) - SIGNIFICAND_BITS
        wide = product[-1]
        # Where the product begins with its first bit, half a least bit is 2^(cut - 1), of which half has been added.
        # The other half goes up to the kept bits only through a run of ones, down to the bit where it is added.
        end = len(product) - 1 - kept
        again = wide & product[cut - 2 : end].all()
        fraction = Signal(kept)
        m.d.comb += fraction.eq(Mux(wide, product[end:-1], product[end - 1 : -2]) + again)
        # Nothing is left below the kept bits where the exact product is at most half a least bit away from them.
        clear = ~product[cut : end - 1].any()
        narrow_clear = clear & ~(product[cut - 1] & product[: cut - 1].any())
        wide_clear = clear & ~product[end - 1] & ~(product[cut - 2 : cut].all() & product[: cut - 2].any())
        inexact = Signal()
        m.d.comb += inexact.eq(~Mux(wide, wide_clear | again, narrow_clear))
        return fraction, inexact

    def _exponent(self, m: Module, field: Value, wide: Value) -> Value:
        """The held exponent field, kept within the window: the factors' exponents, and one more of a `wide` product."""
        bits = self.config.exponent_bits
        offset = self.config.window_bias - 2 * BIAS
        held = Signal(range(offset, offset + 2 * (1 << EXPONENT_BITS)))
        m.d.comb += held.eq(field + self.exponent + offset + wide)
        assert held.shape().signed
        above = ~held[-1] & held[bits:-1].any()
        within = ~held[-1] & field.any()
        return gated(held[:bits] | above.replicate(bits), within)
