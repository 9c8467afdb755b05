"""Rounding to float32, ties to even."""

from collections.abc import Callable, Iterator, Mapping

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended, unpack
from amxfp4.formal.proof import Claim, Proof
from amxfp4.hw.arith.round import RESULT_LAYOUT, Rounder
from amxfp4.hw.mac.acc_exact import Exact
from amxfp4.hw.mac.acc_words import Words
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.round_exact import ExactRounder
from amxfp4.hw.mac.round_in_place import InPlace

FRACTION_BITS = 23
BIAS = 127
NAN = 0x7FC00000


def rounded(magnitude: Word, top: int, unit: int) -> Word:
    """The fields of the float32 nearest to magnitude x 2^unit, ties to even; 2^top <= magnitude <= 2^(top + 1).

    In integers: the magnitude is divided by the result's last place, and the remainder decides. A quotient of 2^24
    carries into the exponent.
    """
    field = top + unit + BIAS
    assert 0 < field < 255, "neither subnormal nor infinite"
    value = extended(magnitude, magnitude.size() + FRACTION_BITS + 2) << FRACTION_BITS
    last_place = 1 << top
    quotient, rest = z3.LShR(value, top), value & (last_place - 1)
    up = z3.Or(z3.UGT(2 * rest, last_place), z3.And(2 * rest == last_place, z3.Extract(0, 0, quotient) == 1))
    # The quotient's hidden bit adds one to the exponent field.
    return extended(z3.If(up, quotient + 1, quotient), 32) + (field - 1 << FRACTION_BITS)


Found = Callable[[Word, Word, Word], Mapping[str, Word]]
"""The outputs of a rounder for a total, NaN and overflow."""


def _totals(bits: int, width: int, unit: int, found: Found) -> Iterator[Claim]:
    """Every total in range, case by case of sign and leading bit.

    The leading bit of a negative total is that of its one's complement n: the magnitude n + 1 is at most the next power
    of two.

    Args:
        bits: width of a total in range, two's complement; `width` of the word that it comes in.
        unit: a total counts in units of 2 to this power.
    """
    total, nan, overflow = z3.BitVec("total", width), z3.BitVec("nan", 1), z3.BitVec("overflow", 1)
    any_total = found(total, nan, overflow)
    result = unpack(RESULT_LAYOUT, any_total["result"])
    yield any_total["ready"] == 1
    yield result["nan"] == (nan | overflow)
    yield result["overflow"] == (overflow & ~nan)
    yield z3.Implies(nan | overflow == 1, result["value"] == NAN)
    value = z3.substitute(result["value"], (nan, z3.BitVecVal(0, 1)), (overflow, z3.BitVecVal(0, 1)))
    signs = z3.Extract(width - 1, bits - 1, total)
    in_range = z3.Or(signs == 0, signs == -1)
    cases = [(top, sign, leading(total, top, sign)) for top in range(bits - 1) for sign in (0, 1)]
    zero, minus_one = z3.BitVecVal(0, width), z3.BitVecVal(-1, width)
    yield z3.Implies(in_range, z3.Or(*(total == word for word in (zero, minus_one, *(word for _, _, word in cases)))))
    yield z3.substitute(value, (total, zero)) == 0
    yield z3.substitute(value, (total, minus_one)) == rounded(-minus_one, 0, unit) | 1 << 31
    for top, sign, word in cases:
        magnitude = -word if sign else word
        statement = rounded(magnitude, top, unit) | sign << 31
        yield z3.simplify(z3.substitute(value, (total, word)) == statement)


