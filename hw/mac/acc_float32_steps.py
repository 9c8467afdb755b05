"""The float32 accumulator a place a cycle, for units whose terms come many cycles apart.

One register is first the smaller operand, shifted down by a place a cycle until it is aligned, then the sum, shifted up
by a place a cycle until it is normalised; so there is neither a shifter for either, nor a count of leading zeros. A
long way down and a long way up exclude each other, so both together take hardly longer than one.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from amxfp4.hw.mac.acc_float32 import EXTRA_BITS, RAW_BITS, SMALL_BITS, Float32Accumulator, Float32Register, Sum
from amxfp4.hw.mac.config import FLOAT32_STEPS, MacConfig

# Places after which of the smaller operand the two least bits are left, and from where on only that it is there counts.
FAR = SMALL_BITS - 2
# The lower half of the addition.
LOW_BITS = RAW_BITS // 2
# Load, align, add in two halves, shift up by two places, round.
assert FLOAT32_STEPS == 1 + FAR + 2 + 2 + 1
# With exponents 1 apart the least sum other than 0 is 4: load, align, add, bring bit 2 below the sign, round.
assert FLOAT32_STEPS >= 1 + 1 + 2 + (RAW_BITS - 2 - 2) + 1


class Float32Steps(Float32Register):
    """Adds a term in `FLOAT32_STEPS` cycles; until then `term` and `last` are held.

    A term comes that many cycles after the one before or later, and one more where a dot product ends between: then the
    accumulator is cleared (`first` is not looked at).

    Step 0, with `valid`: the operand with the smaller exponent is loaded. From then on it is shifted down by a place a
    step, what is lost gathered in the last one, until exponents are no further apart than it has moved, or by `FAR`
    places. Then the other operand is added, from where it is: the accumulator, or the register that holds the term;
    the lower half first, as the carries through all of a sum would be waited for longer than for anything else. The sum
    is shifted up by a place a step, and rounded in the last.

    With exponents 2 or more apart, the operand added to is more than twice as large as the one that was shifted, and
    the sum has at most two copies of its sign below it. If they are closer together, there is the time that aligning
    did not take. From the addition on, the exponent counts down in the accumulator's own field.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._registers(m, self.exponent_bits)
        acc, term = self._operands(m, Const(1, 1))
        step = Signal(range(FLOAT32_STEPS))
        end = Signal()
        complete = Signal()
        clear = Signal(init=1)
        m.d.comb += [end.eq(step == FLOAT32_STEPS - 1), self.complete.eq(complete)]
        m.d.sync += [complete.eq(end & self.last), clear.eq(end & self.last)]
        busy = step.any()
        with m.If(self.valid | busy):
            m.d.sync += step.eq(Mux(end, 0, step + 1))

        # Registers, as comparing exponents takes a while: which operand is larger, and whether they are further apart
        # than the smaller one has been moved.
        larger_term = Signal(reset_less=True)
        apart = Signal(reset_less=True)
        ahead = Signal(len(self.term.exponent) + 2)
        m.d.comb += ahead.eq(term.exponent - acc.exponent)
        term_larger = ~ahead[-1]
        with m.If(self.valid | busy):
            m.d.sync += apart.eq(Mux(self.valid, ahead.any(), self._further(m, ahead, larger_term, step)))

        value = Signal(RAW_BITS, name="working", reset_less=True)
        half = Signal()
        added = Signal()
        carry = Signal(reset_less=True)
        smaller = Mux(term_larger, acc.significand, term.significand)
        larger = Mux(larger_term, term.significand, acc.significand)
        low, high = self._halves(m, larger, value, apart, term.negative ^ acc.negative, carry)
        normal = value[-1] ^ value[-2]
        if self.wide:  # the exponent is 1: it never is 0 here
            normal = normal | ~self.field_register[1:].any()
        aligned = ~apart | (step == 1 + FAR)
        with m.If(self.valid):
            m.d.sync += [value.eq(Cat(Const(0, EXTRA_BITS), smaller)), larger_term.eq(term_larger)]
            m.d.sync += self.nan_register.eq(self.nan_register | self.term.nan)
        with m.Elif(busy & ~half & ~aligned):
            m.d.sync += value.eq(Cat(value[0] | value[1], value[2:]))
        with m.Elif(busy & ~half):
            m.d.sync += [Cat(value[:LOW_BITS], carry).eq(low), half.eq(1)]
        with m.Elif(half & ~added):
            m.d.sync += [
                value[LOW_BITS:].eq(high),
                added.eq(1),
                # The carry's place is on top, one above the larger operand's.
                self.field_register.eq(Mux(larger_term, self.term.exponent[: self.exponent_bits], acc.exponent) + 1),
                self.sign_register.eq(Mux(larger_term & ~self.infinite_register, term.negative, acc.negative)),
            ]
        with m.Elif(added & ~normal):
            m.d.sync += [value.eq(value << 1), self.field_register.eq(self.field_register - 1)]
        with m.If(end):
            m.d.sync += [half.eq(0), added.eq(0)]
        total = Sum(
            bits=value,
            exponent=self.field_register,
            negative=self.sign_register,
            zero=~value.any(),
            infinite=self.infinite_register,
            sign=self.sign_register,
            nan=self.nan_register,
        )
        self._round(m, total, end, clear)
        return m

    @staticmethod
    def _halves(
        m: Module, larger: Value, value: Value, apart: Value, subtract: Value, carry: Value
    ) -> tuple[Value, Value]:
        """Larger +- smaller operand, in units of the larger exponent's last place / 8: the lower half with its carry,
        and the upper half with that. Of an operand that lies further below all that counts is that it is there."""
        left = Cat(Const(0, EXTRA_BITS), larger, Const(0, 2))
        right = Cat(value[0] | (value[1] & apart), value[1] & ~apart, value[2:SMALL_BITS], Const(0, 2))
        right = right ^ subtract.replicate(RAW_BITS)
        low, high = Signal(LOW_BITS + 1), Signal(RAW_BITS - LOW_BITS)
        m.d.comb += [
            low.eq(left[:LOW_BITS] + right[:LOW_BITS] + subtract),
            high.eq(left[LOW_BITS:] + right[LOW_BITS:] + carry),
        ]
        return low, high

    @staticmethod
    def _further(m: Module, ahead: Value, forward: Value, step: Value) -> Value:
        """Whether |ahead| exceeds the number of the step: ahead - step - 1 >= 0, or ahead + step < 0. With the sign of
        `ahead` from a register, as it is known last."""
        low = len(step)
        sum = Signal(low + 1)
        m.d.comb += sum.eq(ahead[:low] + (step ^ forward.replicate(low)))
        near = ~(ahead[low:-1] ^ forward.replicate(len(ahead) - 1 - low)).all()
        return near | (sum[-1] == forward)


def float32_accumulator(config: MacConfig) -> Float32Register:
    """The accumulator that a unit takes: of the two the one that is smaller and has the time."""
    return Float32Steps(config) if config.float32_steps else Float32Accumulator(config)
