"""Faults of the quantiser around its parts, its streams and its reset: `hw/quantizer/unit.py` and `block_store.py`."""

from amxfp4.sim.mutants.faults.configs import HALVING_QUANTIZER, ONE_BEAT_QUANTIZER, QUANTIZER, SPECIAL_QUANTIZER
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "quantiser: positive and negative scale swapped",
        QUANTIZER,
        (
            "quantizer/unit.py",
            "Mux(element.negative, decoded[-1].as_value(), decoded[0].as_value())",
            "Mux(element.negative, decoded[0].as_value(), decoded[-1].as_value())",
        ),
    ),
    made(
        "quantiser: NaN does not reach the second scale",
        QUANTIZER,
        (
            "quantizer/unit.py",
            "scale.eq(code | special.replicate(len(code)))",
            "scale.eq(code | (special & Const(index == 0, 1)).replicate(len(code)))",
        ),
    ),
    made(
        "quantiser: NaN seen in a block's last beat only",
        QUANTIZER,
        (
            "quantizer/unit.py",
            'special, last = self._largest(m, beat, beat.special, "special", Value.__or__)',
            "special, last = beat.special",
        ),
    ),
    made(
        "quantiser: the largest of earlier beats forgotten",
        QUANTIZER,
        ("quantizer/unit.py", "Mux(beat.first, new, join(so_far, new))", "new"),
    ),
    made(
        "quantiser: the largest of the block before remembered",
        QUANTIZER,
        ("quantizer/unit.py", "Mux(beat.first, new, join(so_far, new))", "join(so_far, new)"),
    ),
    made(
        "quantiser: the store repeats a beat",
        QUANTIZER,
        ("quantizer/block_store.py", "moves: Value = self.drain\n", "moves: Value = self.drain & ~valid[0]\n"),
    ),
    made(
        "quantiser: the store drops a beat",
        QUANTIZER,
        ("quantizer/block_store.py", "eq(moves | ~valid[stage])", "eq(moves | ~valid[stage] | (valid[0] & valid[1]))"),
    ),
    made(
        "quantiser: gaps in the store do not close",
        QUANTIZER,
        ("quantizer/block_store.py", "enable.eq(moves | ~valid[stage])", "enable.eq(moves | self.valid)"),
    ),
    made(
        "quantiser: a stall drops a beat",
        QUANTIZER,
        ("quantizer/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "quantiser: an output beat is not held through a stall",
        QUANTIZER,
        (
            "quantizer/unit.py",
            "EnableInserter(running)(self._pipeline())",
            "EnableInserter(Const(1, 1))(self._pipeline())",
        ),
    ),
    made(
        "quantiser: a stall at the output is seen a beat late",
        QUANTIZER,
        ("quantizer/unit.py", "~self.o.valid | self.o.ready)", "~self.o.valid | self.o.ready | self.i.valid)"),
    ),
    made(
        "quantiser: `last` of the next block",
        QUANTIZER,
        ("quantizer/unit.py", "m.d.sync += last.eq(beat.last)", "m.d.sync += last.eq(self.i.payload.last)"),
    ),
    made(
        "quantiser: scales of a one-beat block shown a beat early",
        ONE_BEAT_QUANTIZER,
        ("quantizer/unit.py", "registers.append(register)", "registers.append(field)"),
    ),
    made(
        "quantiser: no reset of the beat counter",
        QUANTIZER,
        (
            "quantizer/unit.py",
            "count = Signal(range(self.config.beats_per_block))\n            with m.If(arrived.valid)",
            "count = Signal(range(self.config.beats_per_block), reset_less=True)\n            with m.If(arrived.valid)",
        ),
    ),
    made(
        "quantiser: no reset of what is held",
        QUANTIZER,
        ("quantizer/block_store.py", 'Signal(name=f"valid{i}")', 'Signal(name=f"valid{i}", reset_less=True)'),
    ),
    made(
        "quantiser: a side halved in a NaN block",
        HALVING_QUANTIZER,
        ("quantizer/unit.py", "register.eq(gated(sides, ~special))", "register.eq(sides)"),
    ),
    made(
        "quantiser: the scale of the positive side only",
        HALVING_QUANTIZER,
        ("quantizer/unit.py", '[larger(m, maxima[0], maxima[1], "maximum")]', "[maxima[0]]"),
    ),
    made(
        "quantiser: elements of the other side take the special value",
        SPECIAL_QUANTIZER,
        (
            "quantizer/unit.py",
            "own = element.negative == block.asymmetry[0]",
            "own = element.negative != block.asymmetry[0]",
        ),
    ),
    made(
        "quantiser: an asymmetry code in a NaN block",
        SPECIAL_QUANTIZER,
        ("quantizer/unit.py", "special.eq(gated(select.special, ~nan))", "special.eq(select.special)"),
    ),
    made(
        "quantiser: maxima of the block before remembered",
        SPECIAL_QUANTIZER,
        ("quantizer/unit.py", "earlier = gated(so_far, ~beat.first)", "earlier = so_far"),
    ),
    made(
        "quantiser: a scale chosen a beat early",
        SPECIAL_QUANTIZER,
        ("quantizer/unit.py", "complete, last = completed, block_last", "last = block_last"),
    ),
)
