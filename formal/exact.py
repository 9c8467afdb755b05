"""The exact accumulator: one step, for all terms and totals, and what it then holds."""

from collections.abc import Iterator

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended, flag, pack, symbols
from amxfp4.formal.proof import Claim, Proof, by_cases
from amxfp4.hw.config import MacConfig
from amxfp4.hw.exact import ExactAccumulator
from amxfp4.hw.scale import term_layout


class _Step:
    """One step of an accumulator of one path from any registers, and after it one more look at its outputs."""

    def __init__(self, config: MacConfig) -> None:
        netlist = Netlist(ExactAccumulator(config))
        self.term = symbols(term_layout(config), "term")
        self.first, self.last = z3.BitVecs("first last", 1)
        inputs = {"term": pack(term_layout(config), self.term), "first": self.first, "last": self.last}
        state = netlist.symbols()
        self.before, taken = netlist.step(state, valid=z3.BitVecVal(1, 1), **inputs)
        idle, kept = netlist.step(taken, valid=z3.BitVecVal(0, 1), **inputs)
        self.after = idle
        self.later, _ = netlist.step(kept, valid=z3.BitVecVal(0, 1), **inputs)


def _claim(config: MacConfig, broken: bool) -> tuple[Word, Claim]:
    """The term's exponent, and that a step adds value x 2^exponent, keeps NaN and judges whole blocks.

    In the accumulator's least unit, as integers: the new total is the old one (0 at first) plus the term, modulo 2^width.
    While the old total is in range and the term no larger than a block can be, the new total is the sum itself, and
    overflow after the block's last term says whether it has left the range.
    """
    step = _Step(config)
    assert config.accumulator_bits is not None
    width = config.accumulator_bits + 1
    bits = width + 3
    exponent = step.term["exponent"]
    term = extended(step.term["value"], bits, signed=True) << extended(exponent - config.exponent_min, bits)
    fresh = step.first == 1
    before = z3.If(fresh, 0, extended(step.before["total"], bits, signed=True))
    total = before + (term << 1 if broken else term)
    limit = 1 << (config.accumulator_bits - 1)
    left = z3.Not(_within(total, -limit, limit - 1))
    overflowed = z3.And(z3.Not(fresh), step.before["overflow"] == 1)
    in_range = z3.And(_within(before, -limit, limit - 1), _within(term, -config.block_max, config.block_max))
    found = step.after["total"]
    return exponent, z3.And(
        found == z3.Extract(width - 1, 0, total),
        z3.Implies(in_range, extended(found, bits, signed=True) == total),
        z3.Implies(
            z3.And(in_range, step.last == 1),
            (step.after["overflow"] == 1) == z3.Or(overflowed, left),
        ),
        z3.Implies(z3.And(overflowed, step.last == 0), step.after["overflow"] == 1),
        step.after["nan"] == (z3.If(fresh, 0, step.before["nan"]) | step.term["nan"]),
        *(step.later[name] == step.after[name] for name in ("total", "nan", "overflow")),
    )


def _within(value: Word, low: int, high: int) -> Claim:
    return z3.And(value >= low, value <= high)


def _one_path(configs: tuple[MacConfig, ...], broken: bool) -> Iterator[Claim]:
    for config in configs:
        exponent, claim = _claim(config, broken)
        values = [z3.BitVecVal(e, exponent.size()) for e in range(config.exponent_min, config.exponent_max + 1)]
        legal = z3.And(z3.UGE(exponent, config.exponent_min), z3.ULE(exponent, config.exponent_max))
        yield from by_cases(claim, exponent, values, given=legal)


CONFIGS = (
    MacConfig("AMXFP4", "AMXFP4"),
    MacConfig("AMXFP4", "AMXFP4", lanes=1),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3"),
)


def proofs() -> list[Proof]:
    statement = (
        "total' = (0 at first, else total) + value x 2^exponent; NaN is sticky; overflow is a whole block's sum out of "
        "range, and sticky; nothing changes without a term"
    )
    return [
        Proof(
            "exact-step",
            statement,
            "SMT, one step from any registers, by cases of the exponent",
            "AMXFP4 (96 bits + guard), 1 and 8 lanes; E4M3",
            "the statement shifts a term one place too far",
            lambda broken: _one_path(CONFIGS, broken),
        ),
    ]
