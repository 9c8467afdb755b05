"""The float32 accumulator: rounds after every term, ties to even, with subnormals where terms can be that small."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.arith.leading import leading_zeros
from amxfp4.hw.arith.round import FLOAT32_BIAS, FRACTION_BITS, QUIET_NAN, SIGNIFICAND_BITS, Rounder
from amxfp4.hw.arith.shift import shift_up
from amxfp4.hw.config import plural
from amxfp4.hw.mac.registers import Terms, registered
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_digits import Digits

FIELD_BITS = 8
"""Width of float32's exponent."""
# Guard, round and sticky bits: enough to round once after operands were aligned and added.
EXTRA_BITS = 3
SMALL_BITS = SIGNIFICAND_BITS + EXTRA_BITS
# Sign and carry above the aligned operands.
RAW_BITS = 2 + SMALL_BITS


@dataclass(frozen=True)
class InLoop:
    """No rounder of its own: a float32 accumulator rounds after every addition."""

    title = "in the loop"
    cycles = 0

    def explain(self) -> str:
        """In words: what is built and why."""
        return "part of the addition, as a float32 accumulator rounds after every term"


@dataclass(frozen=True)
class Float32Sum(ABC):
    """The common part of both float32 accumulators: they add normalised terms and round after each.

    Attributes:
        term: the form of the terms.
    """

    term: TermOfSum

    @property
    def rounder(self) -> InLoop:
        """The rounder of the total."""
        return InLoop()

    @property
    def wide(self) -> bool:
        """Whether subnormals and infinity are built; see `Scales.wide`."""
        return self.term.scales.wide

    @property
    def exponent_offset(self) -> int:
        """Biased float32 exponent of a term whose top bit is set and whose scales' exponent fields are 0."""
        return FLOAT32_BIAS - self.term.scales.exponent_offset + self.term.bits - 1

    @property
    def exponent_bits(self) -> int:
        """Width of a normalised term's biased exponent: float32's own 8 bits, or signed and wide enough for E8M0."""
        if not self.wide:
            return FIELD_BITS
        lowest = self.exponent_offset - (self.term.bits - 1)
        return 1 + bits_for(max(self.exponent_offset + self.term.exponent_max, -lowest))

    @property
    def larger_bits(self) -> int:
        """Width of the larger operand's exponent, which is at least 1 and so needs no sign."""
        return self.exponent_bits - self.wide

    @property
    def registers_terms(self) -> bool:
        """Whether a term is registered before it is normalised.

        The register parts the normaliser from the multiplication by the scales' significands. E8M0 scales have no
        significands, so there is no multiplication to part it from.
        """
        return self.term.scales.significand_max > 1

    @property
    def term_stays(self) -> bool:
        """Whether a term is held where it was made until it has been normalised. Then only its flags are registered."""
        return isinstance(self.term, Digits) and self.term.held

    @property
    def layout(self) -> data.StructLayout:
        """A normalised term: value = (-1)^negative x significand / 2^(term.bits - 1) x 2^(exponent - 127).

        The top bit of the significand is set, but zero has significand and exponent 0. The exponent is signed where it
        may leave float32's range.
        """
        return data.StructLayout(
            {"significand": self.term.bits, "negative": 1, "exponent": self.exponent_bits, "nan": 1}
        )

    def build(self, m: Module, terms: Terms, o: stream.Interface) -> None:
        """Normalises terms, adds and rounds them into `o`; submodules and registers go to `m`."""
        if self.registers_terms:
            terms = registered(m, terms, "term", stays=self.term_stays)
        m.submodules.normaliser = normaliser = TermNormaliser(self)
        m.d.comb += normaliser.term.eq(terms.terms[0])
        normal = Terms([normaliser.normal], terms.valid, terms.first, terms.ends, terms.last)
        normal = registered(m, normal, "normal")
        m.submodules.accumulator = accumulator = self.accumulator()
        m.d.comb += [
            accumulator.term.eq(normal.terms[0]),
            accumulator.valid.eq(normal.valid),
            accumulator.first.eq(normal.first),
            accumulator.last.eq(normal.last),
            o.valid.eq(accumulator.complete),
            o.payload.value.eq(Mux(accumulator.nan, QUIET_NAN, accumulator.value)),
            o.payload.nan.eq(accumulator.nan),
            o.payload.overflow.eq(accumulator.infinite & ~accumulator.nan),
        ]

    @abstractmethod
    def accumulator(self) -> "Float32Register":
        """The component that adds."""

    @property
    def rounding(self) -> str:
        """In words: the numbers that the sum is rounded to."""
        reach = "with subnormals and infinity, which E8M0 scales reach" if self.wide else "normal numbers only"
        return f"float32, rounded after every term, {reach}"