def _exact(config: MacConfig, broken: bool) -> Iterator[Claim]:
    plan = config.plan.accumulator
    assert isinstance(plan, Exact)
    width = plan.width
    netlist = Netlist(ExactRounder(plan.rounder))
    later = z3.BitVec("later", width)

    def found(word: Word, nan: Word, overflow: Word) -> Mapping[str, Word]:
        seen = word & ~z3.BitVecVal(1, width) if broken else word
        inputs = {"total": seen, "nan": nan, "overflow": overflow, "valid": z3.BitVecVal(1, 1)}
        _, state = netlist.step(netlist.symbols(), **inputs)
        _, state = netlist.step(state, total=later, nan=nan, overflow=overflow, valid=z3.BitVec("valid", 1))
        return netlist.step(state, total=later, nan=nan, overflow=overflow, valid=z3.BitVec("valid", 1))[0]

    yield from _totals(plan.bits, width, config.lsb_exponent, found)


def _words(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """A total passes the rounder word by word.

    The words before it are anything, and so are all inputs after it has passed. Where the total is rounded in place,
    nothing passes until it is rounded, and its flags stay.
    """
    plan = config.plan.accumulator
    assert isinstance(plan, Words)
    in_place = isinstance(plan.rounder, InPlace)
    netlist = Netlist(plan.rounder.rounder())
    words, bits = plan.split.words, plan.split.word_bits

    def found(total: Word, nan: Word, overflow: Word) -> Mapping[str, Word]:
        state: Mapping[str, Word] = netlist.symbols()
        if in_place:  # the last result is there
            state = dict(state) | {"count": z3.BitVecVal(0, state["count"].size())}
        seen = total & ~z3.BitVecVal(1, total.size()) if broken else total
        for word in range(words + plan.rounder.cycles):
            inputs = {name: z3.BitVec(f"{name} {word}", width) for name, width in _inputs(netlist).items()}
            if word < words:
                new = z3.Extract((word + 1) * bits - 1, 0, seen)
                below = (words - 1 - word) * bits
                inputs["total"] = z3.Concat(new, z3.Extract(below - 1, 0, inputs["total"])) if below else new
                inputs |= {"passed": z3.BitVecVal(1 << word, words), "valid": z3.BitVecVal(1, 1)}
            elif in_place:
                inputs["passed"] = z3.BitVecVal(0, words)
            if word == words - 1 or (in_place and word >= words):
                inputs |= {"nan": nan, "overflow": overflow}
            outputs, state = netlist.step(state, **inputs)
        return outputs

    yield from _totals(plan.bits, words * bits, config.lsb_exponent, found)


def _inputs(netlist: Netlist) -> dict[str, int]:
    return {name: netlist.ports[name] for name in ("total", "passed", "nan", "overflow", "valid")}


def leading(total: Word, top: int, sign: int) -> Word:
    """`total` with its leading bit fixed: copies of the sign above `top`, and at `top` the first bit that differs."""
    width = total.size()
    high = z3.BitVecVal((-1 << 1 if sign else 1), width - top)
    return concat([z3.Extract(top - 1, 0, total), high]) if top else high


def _rounder(broken: bool) -> Iterator[Claim]:
    """The rounded bits are the magnitude rounded as an integer.

    The magnitude is in quarters of the last place: all that lies below the guard counts as 0 or 1 quarter. A float32's
    bits are an integer too, whose fraction carries into its exponent field.

    A one's complement is less than the magnitude by one in a last place infinitely far down. Adding that one has two
    effects:

    | `sticky` | bits below the guard | the one |
    |---|---|---|
    | clear | all ones | carries into the guard |
    | set | some are zeros | leaves something below the guard |
    """
    significand = z3.BitVec("significand", 24)
    guard, sticky, complement = z3.BitVecs("guard sticky complement", 1)
    for overflows in (False, True):
        bits = 8 + 2 * overflows
        exponent = z3.BitVec("exponent", bits)
        found = Netlist(Rounder(bits, overflows=overflows)).outputs(
            significand=significand,
            exponent=exponent,
            guard=guard,
            sticky=z3.BitVecVal(0, 1) if broken else sticky,
            complement=complement,
        )
        quarters = extended(z3.Concat(significand, guard, z3.BitVecVal(0, 1)), 48)
        carried = z3.And(complement == 1, sticky == 0)
        quarters = quarters + z3.If(carried, z3.BitVecVal(2, 48), extended(sticky, 48))
        quotient, rest = z3.LShR(quarters, 2), quarters & 3
        up = z3.Or(z3.UGT(rest, 2), z3.And(rest == 2, z3.Extract(0, 0, quotient) == 1))
        quotient = z3.If(up, quotient + 1, quotient)
        hidden = z3.Extract(23, 23, significand) == 1
        # A subnormal comes with the exponent field 1, though its own is 0. A carry to 2^23 makes it normal.
        number = z3.If(hidden, quotient - (1 << 23) + (extended(exponent, 48) << 23), quotient)
        legal = z3.And(
            z3.ULE(1, exponent), z3.ULE(exponent, 1 << (bits - 1) if overflows else 253), z3.Or(hidden, exponent == 1)
        )
        fields = extended(z3.Concat(found["exponent_field"], found["fraction"]), 48)
        infinity = 255 << 23
        yield z3.Implies(legal, fields == z3.If(z3.UGE(number, infinity), infinity, number))
        if overflows:
            yield z3.Implies(legal, (found["infinite"] == 1) == z3.UGE(number, infinity))


# Totals that are rounded in place, shifted by one place a cycle and by three.
SERIAL = (
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=2),
)
# Totals in 4 words of 25, 18 and 26 bits, and in 8 words of 13.
WORDS = (
    MacConfig("AMXFP4", "AMXFP4", lanes=2),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3"),
    MacConfig("AMXFP4-X2", "AMXFP4-X2"),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=4),
)
PAIRS = (("MXFP4-E4M3", "MXFP4-E4M3"), ("AMXFP4", "AMXFP4"), ("AMXFP4-X2", "AMXFP4-X2"))


