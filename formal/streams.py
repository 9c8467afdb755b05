"""Streams: that the MAC unit, the quantiser and the quantiser's store lose, repeat and reorder nothing.

A unit's cycles are of two kinds:

- In a stalled cycle a result waits to be taken. No beat is taken and no register changes, so such cycles can be left
  out.
- In any other cycle the unit runs.

What a running unit does with a beat is proven from any values of its registers, or from any that keep an invariant.
Reset brings the invariant about, and every cycle keeps it. So what is proven for a few cycles holds after any number of
them.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import z3
from amaranth.lib import wiring

from amxfp4.formal.netlist import Netlist, Word, concat, extended, unpack
from amxfp4.formal.proof import Claim, Proof
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.block_store import BlockStore
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer

State = Mapping[str, Word]
ZERO, ONE = z3.BitVecVal(0, 1), z3.BitVecVal(1, 1)


class UnitNetlist:
    """A unit with an input stream and an output stream, or its broken twin. `last` is the top bit of its input beats.

    Args:
        component: the unit.
        twin: what is broken. "ready": to all registers, every result seems to be taken. "count": the counter of a
            block's beats stays at the last beat. Nothing when empty.
    """

    def __init__(self, component: wiring.Component, twin: str = "") -> None:
        self.netlist = Netlist(component)
        self.twin = twin
        # Counters in the order in which they are made: of beats taken, then, in a quantiser, of beats drained.
        self.counters = sorted((n for n in self.netlist.registers if n.startswith("pipeline.count")), key=_number)

    def inputs(self, cycle: object) -> dict[str, Word]:
        """Any inputs of a cycle."""
        return {
            "i__valid": z3.BitVec(f"i valid {cycle}", 1),
            "i__payload": z3.BitVec(f"i payload {cycle}", self.netlist.ports["i__payload"]),
            "o__ready": z3.BitVec(f"o ready {cycle}", 1),
        }

    def step(self, state: State, inputs: dict[str, Word], **more: Word) -> tuple[State, State]:
        outputs, after = self.netlist.step(state, **(inputs | more))
        if self.twin == "ready":
            _, after = self.netlist.step(state, **(inputs | more | {"o__ready": ONE}))
        if self.twin == "count":
            width = self.netlist.registers[self.counters[0]]
            after = after | {self.counters[0]: z3.BitVecVal((1 << width) - 1, width)}
        return outputs, after

    def run(self, state: State, cycle: object) -> tuple[State, State, dict[str, Word]]:
        """A cycle that is not stalled.

        Returns:
            The outputs, the registers after the cycle, and the inputs.
        """
        inputs = self.inputs(cycle) | {"o__ready": ONE}
        return *self.step(state, inputs), inputs

    def after_reset(self) -> State:
        _, state = self.step(self.netlist.symbols("before reset "), self.inputs("reset"), rst=ONE)
        return state


def _number(name: str) -> int:
    return int(name.partition("$")[2] or 0)


def _same(a: State, b: State) -> Claim:
    return z3.And(*(a[name] == b[name] for name in a))


def _handshake(unit: UnitNetlist) -> Iterator[Claim]:
    """Four claims, for any registers.

    - `ready` is `~o.valid | o.ready`.
    - A stalled cycle changes no register.
    - Outputs depend on registers alone, so a result that is not taken stays.
    - A cycle that is not stalled does not depend on `o.ready`.
    """
    state = unit.netlist.symbols()
    inputs = unit.inputs("")
    outputs, after = unit.step(state, inputs)
    valid, ready = outputs["o__valid"] == 1, inputs["o__ready"] == 1
    yield (outputs["i__ready"] == 1) == z3.Or(z3.Not(valid), ready)
    yield z3.Implies(z3.And(valid, z3.Not(ready)), _same(after, state))
    others, _ = unit.step(state, unit.inputs("other"))
    yield z3.And(*(outputs[name] == others[name] for name in ("o__valid", "o__payload")))
    _, taken = unit.step(state, inputs | {"o__ready": ONE})
    yield z3.Implies(z3.Not(valid), _same(after, taken))


def _counts(unit: UnitNetlist, beats: int) -> Iterator[Claim]:
    """The counter counts the beats taken of a block: 0 after reset, one more with each beat, modulo a block."""
    if beats == 1:
        return
    (name, *_) = unit.counters
    yield unit.after_reset()[name] == 0
    state = unit.netlist.symbols()
    _, after, inputs = unit.run(state, 0)
    yield after[name] == state[name] + extended(inputs["i__valid"], after[name].size())


def _last_of_block(unit: UnitNetlist, state: State, beats: int) -> Claim:
    return z3.BoolVal(True) if beats == 1 else state[unit.counters[0]] == beats - 1


def _top(word: Word) -> Word:
    return z3.Extract(word.size() - 1, word.size() - 1, word)


def _mac(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """A result comes `latency` cycles after each dot product's last beat was taken, and at no other time.

    From any registers, in cycles that are not stalled. After reset no result comes before the first one due.
    """
    unit = UnitNetlist(MacUnit(config), "count" if broken else "")
    yield from _counts(unit, config.beats_per_block)
    state: State = unit.netlist.symbols()
    ends = _last_of_block(unit, state, config.beats_per_block)
    _, after, first = unit.run(state, 0)
    for cycle in range(1, config.latency):
        _, after, _ = unit.run(after, cycle)
    outputs, _, _ = unit.run(after, config.latency)
    due = z3.And(first["i__valid"] == 1, _top(first["i__payload"]) == 1, ends)
    yield (outputs["o__valid"] == 1) == due
    state = unit.after_reset()
    for cycle in range(config.latency):
        outputs, state, _ = unit.run(state, cycle)
        yield outputs["o__valid"] == 0


def _mac_from_reset(config: MacConfig, broken: bool) -> Iterator[Claim]:
    """The same as `_mac` but from reset, for two blocks and the cycles in which they come out.

    These units count the steps of a term or a rounding. Such a counter starts anew only after the earlier term or
    rounding is over. Any registers would break that, so the proof cannot start from them.
    """
    unit = UnitNetlist(MacUnit(config), "count" if broken else "")
    yield from _counts(unit, config.beats_per_block)
    state = unit.after_reset()
    due: list[Claim] = []
    for cycle in range(2 * config.beats_per_block + config.latency):
        ends = _last_of_block(unit, state, config.beats_per_block)
        outputs, state, inputs = unit.run(state, cycle)
        due.append(z3.And(inputs["i__valid"] == 1, _top(inputs["i__payload"]) == 1, ends))
        valid = due[cycle - config.latency] if cycle >= config.latency else z3.BoolVal(False)
        yield (outputs["o__valid"] == 1) == valid


def _places(config: QuantizerConfig) -> list[str]:
    """The flags that say whether a place of the store is taken, from tail to head."""
    return [f"pipeline.store.valid{place}" for place in range(config.held_beats)]


def _kept(unit: UnitNetlist, config: QuantizerConfig, state: State, ended: list[Claim]) -> Claim:
    """What is true in every cycle. `ended[n]`: a block's last beat was taken n + 1 running cycles ago.

    - Blocks end at least `beats_per_block` cycles apart.
    - A block drains from `ranks + 1` cycles after its end, one beat per cycle. Its beats that are left stand in a row
      at the head of the store.
    - The store holds the beats taken of the block that arrives, the beats left of the block that drains, and a whole
      block that waits for its scales.
    """
    beats, ranks = config.beats_per_block, config.maximum_registers
    drains = ended[ranks : ranks + beats]
    bits = config.held_beats.bit_length() + 2
    number = partial(z3.BitVecVal, bv=bits)
    taken = extended(state[unit.counters[0]], bits) if beats > 1 else number(0)
    places = _places(config)
    true = [
        z3.Not(z3.And(ended[i], ended[j])) for i in range(len(ended)) for j in range(i + 1, min(i + beats, len(ended)))
    ]
    true += [z3.Implies(ended[since], z3.ULE(taken, since)) for since in range(beats)]
    true.append((state["pipeline.drain"] == 1) == z3.Or(*drains))
    if beats > 1:
        drained = state[unit.counters[1]]
        true += [z3.Implies(now, drained == gone) for gone, now in enumerate(drains)]
        true.append(z3.Or(*drains, drained == 0))
    if ranks:
        true.append(((state["pipeline.beat_valid"] & state["pipeline.beat_ends"]) == 1) == ended[0])
    held = taken
    for waits in ended[:ranks]:
        held = held + z3.If(waits, number(beats), 0)
    for gone, now in enumerate(drains):
        held = held + z3.If(now, number(beats - gone), 0)
        true.append(z3.Implies(now, z3.And(*(state[place] == 1 for place in places[ranks + gone :]))))
    true.append(held == sum((extended(state[place], bits) for place in places), number(0)))
    true.append((state["o__valid"] == 1) == z3.Or(*ended[ranks + 1 : ranks + 1 + beats]))
    return z3.And(*true)


def _quantizer(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """The invariant of `_kept`, whose last part is the statement, and three more claims.

    - There is room for each beat that is taken.
    - There is a beat for each that is drained.
    - Scales and `last` stay the same from the cycle in which a block begins to drain until the next block does.
    """
    beats, ranks = config.beats_per_block, config.maximum_registers
    unit = UnitNetlist(Quantizer(config), "count" if broken else "")
    ended = [z3.Bool(f"ended {cycle}") for cycle in range(ranks + 1 + beats)]
    yield _kept(unit, config, unit.after_reset(), [z3.BoolVal(False)] * len(ended))
    state = unit.netlist.symbols()
    _, after, inputs = unit.run(state, 0)
    given = _kept(unit, config, state, ended)
    ends = z3.And(inputs["i__valid"] == 1, _last_of_block(unit, state, beats))
    yield z3.Implies(given, _kept(unit, config, after, [ends, *ended[:-1]]))

    places = _places(config)
    draining = state["pipeline.drain"] == 1
    full = z3.And(*(state[place] == 1 for place in places))
    yield z3.Implies(z3.And(given, inputs["i__valid"] == 1), z3.Or(z3.Not(full), draining))
    yield z3.Implies(z3.And(given, draining), state[places[-1]] == 1)
    begins = [ends, *ended][ranks]
    registers = unit.netlist.registers
    shown_last = unit.netlist.register("o__payload.last")
    (last,) = (name for name in registers if name.startswith("pipeline.last") and name != shown_last)
    block = [*(unit.netlist.register(f"pipeline.scale{side}") for side in range(config.sides)), last]
    yield z3.Implies(z3.And(given, z3.Not(begins)), _same({name: state[name] for name in block}, after))
    # A block's first beat comes with the scales under which it was encoded, its last beat with its `last`.
    shown = unpack(config.output_layout, unit.run(after, 1)[0]["o__payload"])
    scales = concat([state[name] for name in block[:-1]])
    yield z3.Implies(z3.And(given, ended[ranks]), shown["scales"] == scales)
    yield z3.Implies(z3.And(given, ended[ranks + beats - 1]), shown["last"] == state[block[-1]])


def _store(depth: int, broken: bool) -> Iterator[Claim]:
    """The store is a queue: after a cycle it holds what it held, less the head that left, plus the beat that came.

    From any registers, as long as a beat comes only where there is room, and the head leaves only where there is one.
    """
    width = 2
    netlist = Netlist(BlockStore(width, depth))
    state = netlist.symbols()
    beat, valid, drain = z3.BitVec("beat", width), z3.BitVec("valid", 1), z3.BitVec("drain", 1)
    seen = z3.BitVec("drain", 1) if not broken else ONE
    outputs, after = netlist.step(state, beat=beat, valid=valid, drain=seen)
    names = [(f"valid{place}", f"stage{place}" if place < depth - 1 else "head") for place in reversed(range(depth))]
    before, number = _queue([(state[taken] == 1, state[held]) for taken, held in names], depth + 1, width)
    found, _ = _queue([(after[taken] == 1, after[held]) for taken, held in names], depth + 1, width)
    without = [z3.If(drain == 1, later, now) for now, later in zip(before, [*before[1:], before[-1]], strict=True)]
    left = number - extended(drain, number.size())
    due = [z3.If(z3.And(valid == 1, left == place), z3.Concat(ONE, beat), without[place]) for place in range(depth + 1)]
    given = z3.And(
        z3.Implies(drain == 1, state[f"valid{depth - 1}"] == 1),
        z3.Implies(valid == 1, z3.ULT(left, depth)),
    )
    yield z3.Implies(given, z3.And(*(a == b for a, b in zip(found, due, strict=True))))
    yield z3.Implies(drain == 1, outputs["head"] == state["head"])


def _queue(places: list[tuple[Claim, Word]], length: int, width: int) -> tuple[list[Word], Word]:
    """What the taken places hold, in order.

    Returns:
        `length` entries, each its value below a bit that says that it exists, with zeros after the last; and how many
        exist.
    """
    bits = length.bit_length() + 1
    entries = [z3.BitVecVal(0, width + 1) for _ in range(length)]
    number = z3.BitVecVal(0, bits)
    for taken, value in places:
        entries = [
            z3.If(z3.And(taken, number == place), z3.Concat(ONE, value), entry) for place, entry in enumerate(entries)
        ]
        number = number + z3.If(taken, z3.BitVecVal(1, bits), 0)
    return entries, number


# Few lanes and short blocks: more would only add logic that no valid or ready passes through.
MACS = (
    MacConfig("MXFP4", "MXFP4", block_size=8),
    MacConfig("MXFP4", "MXFP4"),
    MacConfig("AMXFP4", "AMXFP4", lanes=1),
    MacConfig("AMXFP4", "AMXFP4", lanes=2),
    MacConfig("AMXFP4", "AMXFP4"),
    MacConfig("AMXFP4", "AMXFP4", block_size=8, lanes=4),
    MacConfig("AMXFP4", "AMXFP4", block_size=8),
    MacConfig("AMXFP4", "AMXFP4", accumulator="fp32"),
    MacConfig("AMXFP4", "MXFP4-E5M2", lanes=4, accumulator="fp32"),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=4),
)
# Units whose terms or roundings take as many cycles as a counter says.
COUNTING = (
    MacConfig("MXFP4", "MXFP4", lanes=1),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=2),
)
QUANTIZERS = (
    QuantizerConfig("AMXFP4"),
    QuantizerConfig("AMXFP4", block_size=8),
    QuantizerConfig("AMXFP4", lanes=2),
    QuantizerConfig("AMXFP4", block_size=8, maximum_registers=0),
    QuantizerConfig("MXFP4"),
    QuantizerConfig("MXFP4-E4M3", lanes=4, maximum_registers=1),
)


def _handshakes(broken: bool) -> Iterator[Claim]:
    makers: list[Callable[[], wiring.Component]] = [
        *(partial(MacUnit, config) for config in (*MACS, *COUNTING)),
        *(partial(Quantizer, config) for config in QUANTIZERS),
    ]
    for make in makers:
        yield from _handshake(UnitNetlist(make(), "ready" if broken else ""))


def _macs(broken: bool) -> Iterator[Claim]:
    for config in MACS:
        if config.beats_per_block > 1 or not broken:
            yield from _mac(config, broken)


def _counting(broken: bool) -> Iterator[Claim]:
    for config in COUNTING:
        yield from _mac_from_reset(config, broken)


def _quantizers(broken: bool) -> Iterator[Claim]:
    for config in QUANTIZERS:
        if config.beats_per_block > 1 or not broken:
            yield from _quantizer(config, broken)


def _stores(broken: bool) -> Iterator[Claim]:
    for depth in (1, 2, 3, 4, 5, 8, 9):
        yield from _store(depth, broken)


def proofs() -> list[Proof]:
    macs = (
        "MXFP4 with 4 beats a block and with 1; AMXFP4 with 1, 2, 4, 16 and 32; AMXFP4 and AMXFP4 x MXFP4-E5M2 into "
        "float32; AMXFP4-X2"
    )
    counting = "MXFP4 and AMXFP4-X2 with 32 beats a block, MXFP4-E5M2 with 16"
    quantizers = "AMXFP4 with 1, 4 and 16 beats a block, MXFP4, MXFP4-E4M3; with and without a maximum register"
    return [
        Proof(
            "stream-handshake",
            "ready is ~o.valid | o.ready; while a result is not taken no register changes and it stays as it is; "
            "otherwise o.ready does not matter",
            "SMT, one cycle from any registers",
            f"MAC units and quantisers: {macs}; {counting}; {quantizers}",
            "registers are told at all times that the result is taken",
            _handshakes,
        ),
        Proof(
            "stream-mac",
            "in cycles that are not stalled there is a result `latency` cycles after a dot product's last beat was "
            "taken, and at no other time",
            "SMT, `latency` cycles from any registers; the count of a block's beats by induction from reset",
            macs,
            "the counter of a block's beats does not count",
            _macs,
        ),
        Proof(
            "stream-mac-counting",
            "the same where a term, its addition or its rounding takes as many cycles as a counter says",
            "SMT, from reset for two blocks of 32 and `latency` cycles",
            counting,
            "the counter of a block's beats does not count",
            _counting,
        ),
        Proof(
            "stream-quantizer",
            "in cycles that are not stalled a block's beats come out one after the other from `drain` cycles after its "
            "last beat was taken on, with its scales first and its `last` last, and at no other time; the store has "
            "room for each beat taken and a beat for each drained",
            "SMT, by induction from reset, with the ends of blocks as a history",
            quantizers,
            "the counter of a block's beats does not count",
            _quantizers,
        ),
        Proof(
            "stream-store",
            "a queue: a beat is appended, the head leaves, everything else stays in order",
            "SMT, one cycle from any registers",
            "1 to 5, 8 and 9 places",
            "the head leaves in every cycle",
            _stores,
        ),
    ]
