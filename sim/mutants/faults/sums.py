"""Faults of a block's sums: `hw/mac/products.py`, `beat_sums.py`, `block_sums.py` and the sign pairs of `config.py`."""

from amxfp4.sim.mutants.faults.configs import BASELINE, EXACT, HALVING, ONE_SPECIAL, SPECIAL
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
        ("mac/products.py", "hidden = code[0], code[1] | code[2]", "hidden = code[0], code[0] | code[1] | code[2]"),
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
    made(
        "special values on the other side",
        SPECIAL,
        ("mac/products.py", "~is_special(code) | asymmetry[0]", "~is_special(code) | ~asymmetry[0]"),
    ),
    made(
        "a special value with the sign of negative zero",
        ONE_SPECIAL,
        ("mac/products.py", "code[3] & (~is_special(code) | asymmetry[0])", "code[3]"),
    ),
    made(
        "the first special value instead of the second",
        SPECIAL,
        ("mac/products.py", "is_special(code) & asymmetry[1]", "is_special(code) & ~asymmetry[1]"),
    ),
    made(
        "special values that count as zero",
        ONE_SPECIAL,
        ("mac/products.py", "hidden | (code[3] & ~code[0])", "hidden"),
    ),
    made(
        "positive zero that counts as a special value",
        SPECIAL,
        ("mac/products.py", "hidden | (code[3] & ~code[0])", "hidden | ~code[0]"),
    ),
    made(
        "a special value counted without its shift too",
        ONE_SPECIAL,
        ("mac/products.py", "[~code[2] & ~special, code[2]", "[~code[2], code[2]"),
    ),
    made(
        "two special values shifted by five places",
        SPECIAL,
        ("mac/products.py", "4: a[1] & w[1]", "3: a[1] & w[1]"),
    ),
)
