"""The one rounder: a normalised significand with guard and sticky bits to float32, ties to even."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.bits import gated

SIGNIFICAND_BITS = 24
FRACTION_BITS = 23
FLOAT32_BIAS = 127
QUIET_NAN = 0x7FC00000
# Sign, significand and guard: what is kept of a total once its sign stands alone on top.
KEPT = 1 + SIGNIFICAND_BITS + 1

RESULT_LAYOUT = data.StructLayout({"value": 32, "nan": 1, "overflow": 1})
"""A result, from bit 0: the float32's bits; NaN; overflow (of an exact accumulator, or to infinity)."""

# The increment's carries skip over this many bits at a time.
BLOCK_BITS = 8


def _increment(number: Value, up: Value) -> Value:
    """`number` + `up`, modulo its width: a carry into a block of bits is waited for no longer than all ones below."""
    blocks: list[Value] = []
    for start in range(0, len(number), BLOCK_BITS):
        block = number[start : start + BLOCK_BITS]
        blocks.append((block + (up & number[:start].all() if start else up))[: len(block)])
    return Cat(*blocks)


class Rounder(wiring.Component):
    """Rounds a magnitude to float32, ties to even; combinational.

    Ports in: `significand`: 24 bits, the top one set unless the value is zero or subnormal. `exponent`: the biased
    exponent field of a significand whose top bit is set, unsigned (1 with a subnormal). `guard`: the bit below the
    significand. `sticky`: whether anything lies below that. `complement`: significand and guard are those of the one's
    complement of a negative number; its magnitude is larger by one in a last place infinitely far down, and when
    `sticky` is clear that one reaches the guard bit.
    Ports out: `exponent_field` (8 bits), `fraction` (23 bits), and with `overflows` set `infinite`; with it clear the
    exponent never passes 254, and no logic for infinity is built.

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
        # A carry into exponent 255 leaves the fraction 0, so that only an exponent which is beyond before counts there.
        beyond = Signal()
        m.d.comb += [
            beyond.eq((self.exponent >= 255) & hidden),
            self.infinite.eq(beyond | exponent[:8].all()),
            self.fraction.eq(gated(fraction, ~beyond)),
            self.exponent_field.eq(exponent[:8] | beyond.replicate(8)),
        ]
        return m


def round_total(m: Module, kept: Value, sticky: Value, exponent: Value) -> Value:
    """The float32 of an exact total in two's complement, shifted up, zeros filling in, until its sign stands alone.

    `kept`: the top `KEPT` bits. Those below the sign are the magnitude, or, of a negative number, its one's complement,
    too small by one in a last place infinitely far down: the bits that the shift brought in count as ones, and the
    rounder adds the missing one where it matters, so that no wide negation is needed. Zero leaves the top bit clear.
    `exponent`: biased, of the bit below the sign. It exceeds 0 and stays below 255 for every accumulator of FP8 scales
    (2^-34 .. 2^94), so neither subnormals nor infinities are built.
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
    """A register of its own for a result. Looked at only when valid: no reset."""
    result = Signal(RESULT_LAYOUT, reset_less=True)
    special = nan | overflow
    m.d.sync += [
        result.value.eq(Mux(special, QUIET_NAN, number)),
        result.nan.eq(special),
        result.overflow.eq(overflow & ~nan),
    ]
    return result
