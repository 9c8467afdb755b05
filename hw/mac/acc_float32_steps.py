"""The float32 accumulator in steps: one place per cycle, for units whose terms come many cycles apart.

One register first holds the smaller operand, which moves down one place per cycle until it is aligned. Then it holds
the sum, which moves up one place per cycle until it is normalised. So neither takes a shifter, and no leading zeros
are counted. An addition needs either a long alignment shift (exponents far apart) or a long normalising shift
(cancellation, exponents at most 1 apart), never both; so `STEPS` cycles always suffice.
"""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

from amxfp4.hw.mac.acc_float32 import EXTRA_BITS, RAW_BITS, SMALL_BITS, Float32Register, Float32Sum, Sum

STEPS = 31
"""Cycles that the addition of a term takes."""

# The smaller operand moves down by this many places at most. Its two top bits are then the two least bits of the
# register. Further down only "something is there" would count.
FAR = SMALL_BITS - 2
# Bits of the sum that are added first.
LOW_BITS = RAW_BITS // 2
# Load, align, add in two halves, shift up by two places, round.
assert STEPS == 1 + FAR + 2 + 2 + 1
# With exponents 1 apart the least sum other than 0 is 4: load, align, add, bring bit 2 below the sign, round.
assert STEPS >= 1 + 1 + 2 + (RAW_BITS - 2 - 2) + 1


@dataclass(frozen=True)
class Float32InSteps(Float32Sum):
    """An accumulator that adds a term in `STEPS` cycles."""

    title = "float32 steps"
    cycles_per_term = STEPS

    @staticmethod
    def fits(cycles: int) -> bool:
        """Whether a term has enough cycles to itself: the steps, and one more that clears the accumulator after a dot
        product."""
        return cycles > STEPS

    @property
    def cycles(self) -> int:
        """Cycles from a term to its sum: the term's register, if any, the normalised term's, and the steps."""
        return 1 + self.registers_terms + STEPS

    def accumulator(self) -> "Float32Steps":
        return Float32Steps(self)

    def explain(self) -> str:
        """In words: what is built and why."""
        cycles = self.term.sums.cycles_per_term
        return f"{self.rounding}; 1 place per cycle in {STEPS} cycles, as a term has {cycles} to itself"


class Float32Steps(Float32Register):
    """Adds a term in `STEPS` cycles.

    Ports: see `Float32Register`. `term` and `last` are held until the term has been added. `first` is not looked at.

    A term comes at least `STEPS` cycles after the one before. Between two dot products it comes at least one cycle
    later still, in which the accumulator is cleared.

    1. Step 0, with `valid`, loads the operand with the smaller exponent.
    2. The operand moves down one place per step. What is lost is gathered in its last bit. It stops when it has moved
       as far as the exponents are apart, or by `FAR` places.
    3. The other operand is added from its own place: the accumulator, or the register that holds the term. The lower
       half is added first, as carries through a whole sum would be the longest path.
    4. The sum moves up one place per step, and is rounded in the last. From the addition on, the exponent counts down
       in the accumulator's own field.

    With exponents 2 or more apart, the operand added to is more than twice as large as the one that was shifted, and
    the sum has at most two copies of its sign below it. With exponents closer together, the steps that aligning did not
    take are left for the sum.
    """

    def __init__(self, plan: Float32InSteps) -> None:
        super().__init__(plan)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._registers(m, self.exponent_bits)
        acc, term = self._operands(m, Const(1, 1))
        step = Signal(range(STEPS))
        end = Signal()
        complete = Signal()
        clear = Signal(init=1)
        m.d.comb += [end.eq(step == STEPS - 1), self.complete.eq(complete)]
        m.d.sync += [complete.eq(end & self.last), clear.eq(end & self.last)]
        busy = step.any()
        with m.If(self.valid | busy):
            m.d.sync += step.eq(Mux(end, 0, step + 1))

        # Comparing exponents takes long, so both of these are registers: which operand is larger, and whether the
        # exponents are further apart than the smaller operand has been moved.
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
        if self.wide:  # a sum with exponent 1 is subnormal and moves no further; the exponent is never 0 here
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
                # The top place is the carry's, one above the larger operand's.
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
        """Adds the smaller operand to the larger, or subtracts it, in units of 1/8 of the larger's last place.

        Where the exponents are still `apart`, the rest of the smaller operand counts as a sticky bit.

        Args:
            value: the register with the aligned smaller operand.
            carry: of the lower half, registered.

        Returns:
            The lower half, with its carry on top; and the upper half, to which `carry` was added.
        """
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
        """Whether |ahead| exceeds the number of the step: ahead - step - 1 >= 0 or ahead + step < 0.

        `forward` is the registered sign of `ahead`. The sign is the last bit of the subtraction to settle, so using it
        directly would lengthen the path.
        """
        low = len(step)
        sum = Signal(low + 1)
        m.d.comb += sum.eq(ahead[:low] + (step ^ forward.replicate(low)))
        near = ~(ahead[low:-1] ^ forward.replicate(len(ahead) - 1 - low)).all()
        return near | (sum[-1] == forward)
