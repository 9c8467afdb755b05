"""The float32 accumulator: rounds after every term, ties to even, with gradual underflow where terms reach there."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.config import MacConfig
from amxfp4.hw.leading import leading_zeros
from amxfp4.hw.round import FRACTION_BITS, SIGNIFICAND_BITS, Rounder
from amxfp4.hw.scale import term_layout

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


class Float32Accumulator(wiring.Component):
    """Adds normalised terms to a float32, rounding each sum.

    Ports: `term` (see `normal_layout`), `valid`: add it, `first`: it begins a dot product. `value` out: float32 bits,
    `nan`, `infinite` out: `loop_stages` cycles later, until the next term arrives there.

    Which operand is shifted depends on the exponents alone, so the difference may be negative; it stays in two's
    complement, is shifted up until its sign stands alone, and the rounder makes a magnitude of it (see `Rounder`).
    """

    def __init__(self, config: MacConfig) -> None:
        self.config = config
        super().__init__(
            {
                "term": In(normal_layout(config)),
                "valid": In(1),
                "first": In(1),
                "value": Out(32),
                "nan": Out(1),
                "infinite": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wide = self.config.beyond_float32
        sign = Signal(reset_less=True)
        field = Signal(8, reset_less=True)
        fraction = Signal(FRACTION_BITS, reset_less=True)
        nan = Signal(reset_less=True)
        infinite = Signal(reset_less=True) if wide else Const(0, 1)
        m.d.comb += [self.value.eq(Cat(fraction, field, sign)), self.nan.eq(nan), self.infinite.eq(infinite)]

        # A dot product's first term is added to +0.
        keep = ~self.first
        acc_field = Signal(8)
        m.d.comb += acc_field.eq(field & keep.replicate(8))
        acc = Cat(fraction & keep.replicate(FRACTION_BITS), acc_field.any())
        raw, exponent, negative = self._add(m, acc, acc_field, sign & keep)
        valid, still_infinite, next_nan = self.valid, infinite & keep, (nan & keep) | self.term.nan
        old_sign = sign
        if self.config.loop_stages == 2:
            stage = Signal(
                data.StructLayout(
                    {
                        "raw": RAW_BITS,
                        "exponent": len(exponent),
                        "negative": 1,
                        "infinite": 1,
                        "nan": 1,
                        "sign": 1,
                    }
                ),
                name="sum",
                reset_less=True,
            )
            taken = Signal()
            m.d.sync += taken.eq(valid)
            with m.If(valid):
                m.d.sync += [
                    stage.raw.eq(raw),
                    stage.exponent.eq(exponent),
                    stage.negative.eq(negative),
                    stage.infinite.eq(still_infinite),
                    stage.nan.eq(next_nan),
                    stage.sign.eq(old_sign),
                ]
            raw, exponent, negative = stage.raw, stage.exponent, stage.negative
            valid, still_infinite, next_nan, old_sign = taken, stage.infinite, stage.nan, stage.sign

        rounder, zero = self._normalise(m, raw, exponent)
        new_sign = (negative ^ raw[-1]) & ~zero
        with m.If(valid):
            m.d.sync += [
                sign.eq(new_sign),
                field.eq(rounder.exponent_field),
                fraction.eq(rounder.fraction),
                nan.eq(next_nan),
            ]
            if wide:  # infinity stays, whatever is added to it
                m.d.sync += [
                    infinite.eq(still_infinite | rounder.infinite),
                    sign.eq(Mux(still_infinite, old_sign, new_sign)),
                    field.eq(rounder.exponent_field | still_infinite.replicate(8)),
                    fraction.eq(rounder.fraction & (~still_infinite).replicate(FRACTION_BITS)),
                ]
        return m

    def _add(self, m: Module, acc: Value, acc_field: Value, acc_negative: Value) -> tuple[Value, Value, Value]:
        """The sum in units of the larger exponent's last place / 8, that exponent, and the larger's sign."""
        config, term = self.config, self.term
        wide = config.beyond_float32
        term_significand = Cat(Const(0, SIGNIFICAND_BITS - config.term_bits), term.significand)
        acc_exponent: Value = acc_field
        term_exponent: Value = term.exponent
        if wide:  # a subnormal has the weight of field 1; terms may lie below
            acc_exponent = Cat(acc_field[0] | ~acc_field.any(), acc_field[1:])
            term_exponent = term.exponent.as_signed()
        ahead = Signal(len(term.exponent) + 2, name="ahead")
        behind = Signal(len(term.exponent) + 2, name="behind")
        m.d.comb += [ahead.eq(term_exponent - acc_exponent), behind.eq(acc_exponent - term_exponent)]
        term_larger = ~ahead[-1]
        distance = Mux(term_larger, ahead, behind)[:-1]
        larger = Mux(term_larger, term_significand, acc)
        smaller = Mux(term_larger, acc, term_significand)
        exponent = Signal(len(term.exponent), name="exponent")
        m.d.comb += exponent.eq(Mux(term_larger, term.exponent, acc_exponent))
        aligned = self._align(m, Cat(Const(0, EXTRA_BITS), smaller), distance)
        subtract = term.negative ^ acc_negative
        raw = Signal(RAW_BITS, name="raw")
        m.d.comb += raw.eq(
            Cat(Const(0, EXTRA_BITS), larger, Const(0, 2))
            + Cat(aligned ^ subtract.replicate(SMALL_BITS), subtract, subtract)
            + subtract
        )
        return raw, exponent, Mux(term_larger, term.negative, acc_negative)

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

    def _normalise(self, m: Module, raw: Value, exponent: Value) -> tuple[Rounder, Value]:
        """Shifts the sum up until its sign stands alone on top (subnormals: until the exponent is 1), and rounds."""
        wide = self.config.beyond_float32
        changes = raw[:-1] ^ raw[1:]
        if wide:
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
        zero = Signal(name="zero")
        m.d.comb += zero.eq(~raw.any())
        magnitude = value[:-1] ^ raw[-1].replicate(RAW_BITS - 1)
        # The carry's place is on top, one above the larger operand's.
        width = len(exponent)
        rounder = m.submodules.rounder = Rounder(width - wide, overflows=wide)
        m.d.comb += [
            rounder.significand.eq(magnitude[-SIGNIFICAND_BITS:]),
            rounder.guard.eq(magnitude[-SIGNIFICAND_BITS - 1]),
            rounder.sticky.eq(value[: RAW_BITS - SIGNIFICAND_BITS - 2].any()),
            rounder.complement.eq(raw[-1]),
            rounder.exponent.eq((exponent + 1 - zeros)[: width - wide]),
        ]
        return rounder, zero
