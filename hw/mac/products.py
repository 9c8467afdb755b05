"""Products: each lane decodes two E2M1 elements and multiplies them.

A code `s e1 e0 m` is `significand << shift` in units of 1/2. The significand has two bits (hidden bit, m); the shift is
0, 1 or 2. So a product takes a multiplication of 2 x 2 bits and a shift for each operand, which is smaller than a
multiplication of the two 4-bit integers (docs/architecture.md has both areas).

A special value, which the code of negative zero can mean, is one shift more: 8 is `2 << 3` and 12 is `3 << 3`.
"""

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.golden.formats import NEGATIVE_ZERO, BlockFormat
from amxfp4.hw.config import asymmetry_field

SIGNIFICAND_MAX = 3
"""The largest significand of an element: two bits."""


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
    def unit_exponent(self) -> int:
        """Products are integers in units of 2 to this power times both scales: -2, and 1 less per halving operand.

        Elements of an operand whose sides may have half the block's scale count in units of half that scale. Elements
        of a side that is not halved are shifted by one place more. So the asymmetry takes a shift, not a further sum.
        """
        return sum(f.unit_exponent for f in self.formats)

    @property
    def largest(self) -> int:
        """The largest product of two elements, in that unit.

        An operand's largest element is 12 (6 in units of 1/2), 24 in units of half of that with halved sides, 16 with
        the special value 8, and 24 with 12.
        """
        a, w = (largest_integer(f) for f in self.formats)
        return a * w

    @property
    def shifts_together(self) -> bool:
        """Whether a product is shifted once, by the sum of both elements' shifts, not by one after the other.

        That is smaller for products beyond 8 bits with special values (docs/tried.md).
        """
        return any(f.specials for f in self.formats) and self.bits > 8

    @property
    def bits(self) -> int:
        """Width of a product's magnitude."""
        return bits_for(self.largest)


def largest_integer(block: BlockFormat) -> int:
    """The largest |element| of a format, in units of 2 to its `unit_exponent`: 12, 16 or 24."""
    return int(block.largest_element * 2.0**-block.unit_exponent)


def asymmetry_port(side: str, block: BlockFormat) -> tuple[str, int]:
    """Name and width of the port for an operand's asymmetry code, which a format without one has but does not look at.

    Where there is a code, the name is that of the beat's field.

    Args:
        side: The operand, "a" or "w".
        block: Its format.
    """
    return f"{side}_{asymmetry_field(block) or 'halved'}", block.asymmetry_bits or 2


def is_special(code: Value) -> Value:
    """Whether a code is that of negative zero, which means a special value in the formats that have some."""
    return code == NEGATIVE_ZERO


def significand(code: Value, asymmetry: Value, block: BlockFormat) -> Value:
    """Two bits: the hidden bit, which only exponent field 0 lacks, above the mantissa bit.

    A special value has a hidden bit too, and 12 has the mantissa bit, which its code lacks.
    """
    mantissa, hidden = code[0], code[1] | code[2]
    if block.specials:
        hidden = hidden | (code[3] & ~code[0])
    if len(block.specials) > 1:
        mantissa = mantissa | (is_special(code) & asymmetry[1])
    return Cat(mantissa, hidden)


def sign(code: Value, asymmetry: Value, block: BlockFormat) -> Value:
    """Whether an element is negative: a special value is on the side that its block's asymmetry code says."""
    return code[3] & (~is_special(code) | asymmetry[0]) if block.specials else code[3]


def shift(code: Value, halved: Value, block: BlockFormat) -> Value:
    """The shift of a code, two bits: its exponent field less 1, but at least 0.

    Where sides may be halved, an element of a side that is not halved is shifted by 1 more. A special value is shifted
    by 3. So is zero then, as it differs only in its sign and has nothing to shift.
    """
    one, two = code[2] & ~code[1], code[2] & code[1]
    if block.specials:
        special = ~code[:3].any()
        return Cat(one | special, two | special)
    if not block.halving:
        return Cat(one, two)
    raised = ~Mux(code[3], halved[1], halved[0])
    return Cat(one ^ raised, two | (one & raised))


def places(code: Value, block: BlockFormat) -> list[Value]:
    """One-hot, from 0 on, the shift of a code where sides are not halved; that of a special value is 3."""
    if block.specials:
        special = is_special(code)
        return [~code[2] & ~special, code[2] & ~code[1], code[2] & code[1], special]
    by = shift(code, Const(0, 2), block)
    return [by == place for place in range(3)]


