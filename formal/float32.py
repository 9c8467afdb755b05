"""The float32 accumulator: one step, for all totals and terms of FP8 scales, whose sums stay in float32's normal range.

The proof has two halves, cut where the accumulator's pipeline is cut.

1. The first half aligns and adds. Its sum is the exact sum, unless bits were lost. Then it is an odd number beside the
   exact sum, which compares with every even number as the exact sum does. Such a sum is so large that it is rounded to
   a multiple of 4.
2. The second half rounds every sum to the nearest float32. Rounding to a multiple of 4 compares with multiples of 2
   only.

So the second half makes the same float32 of such a sum as of the exact one.
"""

from collections.abc import Iterator

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended, pack, symbols
from amxfp4.formal.proof import Claim, Proof
from amxfp4.formal.rounding import leading, rounded
from amxfp4.hw.mac.acc_float32 import Float32, Float32Accumulator
from amxfp4.hw.mac.config import MacConfig

CONFIGS = (
    MacConfig("AMXFP4", "AMXFP4", lanes=2, accumulator="fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", accumulator="fp32"),
)
# Widths in the pipeline register: the sum, in eighths of the larger operand's last place (two's complement, with room
# for the carry), then the larger operand's exponent and sign.
RAW, EXPONENT = 29, 8
SIGNIFICAND = 24
# At this distance of exponents, and beyond it, all of the smaller operand lies below the sum's last place.
FAR = 28


def _netlist(config: MacConfig) -> tuple[Netlist, Float32]:
    plan = config.plan.accumulator
    assert isinstance(plan, Float32)
    return Netlist(Float32Accumulator(plan)), plan


def _add(config: MacConfig, broken: bool) -> Iterator[Claim]:
    netlist, plan = _netlist(config)
    layout = plan.layout
    state = netlist.symbols()
    field, fraction, sign = (state[name] for name in ("field", "fraction", "sign"))
    term = symbols(layout, "term")
    exponent, significand = term["exponent"], term["significand"]
    seen = term | {"significand": significand & ~z3.BitVecVal(1, significand.size())} if broken else term
    one, last = z3.BitVecVal(1, 1), z3.BitVec("last", 1)

    def added(state: dict[str, Word], first: Word) -> Word:
        return netlist.step(state, term=pack(layout, seen), valid=one, first=first, last=last)[1]["sum"]

    nothing = {name: z3.BitVecVal(0, netlist.registers[name]) for name in ("field", "fraction", "sign", "nan")}
    parts = z3.Extract(RAW + EXPONENT, 0, added(state, one))
    yield parts == z3.Extract(RAW + EXPONENT, 0, added(state | nothing, ~one))

    found = added(state, ~one)
    raw = z3.Extract(RAW - 1, 0, found)
    zero, none = field == 0, significand == 0
    top = z3.Extract(significand.size() - 1, significand.size() - 1, significand) == 1
    given = z3.And(
        z3.Implies(zero, fraction == 0),
        z3.If(none, exponent == 0, z3.And(top, exponent != 0)),
    )
    hidden = z3.If(zero, z3.BitVecVal(0, 1), one)
    held = z3.Concat(hidden, fraction)
    new = extended(significand, SIGNIFICAND) << (SIGNIFICAND - significand.size())
    larger_is_term = z3.UGE(exponent, field)
    yield z3.Extract(RAW + EXPONENT - 1, RAW, found) == z3.If(larger_is_term, exponent, field)
    yield z3.Extract(RAW + EXPONENT, RAW + EXPONENT, found) == z3.If(larger_is_term, term["negative"], sign)

    # The sum takes the other operand's sign only where exponents are equal, and then no bit is shifted out.
    whole = _whole_where_negative(raw)
    subtracts = term["negative"] != sign
    even = z3.Concat(z3.BitVec("half of an even number", RAW), z3.BitVecVal(0, 1))
    for term_larger in (True, False):
        larger, smaller = (new, held) if term_larger else (held, new)
        for distance in range(0 if term_larger else 1, FAR):
            bits = RAW + distance + 3
            far = extended(larger, bits) << (distance + 3)
            near = extended(smaller, bits) << 3
            exact = z3.If(subtracts, far - near, far + near)
            scaled = extended(raw, bits, signed=True) << distance
            if distance <= 3:
                right = scaled == exact
            else:
                bound = extended(even, bits, signed=True) << distance
                size = z3.If(scaled < 0, -scaled, scaled)
                right = z3.And(
                    (scaled < bound) == (exact < bound),
                    (scaled == bound) == (exact == bound),
                    z3.Or(scaled == exact, size >= z3.BitVecVal(1 << (RAW - 4 + distance), bits)),
                )
            low, high = (field, exponent) if term_larger else (exponent, field)
            moved = low + distance
            claim = z3.Implies(z3.And(given, z3.ULE(low, 255 - distance)), z3.And(right, whole))
            yield z3.substitute(claim, (high, moved))
        bits = RAW + 2
        far, number = extended(larger, bits) << 3, extended(raw, bits, signed=True)
        bound = extended(even, bits, signed=True)
        beside = z3.And(far == bound, smaller != 0)
        right = z3.And(
            (number < bound) == z3.Or(far < bound, z3.And(beside, subtracts)),
            (number == bound) == z3.And(far == bound, smaller == 0),
            z3.Or(smaller == 0, number >= 1 << (RAW - 4)),
        )
        low, high = (field, exponent) if term_larger else (exponent, field)
        apart = z3.And(z3.UGE(high, low), z3.UGE(high - low, FAR))
        yield z3.Implies(z3.And(given, apart), z3.And(right, whole))


