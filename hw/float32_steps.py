"""The float32 accumulator a place a cycle, for units whose terms come many cycles apart.

One register is first the smaller operand, shifted down by a place a cycle until it is aligned, then the sum, shifted up
by a place a cycle until it is normalised; so there is neither a shifter for either, nor a count of leading zeros. A
long way down and a long way up exclude each other, so both together take hardly longer than one.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from amxfp4.hw.config import FLOAT32_STEPS, MacConfig
from amxfp4.hw.float32 import EXTRA_BITS, RAW_BITS, SMALL_BITS, Float32Accumulator, Float32Register, Sum

# Places after which all of the smaller operand is in the sticky bit.
FAR = SMALL_BITS - 1
# Load, align, add, shift up by two places, round.
assert FLOAT32_STEPS == 1 + FAR + 1 + 2 + 1
# With exponents 1 apart, the least sum other than 0 is 4: load, align, add, bring bit 2 below the sign, round.
assert FLOAT32_STEPS >= 1 + 1 + 1 + (RAW_BITS - 2 - 2) + 1


class Float32Steps(Float32Register):
    """Adds a term in `FLOAT32_STEPS` cycles; until then `term`, `first` and `last` are held.

    Step 0, with `valid`: the operand with the smaller exponent is loaded. From then on it is shifted down by a place a
    step, the bits that are lost gathered in the last one, while the exponents are further apart than steps have passed
    and not everything is in that bit: `FAR` steps at most. Then the other operand is added. It comes from where it is:
    the accumulator, or the register that holds the term. The sum is shifted up by a place a step and rounded in the last.

    The exponents being 2 or more apart, one operand is at least twice as large as the other when they are added, so
    that the sum has at most two copies of its sign below it. If they are closer together, there is all the time that
    aligning would have taken.

    From the addition on, the exponent counts down in the accumulator's own field.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._registers(m, self.exponent_bits)
        acc, term = self._operands(m)
        step = Signal(range(FLOAT32_STEPS))
        end = Signal()
        added = Signal()
        complete = Signal()
        m.d.comb += [end.eq(step == FLOAT32_STEPS - 1), self.complete.eq(complete)]
        m.d.sync += complete.eq(end & self.last)
        with m.If(self.valid | step.any()):
            m.d.sync += step.eq(Mux(end, 0, step + 1))

        # Registers, as comparing exponents takes a while: which operand is larger, and whether to shift in this step.
        larger_term, apart = Signal(reset_less=True), Signal(reset_less=True)
        ahead = Signal(len(self.term.exponent) + 2)
        m.d.comb += ahead.eq(term.exponent - acc.exponent)
        term_larger = ~ahead[-1]
        smaller = Mux(term_larger, acc.significand, term.significand)

        value = Signal(RAW_BITS, reset_less=True)
        larger = Mux(larger_term, term.significand, acc.significand)
        raw = self._sum(m, larger, value[:SMALL_BITS], term.negative ^ acc.negative)
        normal = value[-1] ^ value[-2]
        if self.wide:  # the bit below the sign has field 1
            normal = normal | ~self.field_register.any()
        with m.If(self.valid):
            m.d.sync += [value.eq(Cat(Const(0, EXTRA_BITS), smaller)), larger_term.eq(term_larger)]
            m.d.sync += self.nan_register.eq((self.nan_register & ~self.first) | self.term.nan)
        with m.Elif(step.any() & ~added):
            with m.If(apart):
                m.d.sync += value.eq(Cat(value[0] | value[1], value[2:]))
            with m.Else():
                m.d.sync += [
                    value.eq(raw),
                    added.eq(1),
                    self.field_register.eq(Mux(larger_term, term.exponent, acc.exponent)),
                    self.sign_register.eq(Mux(larger_term, term.negative, acc.negative)),
                ]
                if self.wide:
                    infinite = self.infinite_register & ~self.first
                    m.d.sync += self.infinite_register.eq(infinite)
                    with m.If(infinite):
                        m.d.sync += self.sign_register.eq(self.sign_register)
        with m.Elif(added & ~normal):
            m.d.sync += [value.eq(value << 1), self.field_register.eq(self.field_register - 1)]
        with m.If(self.valid | (step.any() & ~added)):
            m.d.sync += apart.eq(self._further(m, ahead, step) & (step != FAR))
        with m.If(end):
            m.d.sync += added.eq(0)
        self._round(
            m,
            Sum(
                bits=value,
                exponent=self.field_register + 1,
                negative=self.sign_register,
                zero=~value.any(),
                infinite=self.infinite_register,
                sign=self.sign_register,
                nan=self.nan_register,
            ),
            end,
        )
        return m

    @staticmethod
    def _further(m: Module, ahead: Value, step: Value) -> Value:
        """Whether |ahead| exceeds the number of the step: ahead - step - 1 >= 0, or ahead + step < 0."""
        back = ~ahead[-1]
        sum = Signal(len(ahead) + 1)
        m.d.comb += sum.eq(ahead.as_signed() + (Cat(step, Const(0, 1)) ^ back.replicate(len(step) + 1)).as_signed())
        return sum[-1] ^ back


def float32_accumulator(config: MacConfig) -> Float32Register:
    """The accumulator that a unit takes: of the two the one that is smaller and has the time."""
    return Float32Steps(config) if config.float32_steps else Float32Accumulator(config)