def placed(value: Value, hot: Mapping[int, Value], width: int) -> Value:
    """`value` shifted left by that of the places whose bit is set, one of them: an AND-OR."""
    parts = (Cat(Const(0, place), value)[:width] & taken.replicate(width) for place, taken in hot.items())
    return functools.reduce(operator.or_, parts)


def shifted_together(m: Module, value: Value, a: Value, w: Value, width: int, name: str) -> Signal:
    """`value` shifted left by the sum of two shifts: first by their low bits, 0 to 2 places, then by their high bits.

    Args:
        value: What is shifted.
        a, w: The shifts, two bits each.
        width: Of the result, which fits.
        name: Of the result.
    """
    low = {0: ~(a[0] | w[0]), 1: a[0] ^ w[0], 2: a[0] & w[0]}
    high = {0: ~(a[1] | w[1]), 2: a[1] ^ w[1], 4: a[1] & w[1]}
    once, out = Signal(len(value) + 2, name=f"{name}_low"), Signal(width, name=name)
    m.d.comb += [once.eq(placed(value, low, len(once))), out.eq(placed(once, high, width))]
    return out


def shifted(
    m: Module, value: Value, code: Value, asymmetry: Value, block: BlockFormat, width: int, name: str
) -> Signal:
    """`value` shifted left as an element's code says.

    For three possible shifts an AND-OR is smaller than two multiplexers. For the four of halved sides it is larger. For
    the four of special values it is smaller again, as a special code selects the fourth by itself.

    Args:
        value: What is shifted.
        code: The element's code.
        asymmetry: The asymmetry code of its block.
        block: Its format.
        width: Of the result, which fits.
        name: Of the result.
    """
    out = Signal(width, name=name)
    if block.halving:
        by = shift(code, asymmetry, block)
        once = Signal(len(value) + 1, name=f"{name}_once")
        m.d.comb += [once.eq(Mux(by[0], value << 1, value)), out.eq(Mux(by[1], once << 2, once))]
    else:
        m.d.comb += out.eq(placed(value, dict(enumerate(places(code, block))), width))
    return out


class ElementProducts(wiring.Component):
    """The products of `lanes` pairs of E2M1 codes; combinational.

    Ports:
        a, w: in, 4 bits per lane: the codes.
        a_halved, w_halved: in, 2 bits: the positive (bit 0) and the negative (bit 1) side is halved. Only formats with
            halved sides look at these.
        a_special, w_special: in, instead of the former for a format with special values, a bit for each of them. Bit 1
            is looked at: the special value is the second one.
        magnitude: out, `plan.bits` bits per lane: |a * w|.
    """

    def __init__(self, plan: Products) -> None:
        self.plan = plan
        codes = data.ArrayLayout(4, plan.lanes)
        a, w = plan.formats
        super().__init__(
            {
                "a": In(codes),
                "w": In(codes),
                **{name: In(width) for name, width in (asymmetry_port("a", a), asymmetry_port("w", w))},
                "magnitude": Out(data.ArrayLayout(plan.bits, plan.lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a_format, w_format = self.plan.formats
        a_code = getattr(self, asymmetry_port("a", a_format)[0])
        w_code = getattr(self, asymmetry_port("w", w_format)[0])
        # The operand that alone has special values is shifted first, where there are fewer bits to shift.
        swapped = bool(w_format.specials and not a_format.specials)
        once_bits = bits_for(SIGNIFICAND_MAX * largest_integer(w_format if swapped else a_format))
        for lane in range(self.plan.lanes):
            a, w = (self.a[lane], a_code, a_format), (self.w[lane], w_code, w_format)
            product = Signal(4, name=f"significand{lane}")
            m.d.comb += product.eq(significand(*a) * significand(*w))
            if self.plan.shifts_together:
                both = shifted_together(m, product, shift(*a), shift(*w), self.plan.bits, f"both{lane}")
            else:
                first, second = (w, a) if swapped else (a, w)
                once = shifted(m, product, *first, once_bits, f"once{lane}")
                both = shifted(m, once, *second, self.plan.bits, f"both{lane}")
            m.d.comb += self.magnitude[lane].eq(both)
        return m