def _whole_where_negative(raw: Word) -> Claim:
    """A sum below zero is a whole number of the larger operand's last places."""
    return z3.Or(raw >= 0, z3.Extract(2, 0, raw) == 0)


def _round(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """The sum rounded, case by case of its sign and leading bit, as for a total of the exact accumulator."""
    netlist, _ = _netlist(config)
    one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
    raw, exponent = z3.BitVec("raw", RAW), z3.BitVec("exponent", EXPONENT)
    negative = z3.BitVec("negative", 1)
    rest = z3.BitVec("rest", netlist.registers["sum"] - RAW - EXPONENT - 1)
    seen = raw & ~z3.BitVecVal(1, RAW) if broken else raw
    state = netlist.symbols() | {"sum": concat([seen, exponent, negative, rest]), "taken": one}
    inputs = {"term": z3.BitVec("term", netlist.ports["term"]), "valid": zero, "first": zero, "last": zero}
    _, after = netlist.step(state, **inputs)
    value = netlist.step(after, **inputs)[0]["value"]
    last = RAW - 2
    cases = [(top, below, leading(raw, top, below)) for top in range(last) for below in (0, 1)]
    nought = z3.BitVecVal(0, RAW)
    # The sum is that of two numbers below 2^27.
    possible = z3.And(raw > -(1 << last), _whole_where_negative(raw))
    cases.append((last, 0, leading(raw, last, 0)))
    yield z3.Implies(possible, z3.Or(raw == nought, *(raw == word for _, _, word in cases)))
    yield z3.substitute(value, (raw, nought)) == 0
    for top, below, word in cases:
        size = -word if below else word
        # The sum is in eighths of a significand's last place, so bit 26 has the weight of `exponent`.
        field = extended(exponent, 32) + top - (RAW - 3)
        number = rounded(extended(size, RAW + 1), top, -top) + ((field - 127) << 23)
        signed = number | z3.Concat(negative ^ (one if below else zero), z3.BitVecVal(0, 31))
        normal = z3.And(field >= 1, field <= 253)
        yield z3.simplify(z3.Implies(normal, z3.substitute(value, (raw, word)) == signed))


def proofs() -> list[Proof]:
    scope = "AMXFP4 (terms of 18 bits) and MXFP4-E4M3, additions in two cycles; sums in float32's normal range"
    return [
        Proof(
            "float32-addition",
            "the sum of accumulator (+0 at first) and term is exact where the exponents are at most 3 apart; otherwise "
            "it compares with every even number as the exact sum does, and is exact or at least 2^25",
            "SMT, all values, by cases of the distance of exponents",
            scope,
            "the term's least bit is not connected",
            lambda broken: (claim for config in CONFIGS for claim in _add(config, broken)),
        ),
        Proof(
            "float32-rounding",
            "a sum gives the nearest float32, ties to even, and +0 for 0",
            "SMT, all sums and exponents, by cases of sign and leading bit",
            scope,
            "the sum's least bit is not connected",
            lambda broken: (claim for config in CONFIGS for claim in _round(config, broken)),
        ),
    ]
