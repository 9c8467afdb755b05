"""Faults of the fixed-point accumulators, exact or over a window: `hw/mac/acc_exact.py` and `acc_words.py`."""

from amxfp4.sim.mutants.faults.configs import EXACT, HALVING, NARROW, PLACED, WINDOW, WINDOW_WORDS
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "a carry dropped in the exact accumulator",
        EXACT,
        (
            "mac/acc_exact.py",
            "total.eq(row0 + row1)",
            "total.eq(Cat((row0[:40] + row1[:40])[:40], row0[40:] + row1[40:]))",
        ),
    ),
    made(
        "NaN not sticky",
        EXACT,
        ("mac/acc_exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(new_nan)"),
    ),
    made(
        "NaN leaks into the next dot product",
        EXACT,
        ("mac/acc_exact.py", "nan.eq((nan & ~self.first) | new_nan)", "nan.eq(nan | new_nan)"),
    ),
    made(
        "overflow not sticky",
        NARROW,
        ("mac/acc_exact.py", "overflow: Value = self.overflow & ~self.first", "overflow: Value = Const(0, 1)"),
        ("mac/acc_exact.py", "import Cat, Module,", "import Cat, Const, Module,"),
    ),
    made(
        "overflow judged within a block",
        NARROW,
        ("mac/acc_exact.py", "(whole & (total[-1] ^ total[-2]))", "(total[-1] ^ total[-2])"),
    ),
    made(
        "the exact accumulator not cleared",
        EXACT,
        ("mac/acc_exact.py", "addends = [gated(total, ~self.first)]", "addends = [total]"),
    ),
    made(
        "a carry lost between the words of a total",
        HALVING,
        ("mac/acc_words.py", "(carry & ~self.valid)", "(carry & self.valid)"),
    ),
    made(
        "a term a word too low",
        HALVING,
        (
            "mac/acc_words.py",
            "step[word] & words_up[up] for up, word in falls",
            "step[word - (up > 0)] & words_up[up] for up, word in falls",
        ),
    ),
    made(
        "a placed term taken a word too early",
        PLACED,
        ("mac/acc_words.py", "begun = [*(~above for", "begun = [Const(1, 1), *(~above for"),
    ),
    made(
        "bits under a window are left out towards zero",
        WINDOW,
        ("mac/acc_exact.py", "value = value[lowest : ", "value = (value + value[-1].replicate(lowest))[lowest : "),
    ),
    made(
        "a term above a window does not overflow",
        WINDOW,
        ("mac/acc_exact.py", "overflow | Cat(*(term.above for term in self.term)).any()", "overflow"),
    ),
    made(
        "a term above a window in words does not overflow",
        WINDOW_WORDS,
        ("mac/acc_words.py", "| (self.valid & self.term.above)", ""),
    ),
    made(
        "a term above a window is forgotten with the next term",
        WINDOW_WORDS,
        ("mac/acc_words.py", "(self.overflow & ~begin) | (self", "(self.overflow & ~self.valid) | (self"),
    ),
    made(
        "a word under a window is added",
        WINDOW_WORDS,
        ("mac/acc_words.py", "(up, up + piece - words_below) for", "(up, max(up + piece - words_below, 0)) for"),
    ),
    made(
        "no reset of a valid bit",
        EXACT,
        ("mac/acc_exact.py", "complete = Signal()", "complete = Signal(reset_less=True)"),
    ),
)
