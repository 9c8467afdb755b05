"""The float32 accumulator that shifts a place a cycle: after its steps it holds what the one with shifters holds.

The proof has three parts:

1. For one step and all registers: what is loaded, and that a shift follows exactly where exponents are further apart
   than the smaller operand has moved.
2. For each distance of exponents: the steps from the loaded operand to the sum, which is bit for bit the sum of the
   other accumulator.
3. For each sign and leading bit of a sum: the steps from the sum to the rounded one.

What the other accumulator makes of its operands is proven in `float32`.
"""

from collections.abc import Iterator, Mapping

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended, flag, pack, symbols
from amxfp4.formal.proof import Claim, Proof
from amxfp4.formal.rounding import leading
from amxfp4.hw.mac.acc_float32 import RAW_BITS, Float32, Float32Accumulator
from amxfp4.hw.mac.acc_float32_steps import FAR, STEPS, Float32InSteps, Float32Steps
from amxfp4.hw.mac.config import MacConfig

# Two units with the same terms. The first shifts a place a cycle, the second has shifters and a register for the sum.
PAIRS = (
    (
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=1, accumulator="fp32"),
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=8, accumulator="fp32"),
    ),
    (MacConfig("MXFP4", "MXFP4", lanes=1), MacConfig("MXFP4", "MXFP4", lanes=8)),
)
ONE, ZERO = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)


class _Pair:
    """Both accumulators, and any values for their operands."""

    def __init__(self, configs: tuple[MacConfig, MacConfig]) -> None:
        steps, fast = (config.plan.accumulator for config in configs)
        assert isinstance(steps, Float32InSteps) and isinstance(fast, Float32)
        self.steps, self.fast = Netlist(Float32Steps(steps)), Netlist(Float32Accumulator(fast))
        self.layout = steps.layout
        self.term = symbols(self.layout, "term")
        self.state = self.steps.symbols()
        self.wide = steps.wide
        # The exponent field is wider than float32's only for a sum that is not rounded yet.
        field = self.state["field"]
        self.field = z3.Extract(7, 0, field)
        self.state |= {"field": extended(self.field, field.size())}

    def acc(self, state: Mapping[str, Word]) -> dict[str, Word]:
        """The registers of the other accumulator with the same float32."""
        names = [name for name in ("sign", "field", "fraction", "nan", "infinite") if name in self.fast.registers]
        return {name: z3.Extract(self.fast.registers[name] - 1, 0, state[name]) for name in names}

    def inputs(self, term: Mapping[str, Word], valid: Word) -> dict[str, Word]:
        return {"term": pack(self.layout, term), "valid": valid, "first": ZERO, "last": ZERO}

    def at(self, step: int, **registers: Word) -> dict[str, Word]:
        """Any registers, except those given, in this step of an addition that is not complete."""
        number = z3.BitVecVal(step, self.steps.registers["step"])
        return self.state | {"step": number, "half": ZERO, "added": ZERO, "clear": ZERO} | registers

    def exponents(self, term: Mapping[str, Word]) -> tuple[Word, Word]:
        """The exponents of term and accumulator, 12 bits each."""
        acc = self.field
        if self.wide:
            acc = z3.If(acc == 0, z3.BitVecVal(1, 8), acc)
        return extended(term["exponent"], 12, signed=self.wide), extended(acc, 12)

    def significands(self, term: Mapping[str, Word]) -> tuple[Word, Word]:
        new = extended(term["significand"], 24) << (24 - term["significand"].size())
        return new, z3.Concat(flag(self.field != 0), self.state["fraction"])