@dataclass(frozen=True)
class Float32(Float32Sum):
    """An accumulator that adds a term in one cycle or two.

    Attributes:
        stages: cycles per addition: 2 where each term has two cycles to itself, otherwise 1.
    """

    stages: int

    @property
    def title(self) -> str:
        return f"float32, {plural(self.stages, 'stage')}"

    @property
    def cycles_per_term(self) -> int:
        return self.stages

    @property
    def cycles(self) -> int:
        """Cycles from a term to its sum: the term's register, if any, the normalised term's, and the addition."""
        return 1 + self.registers_terms + self.stages

    def accumulator(self) -> "Float32Accumulator":
        return Float32Accumulator(self)

    def explain(self) -> str:
        """In words: what is built and why."""
        cycles = self.term.sums.cycles_per_term
        return (
            f"{self.rounding}; aligned, added and normalised in {plural(self.stages, 'cycle')}, as a term has {cycles} "
            f"to itself"
        )


class TermNormaliser(wiring.Component):
    """Shifts a term's magnitude up until its top bit is set; combinational.

    Ports:
        term: in, see `Term.layout`.
        normal: out, see `Float32Sum.layout`.
    """

    def __init__(self, plan: Float32Sum) -> None:
        self.plan = plan
        super().__init__({"term": In(plan.term.layout), "normal": Out(plan.layout)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, term, normal = self.plan, self.term, self.normal
        zeros, some = leading_zeros(m, term.magnitude, "zeros")
        value = shift_up(m, term.magnitude, list(zeros), "normal")
        exponent = term.exponent + (plan.exponent_offset - zeros)
        width = plan.exponent_bits
        m.d.comb += [
            normal.significand.eq(value),
            normal.negative.eq(term.negative),
            normal.exponent.eq(gated(exponent[:width], some)),
            normal.nan.eq(term.nan),
        ]
        return m


@dataclass(frozen=True)
class Operand:
    """An operand of the addition.

    Attributes:
        significand: 24 bits; the top one is clear only in zero and in subnormals.
        exponent: biased.
        negative: the sign.
    """

    significand: Value
    exponent: Value
    negative: Value


@dataclass(frozen=True)
class Sum:
    """A sum shifted up until its sign stands alone on top (subnormals: until the exponent is 1).

    Attributes:
        bits: `RAW_BITS` bits, two's complement: the sum, relative to the sign of the larger operand.
        exponent: biased, of the bit below the sign.
        negative: the larger operand's sign.
        zero: the sum is 0.
        infinite, sign: of the accumulator before the addition. An infinite accumulator stays as it is.
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
    """A float32 to which normalised terms are added: the common part of both float32 accumulators.

    Ports:
        term: in, see `Float32Sum.layout`.
        valid: in, 1 bit: add the term.
        first: in, 1 bit: the term begins a dot product.
        last: in, 1 bit: the term ends a dot product.
        value: out, 32 bits: the sum as float32, `cycles_per_term` cycles after its term, until the next addition.
        nan, infinite: out, 1 bit, together with `value`.
        complete: out, 1 bit, for one cycle: `value` is a dot product's.

    The exponents alone decide which operand is shifted, so a difference may be negative. It stays in two's complement
    and is shifted up until its sign stands alone on top. The rounder makes a magnitude of it (see `Rounder`).
    """

    def __init__(self, plan: Float32Sum) -> None:
        self.plan = plan
        self.wide = plan.wide
        self.exponent_bits = plan.larger_bits
        super().__init__(
            {
                "term": In(plan.layout),
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
        """Makes the accumulator's registers.

        Args:
            field_bits: width of the exponent field: more than 8 where it also holds a sum that is not rounded yet.
        """
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
        """The two operands: the accumulator, which counts as +0 without `keep`, and the term."""
        term = self.term
        field = Signal(8, name="acc_field")
        m.d.comb += field.eq(gated(self.field_register[:8], keep))
        acc = Cat(gated(self.fraction_register, keep), field.any())
        acc_exponent: Value = field
        term_exponent: Value = term.exponent
        if self.wide:  # a subnormal has the weight of field 1; a term's exponent may be below that
            acc_exponent = Cat(field[0] | ~field.any(), field[1:])
            term_exponent = term.exponent.as_signed()
        significand = Cat(Const(0, SIGNIFICAND_BITS - self.plan.term.bits), term.significand)
        return (
            Operand(acc, acc_exponent, self.sign_register & keep),
            Operand(significand, term_exponent, term.negative),
        )

    def _round(self, m: Module, total: Sum, when: Value, clear: Value | None = None) -> None:
        """Rounds a sum into the accumulator `when` the sum is there. `clear` sets the accumulator to +0."""
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
            fraction = gated(fraction, ~stays)
        keep = Const(1, 1)
        if clear is not None:
            when, keep = when | clear, ~clear
        with m.If(when):
            m.d.sync += [
                self.sign_register.eq(sign & keep),
                self.field_register.eq(gated(field, keep)),
                self.fraction_register.eq(gated(fraction, keep)),
                self.nan_register.eq(total.nan & keep),
            ]
            if self.wide:
                m.d.sync += self.infinite_register.eq((total.infinite | rounder.infinite) & keep)


class Float32Accumulator(Float32Register):
    """Adds a term in one cycle or two, with one shifter to align and one to normalise.

    Ports: see `Float32Register`.
    """

    def __init__(self, plan: Float32) -> None:
        super().__init__(plan)
        self.stages = plan.stages

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
        if self.stages == 2:
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
        # The top place is the carry's, one above the larger operand's.
        self._round(m, Sum(normal, exponent + 1 - zeros, negative, zero, infinite, sign, nan), valid)
        return m

    def _add(self, m: Module, acc: Operand, term: Operand) -> tuple[Value, Value, Value]:
        """Aligns and adds.

        Returns:
            The sum in units of 1/8 of the larger operand's last place, the larger exponent, and the larger operand's
            sign.
        """
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
        """`value` shifted down by `distance`. The least bit gathers the bits that are lost."""
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
        near = gated(value, ~far)
        return Cat(near[0] | everything, near[1:])

    def _normalise(self, m: Module, raw: Value, exponent: Value) -> tuple[Value, Value]:
        """Shifts the sum up until its sign stands alone on top (subnormals: until the exponent is 1).

        Returns:
            The shifted sum, and by how many places it was shifted.
        """
        changes = raw[:-1] ^ raw[1:]
        if self.wide:
            # The shift must not lift the sum beyond exponent 1: it stops at the bit that has exponent 1 on top.
            stop = Signal(RAW_BITS - 1)
            m.d.comb += stop.eq(Const(1 << (RAW_BITS - 2), RAW_BITS - 1) >> exponent)
            changes = changes | stop
        zeros, _ = leading_zeros(m, changes, "zeros")
        return shift_up(m, raw, list(zeros), "normal"), zeros
