"""The fixed-point accumulator that adds a word a cycle: one term, for all terms and totals, and what it then holds."""

from collections.abc import Iterator, Mapping

import z3

from amxfp4.formal.exact import above_window, largest_term, within
from amxfp4.formal.netlist import Netlist, Word, extended, pack, symbols
from amxfp4.formal.proof import Claim, Proof, by_cases
from amxfp4.formal.rounding import WORDS
from amxfp4.hw.mac.acc_words import WordAccumulator, Words
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_placed import Placed


def _turn(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """One term, from any registers, `words` cycles after the term before it or later.

    In the accumulator's least unit, the new total is the old one plus value x 2^exponent, modulo 2^(words x word bits).
    A dot product's first term finds an old total of 0. Where the old total is in range and the term is no larger than a
    block's can be, overflow says whether a whole block's sum has left the range.
    """
    plan = config.plan.accumulator
    assert isinstance(plan, Words)
    scales, placed = plan.term.scales, isinstance(plan.term, Placed)
    netlist = Netlist(WordAccumulator(plan))
    words, bits = plan.split.words, plan.split.word_bits
    width, one = words * bits, z3.BitVecVal(1, 1)
    layout = plan.term.layout
    term = symbols(layout, "term")
    value: Word = term["value"]
    if placed:  # any value, shifted to its place in a word
        small = z3.BitVec("value", plan.term.bits + 1)
        place = z3.URem(term["exponent"] - scales.exponent_min, bits)
        value = extended(small, width, signed=True)
        term["value"] = z3.Extract(
            plan.term.bits + plan.term.places, 0, value << z3.ZeroExt(width - place.size(), place)
        )
    first, last, just = z3.BitVecs("first last just", 1)
    # The term before began `words` cycles ago or earlier, so its overflow has been noted.
    start = netlist.symbols() | {"passed": z3.Concat(just, z3.BitVecVal(0, words - 1))}
    inputs = {"last": last, "first": z3.BitVecVal(0, 1) if broken else first}
    before, state = netlist.step(start, valid=one, term=pack(layout, term), **inputs)
    noted = z3.Or(just == 1, start["overflowed"] == before["overflow"])
    after = before
    left = term
    passing: list[Mapping[str, Word]] = []
    for _ in range(words):
        if placed:
            moved = left["value"] >> bits
            left = left | {"value": z3.If(after["take"] == 1, moved, left["value"])}
        after, state = netlist.step(state, valid=~one, term=pack(layout, left), **inputs)
        passing.append(after)

    fresh = first == 1
    exponent = term["exponent"]
    longer = width + scales.below
    shift = extended(exponent, longer) - scales.exponent_min
    addend = z3.Extract(longer - 1, scales.below, extended(value, longer, signed=True) << shift)
    total = z3.If(fresh, 0, before["total"]) + addend
    values = [z3.BitVecVal(e, exponent.size()) for e in range(scales.exponent_min, scales.exponent_max + 1)]
    legal = z3.And(z3.UGE(exponent, scales.exponent_min), z3.ULE(exponent, scales.exponent_max))
    yield from by_cases(after["total"] == total, exponent, values, given=legal)
    for word, now in enumerate(passing):
        yield now["passed"] == 1 << word
        low = (word + 1) * bits
        yield z3.Extract(width - 1, width - low, now["total"]) == z3.Extract(low - 1, 0, after["total"])

    # Overflow, whatever the new total is: its top bits are those of the integer old + term.
    wide = width + 4
    limit = 1 << (plan.bits - 1)
    old = z3.If(fresh, 0, extended(before["total"], wide, signed=True))
    added = z3.BitVec("added", wide)
    given = z3.And(
        noted,
        within(old, -limit, limit - 1),
        within(added, -largest_term(config), largest_term(config)),
        extended(after["total"], wide, signed=True) == old + added,
    )
    above = above_window([term])
    overflowed = z3.And(z3.Not(fresh), before["overflow"] == 1)
    outside = z3.Not(within(old + added, -limit, limit - 1))
    yield z3.Implies(z3.And(given, last == 1), (after["overflow"] == 1) == z3.Or(overflowed, outside, above))
    yield z3.Implies(z3.And(noted, z3.Or(overflowed, above)), after["overflow"] == 1)
    yield (after["nan"] == 1) == z3.Or(z3.And(z3.Not(fresh), before["nan"] == 1), term["nan"] == 1)
    later, _ = netlist.step(state, valid=~one, term=pack(layout, left), **inputs)
    yield z3.And(*(later[name] == after[name] for name in ("total", "nan", "overflow")))
    yield state["overflowed"] == later["overflow"]


# Configs whose terms come shifted to their place in a word.
PLACED = (MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1), MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1))

# Configs with a window: one word under it, and two.
WINDOWS = (
    MacConfig("MXFP4", "MXFP4", lanes=8, accumulator="window"),
    MacConfig("MXFP4-E4M3", "MXFP4", lanes=8, accumulator="window"),
)


def proofs() -> list[Proof]:
    return [
        Proof(
            "word-accumulation",
            "`words` cycles after a term, total' = (0 at first, else total) + value x 2^exponent without bits under a "
            "window, whose words have passed one a cycle; NaN is sticky; overflow is a whole block's sum out of range "
            "or a term above a window, and sticky; nothing changes without terms",
            "SMT, `words` cycles from any registers, by cases of the exponent",
            "4 words of 25 (E5M2), 18 (E4M3) and 26 bits (AMXFP4-X2), 8 words of 13; placed terms, 8 of 13, 7 of 14; "
            "windows, 4 of 14",
            "that a dot product begins is not connected",
            lambda broken: (claim for config in (*WORDS, *PLACED, *WINDOWS) for claim in _turn(config, broken)),
        ),
    ]
