"""Faults of the terms that a block's sums become: `hw/mac/term_*.py` and `window.py`."""

from amxfp4.sim.mutants.faults.configs import DIGITS_FLOAT, HALVING, ONE_LANE, PLACED, WINDOW
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "NaN on the scale that no element selects is missed",
        ONE_LANE,
        ("mac/term_direct.py", "term.nan.eq(Cat(*nans).any())", "term.nan.eq(a.nan | w.nan)"),
    ),
    made(
        "a term stops a place too high in its word",
        PLACED,
        ("mac/term_placed.py", "~(count + places)[len(count)]", "~(count + places + 1)[len(count)]"),
    ),
    made(
        "a partial product of a placed term too narrow",
        PLACED,
        ("mac/term_placed.py", "product = Signal(low + len(held) + 1,", "product = Signal(low + len(held) - 1,"),
    ),
    made(
        "a placed term does not move down when a word is taken",
        PLACED,
        ("mac/term_placed.py", "product.as_signed() >> plan.split.word_bits", "product"),
    ),
    made(
        "a window one place too high",
        WINDOW,
        ("mac/window.py", "self.exponent - self.below + offset", "self.exponent - self.below + offset + 1"),
    ),
    made(
        "the highest place of a window counts as above",
        WINDOW,
        ("mac/window.py", "places > self.shift_max", "places >= self.shift_max"),
    ),
    made(
        "the lowest place above a window counts as in it",
        WINDOW,
        ("mac/window.py", "places > self.shift_max", "places > self.shift_max + 1"),
    ),
    made(
        "terms far under a window come back into it",
        WINDOW,
        ("mac/window.py", "bit_length()], ~under)", "bit_length()], under | ~under)"),
    ),
    made(
        "a term of zero overflows where its scales lie above a window",
        WINDOW,
        ("mac/term_whole.py", "self.scale.above & self.term.value.any()", "self.scale.above"),
    ),
    made(
        "a sum is not held while its digits are taken",
        HALVING,
        ("mac/term_digits.py", "Mux(self.start, taken, held)", "taken"),
    ),
    made(
        "a product not cleared for the next sum",
        HALVING,
        ("mac/term_digits.py", "gated(moved[low:], ~self.start)", "moved[low:]"),
    ),
    made(
        "a term made of digits without its sign",
        DIGITS_FLOAT,
        ("mac/term_digits.py", "self.term.negative.eq(negative)", "self.term.negative.eq(0)"),
    ),
)
