"""The float32 accumulator: rounds after every term, ties to even, with gradual underflow where terms reach there."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.arith.leading import leading_zeros
from amxfp4.hw.arith.round import FRACTION_BITS, SIGNIFICAND_BITS, Rounder
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import term_layout

# Guard, round and sticky: enough for one rounding after an addition with alignment.
EXTRA_BITS = 3
SMALL_BITS = SIGNIFICAND_BITS + EXTRA_BITS
# Sign and carry above the aligned operands.
RAW_BITS = 2 + SMALL_BITS


def normal_layout(config: MacConfig) -> data.StructLayout:
    """A normalised term: value = (-1)^negative x significand / 2^(term_bits - 1) x 2^(exponent - 127), the top bit of
    the significand set; 0 as significand and exponent 0. The exponent is signed where it may leave float32's range."""
    return data.StructLayout(
        {"significand": config.term_bits, "negative": 1, "exponent": config.normal_exponent_bits, "nan": 1}
    )


class TermNormaliser(wiring.Component):
    """Shifts a term's magnitude up until its top bit is set; combinational. Ports: `term` in, `normal` out."""

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        super().__init__({"term": In(term_layout(config)), "normal": Out(normal_layout(config))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, term, normal = self.config, self.term, self.normal
        zeros, some = leading_zeros(m, term.magnitude, "zeros")
        value: Value = term.magnitude
        for stage, bit in reversed(list(enumerate(zeros))):
            shifted = Signal(len(value), name=f"normal{1 << stage}")
            m.d.comb += shifted.eq(Mux(bit, value << (1 << stage), value))
            value = shifted
        exponent = term.exponent + (config.normal_exponent_offset - zeros)
        width = config.normal_exponent_bits
        m.d.comb += [
            normal.significand.eq(value),
            normal.negative.eq(term.negative),
            normal.exponent.eq(exponent[:width] & some.replicate(width)),
            normal.nan.eq(term.nan),
        ]
        return m


@dataclass(frozen=True)
class Operand:
    """What is added: significand (24 bits, the top one clear only of zero and of subnormals), biased exponent, sign."""

    significand: Value
    exponent: Value
    negative: Value


@dataclass(frozen=True)
class Sum:
    """A sum shifted up until its sign stands alone on top (subnormals: until the exponent is 1).

    Attributes:
        bits: `RAW_BITS`, two's complement, of the sum relative to the sign of the larger operand.
        exponent: biased, of the bit below the sign.
        negative: the larger operand's sign.
        zero: nothing is left.
        infinite, sign: of the accumulator before, which stays as it is where it was infinite.
        nan: the accumulator or the term is NaN.
    """

    bits: Value
    exponent: Value
    negative: Value
    zero: Value
    infinite: Value
    sign: Value
    nan: Value


class Float32Register(wiring.Component):
    """A float32 to which normalised terms are added: what its two accumulators have in common.

    Ports: `term` (see `normal_layout`), `valid`: add it, `first`: it begins a dot product, `last`: it ends one. `value`
    out: float32 bits, `nan`, `infinite` out: `loop_stages` cycles later, until the next term arrives there. `complete`
    out: they are a dot product's, for one cycle.

    Which operand is shifted depends on the exponents alone, so the difference may be negative; it stays in two's
    complement, is shifted up until its sign stands alone, and the rounder makes a magnitude of it (see `Rounder`).
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        self.wide = config.beyond_float32
        self.exponent_bits = config.normal_exponent_bits - self.wide  # of the larger operand, which is not below 1
        super().__init__(
            {
                "term": In(normal_layout(config)),
                "valid": In(1),
                "first": In(1),
                "last": In(1),
                "value": Out(32),
                "nan": Out(1),
                "infinite": Out(1),
                "complete": Out(1),
            }
        )

    def _registers(self, m: Module, field_bits: int = 8) -> None:
        """The accumulator; its exponent field may have bits more for a sum that is not rounded yet."""
        self.sign_register = Signal(name="sign", reset_less=True)
        self.field_register = Signal(field_bits, name="field", reset_less=True)
        self.fraction_register = Signal(FRACTION_BITS, name="fraction", reset_less=True)
        self.nan_register = Signal(name="nan", reset_less=True)
        self.infinite_register = Signal(name="infinite", reset_less=True) if self.wide else Signal()
        m.d.comb += [
            self.value.eq(Cat(self.fraction_register, self.field_register[:8], self.sign_register)),
            self.nan.eq(self.nan_register),
            self.infinite.eq(self.infinite_register),
        ]

    def _operands(self, m: Module, keep: Value) -> tuple[Operand, Operand]:
        """The accumulator, +0 unless `keep`, and the term."""
        term = self.term
        field = Signal(8, name="acc_field")
        m.d.comb += field.eq(self.field_register[:8] & keep.replicate(8))
        acc = Cat(self.fraction_register & keep.replicate(FRACTION_BITS), field.any())
        acc_exponent: Value = field
        term_exponent: Value = term.exponent
        if self.wide:  # a subnormal has the weight of field 1; terms may lie below
            acc_exponent = Cat(field[0] | ~field.any(), field[1:])
            term_exponent = term.exponent.as_signed()
        significand = Cat(Const(0, SIGNIFICAND_BITS - self.config.term_bits), term.significand)
        return (
            Operand(acc, acc_exponent, self.sign_register & keep),
            Operand(significand, term_exponent, term.negative),
        )

    def _round(self, m: Module, total: Sum, when: Value, clear: Value | None = None) -> None:
        """The rounded sum becomes the accumulator `when` it is there, and +0 when it is to be cleared."""
        minus = total.bits[-1]
        magnitude = total.bits[:-1] ^ minus.replicate(RAW_BITS - 1)
        rounder = m.submodules.rounder = Rounder(self.exponent_bits, overflows=self.wide)
        m.d.comb += [
            rounder.significand.eq(magnitude[-SIGNIFICAND_BITS:]),
            rounder.guard.eq(magnitude[-SIGNIFICAND_BITS - 1]),
            rounder.sticky.eq(total.bits[: RAW_BITS - SIGNIFICAND_BITS - 2].any()),
            rounder.complement.eq(minus),
            rounder.exponent.eq(total.exponent[: self.exponent_bits]),
        ]
        sign = (total.negative ^ minus) & ~total.zero
        field: Value = rounder.exponent_field
        fraction: Value = rounder.fraction
        if self.wide:  # infinity stays, whatever is added to it
            stays = total.infinite
            sign = Mux(stays, total.sign, sign)
            field = field | stays.replicate(8)
            fraction = fraction & (~stays).replicate(FRACTION_BITS)
        keep = Const(1, 1)
        if clear is not None:
            when, keep = when | clear, ~clear
        with m.If(when):
            m.d.sync += [
                self.sign_register.eq(sign & keep),
                self.field_register.eq(field & keep.replicate(8)),
                self.fraction_register.eq(fraction & keep.replicate(FRACTION_BITS)),
                self.nan_register.eq(total.nan & keep),
            ]
            if self.wide:
                m.d.sync += self.infinite_register.eq((total.infinite | rounder.infinite) & keep)


class Float32Accumulator(Float32Register):
    """Adds a term in one cycle or two, with a shifter for the alignment and one for the sum."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._registers(m)
        keep = ~self.first
        acc, term = self._operands(m, keep)
        raw, exponent, negative = self._add(m, acc, term)
        infinite, sign, nan = (
            self.infinite_register & keep,
            self.sign_register,
            (self.nan_register & keep) | self.term.nan,
        )
        valid, last = self.valid, self.last
        if self.config.loop_stages == 2:
            layout = {
                "raw": RAW_BITS,
                "exponent": len(exponent),
                "negative": 1,
                "infinite": 1,
                "nan": 1,
                "sign": 1,
                "last": 1,
            }
            stage = Signal(data.StructLayout(layout), name="sum", reset_less=True)
            taken = Signal()
            m.d.sync += taken.eq(valid)
            with m.If(valid):
                m.d.sync += [
                    stage.raw.eq(raw),
                    stage.exponent.eq(exponent),
                    stage.negative.eq(negative),
                    stage.infinite.eq(infinite),
                    stage.nan.eq(nan),
                    stage.sign.eq(sign),
                    stage.last.eq(last),
                ]
            raw, exponent, negative = stage.raw, stage.exponent, stage.negative
            valid, last, infinite, nan, sign = taken, stage.last, stage.infinite, stage.nan, stage.sign

        complete = Signal()
        m.d.sync += complete.eq(valid & last)
        m.d.comb += self.complete.eq(complete)
        normal, zeros = self._normalise(m, raw, exponent)
        zero = Signal(name="zero")
        m.d.comb += zero.eq(~raw.any())
        # The carry's place is on top, one above the larger operand's.
        self._round(m, Sum(normal, exponent + 1 - zeros, negative, zero, infinite, sign, nan), valid)
        return m

    def _add(self, m: Module, acc: Operand, term: Operand) -> tuple[Value, Value, Value]:
        """The sum in units of the larger exponent's last place / 8, that exponent, and the larger's sign."""
        bits = len(self.term.exponent)
        ahead = Signal(bits + 2, name="ahead")
        behind = Signal(bits + 2, name="behind")
        m.d.comb += [ahead.eq(term.exponent - acc.exponent), behind.eq(acc.exponent - term.exponent)]
        term_larger = ~ahead[-1]
        distance = Mux(term_larger, ahead, behind)[:-1]
        larger = Mux(term_larger, term.significand, acc.significand)
        smaller = Mux(term_larger, acc.significand, term.significand)
        exponent = Signal(bits, name="exponent")
        m.d.comb += exponent.eq(Mux(term_larger, self.term.exponent, acc.exponent))
        aligned = self._align(m, Cat(Const(0, EXTRA_BITS), smaller), distance)
        subtract = term.negative ^ acc.negative
        raw = Signal(RAW_BITS, name="raw")
        m.d.comb += raw.eq(
            Cat(Const(0, EXTRA_BITS), larger, Const(0, 2))
            + Cat(aligned ^ subtract.replicate(SMALL_BITS), subtract, subtract)
            + subtract
        )
        return raw, exponent, Mux(term_larger, term.negative, acc.negative)

    @staticmethod
    def _align(m: Module, value: Value, distance: Value) -> Value:
        """`value` shifted down by `distance`, what is lost gathered in the least bit."""
        stages = (SMALL_BITS - 1).bit_length()
        lost: Value = Const(0, 1)
        for stage in reversed(range(stages)):
            step = min(1 << stage, len(value))
            lost = lost | (value[:step].any() & distance[stage])
            shifted = Signal(len(value), name=f"aligned{step}")
            m.d.comb += shifted.eq(Mux(distance[stage], value >> step, value))
            value = shifted
        far = distance[stages:].any()
        everything = Signal(name="lost")
        m.d.comb += everything.eq(lost | (far & value.any()))
        near = value & (~far).replicate(len(value))
        return Cat(near[0] | everything, near[1:])

    def _normalise(self, m: Module, raw: Value, exponent: Value) -> tuple[Value, Value]:
        """The sum shifted up until its sign stands alone on top (subnormals: until the exponent is 1), and how far."""
        changes = raw[:-1] ^ raw[1:]
        if self.wide:
            # The bit that has field 1 when it comes out on top: the shift stops there.
            stop = Signal(RAW_BITS - 1)
            m.d.comb += stop.eq(Const(1 << (RAW_BITS - 2), RAW_BITS - 1) >> exponent)
            changes = changes | stop
        zeros, _ = leading_zeros(m, changes, "zeros")
        value: Value = raw
        for stage, bit in reversed(list(enumerate(zeros))):
            shifted = Signal(RAW_BITS, name=f"normal{1 << stage}")
            m.d.comb += shifted.eq(Mux(bit, value << (1 << stage), value))
            value = shifted
        return value, zeros