def _single_steps(configs: tuple[MacConfig, MacConfig], broken: bool) -> Iterator[Claim]:
    """What is loaded, and in each step whether a shift follows."""
    pair = _Pair(configs)
    term = pair.term
    exponent, held = pair.exponents(term)
    new, acc = pair.significands(term)
    larger_is_term = exponent >= held
    _, after = pair.steps.step(pair.at(0), **pair.inputs(term, ONE))
    yield after["working"] == extended(z3.If(larger_is_term, acc, new), RAW_BITS) << 3
    yield (after["larger_term"] == 1) == larger_is_term
    yield (after["apart"] == 1) == (exponent != held)
    yield z3.And(after["step"] == 1, after["half"] == 0, after["added"] == 0)
    yield after["nan"] == (pair.state["nan"] | term["nan"])
    distance = z3.If(larger_is_term, exponent - held, held - exponent)
    for step in range(1, FAR + 2):
        start = pair.at(step, larger_term=flag(larger_is_term))
        _, after = pair.steps.step(start, **pair.inputs(term, ZERO))
        yield (after["apart"] == 1) == (distance > step + broken)
        yield after["step"] == step + 1


def _additions(configs: tuple[MacConfig, MacConfig], broken: bool) -> Iterator[Claim]:
    """The steps from the loaded operand to the sum, case by case of which operand is larger and by how much.

    Whether a step shifts is taken from `_single_steps`.
    """
    pair = _Pair(configs)
    term = pair.term | {"exponent": z3.BitVec("term exponent", pair.term["exponent"].size())}
    exponent, held = pair.exponents(term)
    new, acc = pair.significands(term)
    _, fast = pair.fast.step(pair.fast.symbols("fast ") | pair.acc(pair.state), **pair.inputs(term, ONE))
    wanted = fast["sum"]
    for larger_is_term in (True, False):
        loaded = extended(acc if larger_is_term else new, RAW_BITS) << 3
        for distance in range(0 if larger_is_term else 1, FAR + 2):
            state = pair.at(1, working=loaded, larger_term=flag(z3.BoolVal(larger_is_term)), apart=_flag(distance > 0))
            step = 1
            while step <= min(distance, FAR) + 2:
                _, after = pair.steps.step(state, **pair.inputs(term, ZERO))
                state = {name: z3.simplify(after[name]) for name in pair.steps.registers}
                state["apart"] = _flag(distance > step + broken)
                step += 1
            apart = exponent - held if larger_is_term else held - exponent
            here = apart == distance if distance <= FAR else z3.And(apart > FAR, exponent > -1024)
            sum = z3.Extract(RAW_BITS - 1, 0, wanted)
            top = extended(z3.If(z3.BoolVal(larger_is_term), exponent, held), 12) + 1
            negative = term["negative"] if larger_is_term else pair.state["sign"]
            if pair.wide:
                negative = z3.If(pair.state["infinite"] == 1, pair.state["sign"], negative)
            yield z3.Implies(
                here,
                z3.And(
                    state["working"] == sum,
                    state["field"] == z3.Extract(state["field"].size() - 1, 0, top),
                    state["sign"] == negative,
                    state["half"] & state["added"] == 1,
                    state["step"] == step,
                ),
            )
            if pair.wide:
                yield state["infinite"] == pair.state["infinite"]
            # The sum is 0 or at least this large, so the steps that are left are enough to normalise it.
            left = STEPS - 1 - step
            value = state["working"]
            given = z3.Extract(23, 23, acc if not larger_is_term else new) == 1 if distance > 1 else z3.BoolVal(True)
            high = z3.Extract(RAW_BITS - 1, RAW_BITS - 2 - left, value) if left < RAW_BITS - 1 else value
            yield z3.Implies(given, z3.Or(value == 0, z3.And(high != 0, high != -1)))


def _flag(condition: bool) -> Word:
    return ONE if condition else ZERO


