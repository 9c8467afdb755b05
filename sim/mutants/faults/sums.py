"""Faults of a block's sums: `hw/mac/products.py`, `beat_sums.py`, `block_sums.py` and the sign pairs of `config.py`."""

from amxfp4.sim.mutants.faults.configs import BASELINE, EXACT, HALVING
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "a carry dropped in the block sums",
        BASELINE,
        ("mac/block_sums.py", "total.eq(row0 + row1)", "total.eq(Cat((row0[:6] + row1[:6])[:6], row0[6:] + row1[6:]))"),
    ),
    made(
        "an element shifted one place too far",
        EXACT,
        ("mac/products.py", "one, two = code[2] & ~code[1],", "one, two = code[2] & ~code[0],"),
    ),
    made(
        "a subnormal element with a hidden bit",
        EXACT,
        ("mac/products.py", "Cat(code[0], code[1] | code[2])", "Cat(code[0], code[0] | code[1] | code[2])"),
    ),
    made(
        "one sign pair adds where it subtracts",
        EXACT,
        ("mac/beat_sums.py", "self.count == 4 and index in (1, 2)", "self.count == 4 and index == 1"),
    ),
    made(
        "the lanes that do not join are lost",
        EXACT,
        ("mac/beat_sums.py", "self.classes(lane + 1)[index] & ~same", "self.classes(lane + 1)[index] & same"),
    ),
    made(
        "sums of later turns are not held",
        EXACT,
        ("mac/block_sums.py", "with m.If(self.turn[0]):", "with m.If(self.turn.any()):"),
    ),
    made(
        "halved sides swapped",
        HALVING,
        ("mac/products.py", "Mux(code[3], halved[1], halved[0])", "Mux(code[3], halved[0], halved[1])"),
    ),
)
