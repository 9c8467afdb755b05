"""Faults of the exact accumulators: `hw/mac/acc_exact.py` and `acc_words.py`."""

from amxfp4.sim.mutants.faults.configs import EXACT, HALVING, NARROW, PLACED
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
        ("mac/acc_exact.py", "overflowed.eq(self.overflow & ~self.first)", "overflowed.eq(0)"),
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
        ("mac/acc_words.py", "step[up + piece] & words_up[up]", "step[up + piece - (up > 0)] & words_up[up]"),
    ),
    made(
        "a placed term taken a word too early",
        PLACED,
        ("mac/acc_words.py", "begun = [*(~above for", "begun = [Const(1, 1), *(~above for"),
    ),
    made(
        "no reset of a valid bit",
        EXACT,
        ("mac/acc_exact.py", "complete = Signal()", "complete = Signal(reset_less=True)"),
    ),
)