def _words_of_every_width(broken: bool) -> Iterator[Claim]:
    for config in WORDS:
        yield from _words(config, broken)


def _words_in_place(broken: bool) -> Iterator[Claim]:
    for config in SERIAL:
        yield from _words(config, broken)


def _exact_of_every_width(broken: bool) -> Iterator[Claim]:
    for activation, weight in PAIRS:
        yield from _exact(MacConfig(activation, weight, lanes=32), broken)


def proofs() -> list[Proof]:
    return [
        Proof(
            "rounder",
            "significand, guard and sticky, also of a one's complement, give the nearest float32, ties to even, with "
            "subnormals, carries into the exponent and infinity",
            "SMT, all inputs",
            "exponents of 8 bits without infinity, and of 10 with it",
            "sticky is not connected",
            _rounder,
        ),
        Proof(
            "exact-rounder",
            "a total in range gives the nearest float32, ties to even, two cycles later; NaN and overflow give NaN",
            "SMT, all totals, by cases of sign and leading bit",
            "68 (E4M3), 96 (E5M2) and 102 bits (AMXFP4-X2), and the guard",
            "the total's least bit is not connected",
            _exact_of_every_width,
        ),
        Proof(
            "word-rounder",
            "a total in range that passes word by word gives the nearest float32, ties to even, two cycles after its "
            "last word; NaN and overflow give NaN",
            "SMT, all totals and registers, by cases of sign and leading bit",
            "4 words of 25 (E5M2), 18 (E4M3) and 26 bits (AMXFP4-X2), 8 words of 13",
            "the total's least bit is not connected",
            _words_of_every_width,
        ),
        Proof(
            "serial-rounder",
            "the same in place, `round_cycles` after the last word, while nothing else passes and the flags stay",
            "SMT, all totals and registers but the counter, by cases of sign and leading bit",
            "8 words of 13 bits (AMXFP4-X2) by one place a cycle, 7 of 14 (E5M2) by three",
            "the total's least bit is not connected",
            _words_in_place,
        ),
    ]