def _roundings(configs: tuple[MacConfig, MacConfig], broken: bool) -> Iterator[Claim]:
    """The steps from the sum to the rounded one, by sign and leading bit, in the fewest steps that this takes."""
    pair = _Pair(configs)
    bits = pair.steps.registers["field"]
    exponent, negative = z3.BitVec("exponent", bits), z3.BitVec("negative", 1)
    infinite, nan = (z3.BitVec(name, 1) if pair.wide or name == "nan" else ZERO for name in ("infinite", "nan"))
    last = RAW_BITS - 2
    raw = z3.BitVec("raw", RAW_BITS)
    least = 1 if pair.wide else 0
    # Each case: the sum, its larger operand's exponent, what that exponent may be, and how far up the sum is shifted.
    cases = [(z3.BitVecVal(0, RAW_BITS), exponent, least, 0)]
    for ups in range(last - 1):
        cases += [(leading(raw, last - ups, below), exponent, max(least, ups), ups) for below in (0, 1)]
    if pair.wide:  # the exponent is 1 before the sign stands alone
        cases += [
            (extended(z3.Extract(last - ups, 0, raw), RAW_BITS, signed=True), z3.BitVecVal(ups, bits), ups, ups)
            for ups in range(1, last)
        ]
    inputs = pair.inputs(pair.term, ZERO)
    old_sign = z3.BitVec("old sign", 1)
    for word, e, lowest, ups in cases:
        state = pair.state | {"working": word, "field": e + 1, "half": ONE, "added": ONE, "clear": ZERO}
        state |= {"sign": z3.If(infinite == 1, old_sign, negative), "nan": nan, "infinite": infinite}
        for step in range(STEPS - 1 - ups + broken, STEPS):
            state["step"] = z3.BitVecVal(step, pair.steps.registers["step"])
            _, after = pair.steps.step(state, **inputs)
            state = {name: z3.simplify(after[name]) for name in pair.steps.registers}
        outputs, _ = pair.steps.step(state, **inputs)
        fields = [word, extended(e, pair.term["exponent"].size()), negative, infinite, nan, old_sign, ZERO]
        _, fast = pair.fast.step(pair.fast.symbols("fast ") | {"sum": concat(fields), "taken": ONE}, **inputs)
        wanted, _ = pair.fast.step(fast, **inputs)
        given = z3.And(z3.UGE(e, lowest), z3.ULT(e, (1 << bits) - 2))
        same = z3.And(*(outputs[name] == wanted[name] for name in ("value", "nan", "infinite")))
        yield z3.simplify(z3.Implies(given, same))

    # A sum that is normalised in fewer steps waits for the last one.
    state = pair.state | {"working": raw, "half": ONE, "added": ONE, "clear": ZERO}
    state |= {"step": z3.BitVec("step", pair.steps.registers["step"]), "field": exponent}
    _, after = pair.steps.step(state, **inputs)
    alone = z3.Extract(last + 1, last + 1, raw) != z3.Extract(last, last, raw)
    alone = z3.Or(alone, exponent == 1) if pair.wide else alone
    waits = z3.And(*(after[name] == state[name] for name in ("working", "field", "sign", "half", "added")))
    yield z3.Implies(z3.And(alone, state["step"] != 0, state["step"] != STEPS - 1), waits)


def proofs() -> list[Proof]:
    scope = "MXFP4-E4M3 and MXFP4, whose sums may be subnormal or infinite"

    def made(claims: object, broken: bool) -> Iterator[Claim]:
        for configs in PAIRS:
            yield from claims(configs, broken)  # type: ignore[operator]

    return [
        Proof(
            "float32-steps",
            "with the first step the operand with the smaller exponent is loaded, and in each step a shift follows "
            "where the exponents are further apart than steps have been",
            "SMT, any registers, each step",
            scope,
            "a shift too few",
            lambda broken: made(_single_steps, broken),
        ),
        Proof(
            "float32-steps-addition",
            "from the loaded operand, that many shifts (FAR at most) and the two halves of the addition give bit for "
            "bit the sum of the accumulator with shifters, its exponent and sign; the steps left normalise it",
            "SMT, all operands, by cases of the distance of exponents",
            scope,
            "a shift too few",
            lambda broken: made(_additions, broken),
            full=True,
        ),
        Proof(
            "float32-steps-rounding",
            "from a sum, the steps to the last give the float32 of the accumulator with shifters, NaN and infinity",
            "SMT, all sums and exponents, by cases of sign, leading bit and exponents that underflow",
            scope,
            "a step too few",
            lambda broken: made(_roundings, broken),
            full=True,
        ),
    ]
