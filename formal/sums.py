"""Sums: of a beat's products by sign pair, and of a block's beats."""

from collections.abc import Iterator, Mapping
from functools import partial

import z3

from amxfp4.formal.netlist import Netlist, Word, concat, extended
from amxfp4.formal.proof import Claim, Proof
from amxfp4.hw.mac.beat_sums import BeatSums, Sums
from amxfp4.hw.mac.block_sums import BlockSums
from amxfp4.hw.mac.config import MacConfig

KINDS = {
    "signed": ("MXFP4-E5M2", "MXFP4-E5M2", "exact"),
    "two-pairs": ("AMXFP4", "MXFP4-E5M2", "exact"),
    "two-pairs-weight": ("MXFP4-E5M2", "AMXFP4", "exact"),
    "four-pairs": ("AMXFP4", "AMXFP4", "exact"),
    "four-pairs-magnitudes": ("AMXFP4", "AMXFP4", "fp32"),
    "x2": ("AMXFP4-X2", "AMXFP4-X2", "exact"),
    "z8": ("AMXFP4-Z8", "AMXFP4-Z8", "exact"),
}
# Room for every sum as an integer.
BITS = 24


def _slice(word: Word, index: int, width: int) -> Word:
    return z3.Extract((index + 1) * width - 1, index * width, word)


def _of_pair(plan: Sums, pair: int, a_negative: Word, w_negative: Word) -> Claim:
    """Whether a product of these signs belongs to sum `pair`: (+,+), (+,-), (-,+), (-,-) where both are asymmetric."""
    signs = [s for f, s in zip(plan.products.formats, (a_negative, w_negative), strict=True) if f.asymmetric]
    wanted = [pair >> place & 1 for place in reversed(range(len(signs)))]
    return z3.And(*(sign == side for sign, side in zip(signs, wanted, strict=True)))


def _beat(plan: Sums, broken: bool) -> Iterator[Claim]:
    """Each sum is the plain sum, plus the offset that keeps signed addends positive.

    A sum that counts negatively comes as 256 lanes - lanes / 2 - sum.
    """
    lanes, width = plan.products.lanes, plan.products.bits
    products = [z3.BitVec(f"product{lane}", width) for lane in range(lanes)]
    a_sign, w_sign = z3.BitVec("a_sign", lanes), z3.BitVec("w_sign", lanes)
    in_range = z3.And(*(z3.ULE(p, plan.products.largest) for p in products))
    seen = a_sign & ~z3.BitVecVal(1 << (lanes - 1), lanes) if broken else a_sign
    rows = Netlist(BeatSums(plan)).outputs(magnitude=concat(products), a_sign=seen, w_sign=w_sign)["rows"]
    for pair in range(plan.count):
        found = z3.BitVecVal(0, BITS)
        for row in range(plan.beat_rows):
            found = found + extended(_slice(rows, pair * plan.beat_rows + row, plan.beat_bits), BITS)
        total = z3.BitVecVal(0, BITS)
        for lane, product in enumerate(products):
            a, w = _slice(a_sign, lane, 1), _slice(w_sign, lane, 1)
            value = extended(product, BITS)
            if plan.mixed:
                value = z3.If(a == w, value, -value)
            total = total + z3.If(_of_pair(plan, pair, a, w), value, 0)
        if plan.negated(pair):
            total = plan.lane_offset * lanes - lanes // 2 - total
        elif plan.mixed:
            total = total + plan.lane_offset * lanes
        yield z3.Implies(in_range, found == total)


