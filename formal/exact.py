"""The fixed-point accumulator, exact or over a window: one step, for all terms and totals, and what it then holds."""

from collections.abc import Iterator, Mapping, Sequence

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended, pack, symbols
from amxfp4.formal.proof import Claim, Proof, by_cases
from amxfp4.hw.mac.acc_exact import Exact, ExactAccumulator
from amxfp4.hw.mac.config import MacConfig


def _netlist(plan: Exact) -> tuple[Netlist, list[str]]:
    """The accumulator, cut where terms have been shifted, and the names of the cuts."""
    last_stage = 1 << (plan.term.layout["exponent"].width - 1)
    cuts = [f"shifted{path}_{last_stage}" for path in range(plan.paths)]
    return Netlist(ExactAccumulator(plan), cut=cuts), cuts


def _terms(plan: Exact) -> list[dict[str, Word]]:
    return [symbols(plan.term.layout, f"term{path}") for path in range(plan.paths)]


def _alignment(plan: Exact, broken: bool) -> Iterator[Claim]:
    """A shifted term is value x 2^exponent."""
    netlist, cuts = _netlist(plan)
    terms = _terms(plan)
    lowest, highest = plan.term.scales.exponent_min, plan.term.exponent_max
    inputs = {name: z3.BitVec(name, 1) for name in ("valid", "first", "last")}
    inputs |= {name: z3.BitVec(name, netlist.ports[name]) for name in cuts}
    seen = [dict(term) for term in terms]
    if broken:
        value = seen[-1]["value"]
        seen[-1]["value"] = value & ~z3.BitVecVal(1, value.size())
    words = concat([pack(plan.term.layout, term) for term in seen])
    outputs, _ = netlist.step(netlist.symbols(), term=words, **inputs)
    for name, term in zip(cuts, terms, strict=True):
        exponent, width = term["exponent"], outputs[name].size()
        claim = outputs[name] == extended(term["value"], width, signed=True) << extended(exponent, width)
        values = [z3.BitVecVal(e, exponent.size()) for e in range(lowest, highest + 1)]
        legal = z3.And(z3.UGE(exponent, lowest), z3.ULE(exponent, highest))
        yield from by_cases(claim, exponent, values, given=legal)


def _accumulation(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """The new total is the old one plus the shifted terms, as integers in the accumulator's least unit.

    A dot product's first term finds an old total of 0. The claim holds modulo 2^width for all totals. Where the old
    total is in range and no term is larger than a block's can be, the new total is that sum itself. Overflow, after the
    block's last term, says whether the sum has left the range.
    """
    plan = exact_of(config)
    netlist, cuts = _netlist(plan)
    width = netlist.ports["total"]
    bits = width + 4
    terms = _terms(plan)
    first, last = z3.BitVecs("first last", 1)
    # No exponent is less than `exponent_min`, so the bits below it are zeros.
    shifted = {name: z3.BitVec(name, netlist.ports[name]) for name in cuts}
    words = concat([pack(plan.term.layout, term) for term in terms])
    seen = z3.BitVecVal(0, 1) if broken else first
    inputs = {"term": words, "first": seen, "last": last, **shifted}
    before, taken = netlist.step(netlist.symbols(), valid=z3.BitVecVal(1, 1), **inputs)

    scales = plan.term.scales
    low = scales.exponent_min + scales.below
    addends = [extended(word >> low, bits, signed=True) for word in shifted.values()]
    term = sum(addends[1:], addends[0])
    fresh = first == 1
    old = z3.If(fresh, 0, extended(before["total"], bits, signed=True))
    total = old + term
    yield taken["total"] == extended(total, width)
    # The claim above says what the register holds, so the claims below may put that in its place.
    after, kept = netlist.step(taken | {"total": extended(total, width)}, valid=z3.BitVecVal(0, 1), **inputs)
    later, _ = netlist.step(kept, valid=z3.BitVecVal(0, 1), **inputs)

    limit = 1 << (plan.bits - 1)
    largest = largest_term(config)
    small = z3.And(*(within(addend, -largest, largest) for addend in [*addends, term]))
    above = above_window(terms)
    in_range = z3.And(within(old, -limit, limit - 1), small)
    yield z3.Implies(in_range, extended(after["total"], bits, signed=True) == total)
    overflowed = z3.And(z3.Not(fresh), before["overflow"] == 1)
    left = z3.Not(within(total, -limit, limit - 1))
    yield z3.Implies(z3.And(in_range, last == 1), (after["overflow"] == 1) == z3.Or(overflowed, left, above))
    yield z3.Implies(z3.Or(overflowed, above), after["overflow"] == 1)

    nan = z3.Or(z3.And(z3.Not(fresh), before["nan"] == 1), *(term["nan"] == 1 for term in terms))
    yield (after["nan"] == 1) == nan
    yield z3.And(*(later[name] == after[name] for name in ("total", "nan", "overflow")))


def exact_of(config: MacConfig) -> Exact:
    """The exact accumulator of a config whose terms are added in one cycle."""
    accumulator = config.plan.accumulator
    assert isinstance(accumulator, Exact)
    return accumulator


def largest_term(config: MacConfig) -> int:
    """No term, and no block's terms together, are larger, in units of the accumulator's least bit."""
    window = config.plan.scales.window
    return config.block_max << (window.shift_max - window.below if window else 0)


def above_window(terms: Sequence[Mapping[str, Word]]) -> Claim:
    """Whether a term lies above the window; never without one."""
    return z3.Or(*(term["above"] == 1 for term in terms if "above" in term))


def within(value: Word, low: int, high: int) -> Claim:
    return z3.And(value >= low, value <= high)


CONFIGS = (
    MacConfig("AMXFP4", "AMXFP4"),
    MacConfig("AMXFP4", "AMXFP4", lanes=1),
    MacConfig("AMXFP4", "AMXFP4", lanes=16),
    MacConfig("AMXFP4", "AMXFP4", lanes=32),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=32),
    MacConfig("MXFP4", "MXFP4", lanes=32, accumulator="window"),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=16, accumulator="window"),
)


def proofs() -> list[Proof]:
    scope = (
        "E5M2 x E5M2 (96 bits and guard) with 1, 2 and 4 terms at once, one lane; E4M3; AMXFP4-X2; windows of 54 bits, "
        "1 and 2 terms at once"
    )
    return [
        Proof(
            "exact-alignment",
            "a shifted term is value x 2^exponent",
            "SMT, all values, by cases of the exponent",
            scope,
            "the last term's least bit is not connected",
            lambda broken: (claim for config in CONFIGS for claim in _alignment(exact_of(config), broken)),
        ),
        Proof(
            "exact-accumulation",
            "total' = (0 at first, else total) + shifted terms without bits under a window; NaN is sticky; overflow "
            "is a whole block's sum out of range or a term above a window, and sticky; nothing changes without terms",
            "SMT, one step from any registers",
            scope,
            "that a dot product begins is not connected",
            lambda broken: (claim for config in CONFIGS for claim in _accumulation(config, broken)),
        ),
    ]
