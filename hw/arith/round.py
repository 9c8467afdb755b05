"""The one rounder: from a normalised significand with guard and sticky bits to float32, ties to even."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated

SIGNIFICAND_BITS = 24
FRACTION_BITS = 23
FLOAT32_BIAS = 127
QUIET_NAN = 0x7FC00000
# Sign, significand and guard: the bits that are kept of a total once its sign stands alone on top.
KEPT = 1 + SIGNIFICAND_BITS + 1

RESULT_LAYOUT = data.StructLayout({"value": 32, "nan": 1, "overflow": 1})
"""A result, from bit 0: the bits of the float32; whether it is NaN; whether a fixed-point accumulator overflowed, or
a float32 one rounded to infinity."""

# Carries of the increment skip over this many bits at a time.
BLOCK_BITS = 8


def _increment(number: Value, up: Value) -> Value:
    """`number` + `up`, modulo 2^width.

    The carry into a block of bits is `up` and all bits below, a single AND, so no carry ripples from block to block.
    """
    blocks: list[Value] = []
    for start in range(0, len(number), BLOCK_BITS):
        block = number[start : start + BLOCK_BITS]
        blocks.append((block + (up & number[:start].all() if start else up))[: len(block)])
    return Cat(*blocks)


class Rounder(wiring.Component):
    """Rounds a magnitude to float32, ties to even; combinational.

    Ports:
        significand: in, 24 bits; the top one is set unless the value is zero or subnormal.
        exponent: in, `exponent_bits` bits, unsigned: the biased exponent of a significand whose top bit is set; 1 with
            a subnormal.
        guard: in, 1 bit: the bit below the significand.
        sticky: in, 1 bit: something non-zero lies below the guard.
        complement: in, 1 bit: significand and guard were inverted, as the number is negative. `sticky` was not.
        exponent_field: out, 8 bits.
        fraction: out, 23 bits.
        infinite: out, 1 bit, only where `overflows`: the result is infinity.

    Without `overflows` the exponent never passes 254, and no logic for infinity is built.

    Inverting leaves a magnitude too small by one in a last place infinitely far down. Where `sticky` is clear, all bits
    below the guard would be ones after inverting, so the missing one is carried up to the guard:

    | complement & ~sticky | guard | sticky | last bit | add 1 | why |
    |---|---|---|---|---|---|
    | 0 | 0 | x | x | 0 | below half |
    | 0 | 1 | 0 | b | b | tie: to even |
    | 0 | 1 | 1 | x | 1 | above half |
    | 1 | 0 | 0 | b | b | the carried one makes the guard 1: a tie |
    | 1 | 1 | 0 | x | 1 | the carried one passes the guard, which is left 0 |
    """

    def __init__(self, exponent_bits: int, *, overflows: bool) -> None:
        self.exponent_bits = exponent_bits
        self.overflows = overflows
        super().__init__(
            {
                "significand": In(SIGNIFICAND_BITS),
                "exponent": In(exponent_bits),
                "guard": In(1),
                "sticky": In(1),
                "complement": In(1),
                "exponent_field": Out(8),
                "fraction": Out(FRACTION_BITS),
                **({"infinite": Out(1)} if overflows else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        odd, hidden = self.significand[0], self.significand[-1]
        carried = self.complement & ~self.sticky
        up = Signal()
        fields = Signal(FRACTION_BITS + self.exponent_bits + self.overflows)
        # A carry out of the fraction moves the exponent up by one, also from subnormal to normal.
        number = Cat(
            self.significand[:-1],
            gated(self.exponent, hidden),
            Const(0, self.overflows),
        )
        m.d.comb += [
            up.eq((self.guard & (self.sticky | odd | carried)) | (carried & odd)),
            fields.eq(_increment(number, up)),
        ]
        fraction, exponent = fields[:FRACTION_BITS], fields[FRACTION_BITS:]
        if not self.overflows:
            m.d.comb += [self.fraction.eq(fraction), self.exponent_field.eq(exponent)]
            return m
        # Rounding up into exponent 255 leaves the fraction 0 by itself. So the fraction is cleared only where the
        # exponent was too large before rounding.
        beyond = Signal()
        m.d.comb += [
            beyond.eq((self.exponent >= 255) & hidden),
            self.infinite.eq(beyond | exponent[:8].all()),
            self.fraction.eq(gated(fraction, ~beyond)),
            self.exponent_field.eq(exponent[:8] | beyond.replicate(8)),
        ]
        return m


def round_total(m: Module, kept: Value, sticky: Value, exponent: Value) -> Value:
    """Rounds an exact total in two's complement to float32.

    The total has been shifted up, zeros filling in below, until its sign stands alone on top. Inverting a negative
    total gives |total| minus an infinitesimal. The rounder corrects for it only where that can change the result (see
    the table in `Rounder`), so no wide negation is needed.

    Args:
        kept: the top `KEPT` bits of the shifted total. A total of zero has its top bit clear.
        sticky: something non-zero lies below `kept`.
        exponent: biased, of the bit below the sign. It lies between 1 and 254 for every accumulator of FP8 scales
            (2^-34 .. 2^94), so neither subnormals nor infinities are built.

    Returns:
        The 32 bits of the float32.
    """
    sign = kept[-1]
    magnitude = kept[:-1] ^ sign.replicate(KEPT - 1)
    rounder = m.submodules.rounder = Rounder(8, overflows=False)
    m.d.comb += [
        rounder.significand.eq(magnitude[1:]),
        rounder.guard.eq(magnitude[0]),
        rounder.sticky.eq(sticky),
        rounder.complement.eq(sign),
        rounder.exponent.eq(exponent),
    ]
    return Cat(rounder.fraction, rounder.exponent_field, sign)


def result_register(m: Module, number: Value, nan: Value, overflow: Value) -> data.View:
    """Registers a result, as `RESULT_LAYOUT`. The register is read only where the result is valid, so it has no reset.

    A NaN hides an overflow.

    Args:
        number: the bits of the float32, where the result is neither NaN nor overflowed.
    """
    result = Signal(RESULT_LAYOUT, reset_less=True)
    special = nan | overflow
    m.d.sync += [
        result.value.eq(Mux(special, QUIET_NAN, number)),
        result.nan.eq(special),
        result.overflow.eq(overflow & ~nan),
    ]
    return result