def _block(plan: Sums, broken: bool) -> Iterator[Claim]:
    """A block's beats go in one after the other. Then each turn's value is the sum of a block, as a signed integer.

    A sum that counts negatively comes negated. `rows` are as `_beat` says, for any sums of the beats.
    """
    netlist = Netlist(BlockSums(plan))
    beats, pairs, lanes = plan.beats, plan.count, plan.products.lanes
    largest = plan.products.largest * lanes
    state: Mapping[str, Word] = netlist.symbols()
    given, sums = [], []
    for beat in range(beats):
        rows = []
        for pair in range(pairs):
            total = z3.BitVec(f"sum{beat}_{pair}", BITS)
            least = -largest if plan.mixed else 0
            given.append(z3.And(total >= least, total <= largest))
            sums.append(total)
            if plan.negated(pair):
                coded = plan.lane_offset * lanes - lanes // 2 - total
            else:
                coded = total + plan.lane_offset * lanes * plan.mixed
            rest = extended(coded, plan.beat_bits)
            for row in range(plan.beat_rows - 1):
                part = z3.BitVec(f"row{beat}_{pair}_{row}", plan.beat_bits)
                given.append(z3.ULE(part, rest))
                rows.append(part)
                rest = rest - part
            rows.append(rest)
        turn = z3.BitVec("turn", plan.turns) if beat == 0 else z3.BitVecVal(0, plan.turns)
        inputs = {"rows": concat(rows), "valid": z3.BitVecVal(1, 1), "first": z3.BitVecVal(beat == 0 and not broken, 1)}
        _, state = netlist.step(state, turn=turn, **inputs)
    next_rows = z3.BitVec("next rows", netlist.ports["rows"])
    for turn in range(plan.turns):
        inputs = {"rows": next_rows, "valid": z3.BitVec(f"valid{turn}", 1), "first": z3.BitVecVal(turn == 0, 1)}
        outputs, state = netlist.step(state, turn=z3.BitVecVal(1 << turn, plan.turns), **inputs)
        for path in range(plan.paths):
            pair = path * plan.turns + turn
            total = sum(sums[pair::pairs][1:], sums[pair])
            if plan.negated(pair):
                total = -total
            found = _slice(outputs["value"], path, plan.bits)
            yield z3.Implies(z3.And(*given), extended(found, BITS, signed=plan.signed) == total)


def _plan(kind: str, lanes: int, **more: int) -> Sums:
    activation, weight, accumulator = KINDS[kind]
    return MacConfig(activation, weight, lanes=lanes, accumulator=accumulator, **more).plan.sums


def _beats(kind: str, broken: bool) -> Iterator[Claim]:
    for lanes, front_registers in ((2, 0), (2, 1), (4, 0)):
        yield from _beat(_plan(kind, lanes, front_registers=front_registers), broken)


def _registered_beats(broken: bool) -> Iterator[Claim]:
    for kind in KINDS:
        yield from _beat(_plan(kind, 4, front_registers=1), broken)


def _blocks(kind: str, broken: bool) -> Iterator[Claim]:
    for lanes in (2,) if kind == "four-pairs-magnitudes" else (4, 8):
        yield from _block(_plan(kind, lanes, block_size=8), broken)


def _long_blocks(broken: bool) -> Iterator[Claim]:
    for kind in KINDS:
        yield from _block(_plan(kind, 2, block_size=8), broken)


_WORDS = {
    "signed": "one signed sum of both signs' products",
    "two-pairs": "two signed sums, by the activation's sign",
    "two-pairs-weight": "two signed sums, by the weight's sign",
    "four-pairs": "four sums by sign pair, the middle two negated",
    "four-pairs-magnitudes": "four sums by sign pair, as magnitudes",
    "x2": "one signed sum of products in halves",
    "z8": "one signed sum of products up to 256, a power of two",
}


def proofs() -> list[Proof]:
    beats = [
        Proof(
            f"beat-sums-{kind}",
            f"a beat's products, up to the largest product, come as {words}",
            "SMT, all products and signs",
            "2 lanes, as one row and as two; 4 lanes, as two",
            "the last lane's activation sign is not connected",
            partial(_beats, kind),
        )
        for kind, words in _WORDS.items()
    ]
    blocks = [
        Proof(
            f"block-sums-{kind}",
            f"each turn after a block gives the sum of its beats: {words}",
            "SMT, a whole block from any registers",
            "blocks of 8; 2 lanes" if kind == "four-pairs-magnitudes" else "blocks of 8; 4 and 8 lanes",
            "that a block begins is not connected",
            partial(_blocks, kind),
        )
        for kind, words in _WORDS.items()
    ]
    slow = [
        Proof(
            "beat-sums-registered",
            "the same of every kind, where a front register takes each sum as one row",
            "SMT, all products and signs",
            "4 lanes",
            "the last lane's activation sign is not connected",
            _registered_beats,
            full=True,
        ),
        Proof(
            "block-sums-long",
            "the same of every kind, over four beats",
            "SMT, a whole block from any registers",
            "blocks of 8; 2 lanes",
            "that a block begins is not connected",
            _long_blocks,
            full=True,
        ),
    ]
    return beats + blocks + slow
