"""Faults of rounding a total to float32: `hw/arith/round.py`, `hw/mac/round_exact.py` and `round_words.py`."""

from amxfp4.sim.mutants.faults.configs import EXACT, HALVING, NARROW, SERIAL
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "overflow flag missing",
        NARROW,
        ("arith/round.py", "result.overflow.eq(overflow & ~nan)", "result.overflow.eq(0)"),
    ),
    made(
        "the exact sum's sticky bit lost on the way",
        EXACT,
        ("mac/round_exact.py", "sticky | shifted[: len(value) - kept].any()", "shifted[: len(value) - kept].any()"),
    ),
    made(
        "bits below the leading words lost",
        HALVING,
        ("mac/round_words.py", "under.eq(under_lowest | lower[-1].any())", "under.eq(under_lowest)"),
    ),
    made(
        "words of a dot product before seen below the lowest",
        HALVING,
        ("mac/round_words.py", "gated(word, ~passed[: index + 1].any())", "word"),
    ),
    made(
        "a total that is rounded in place shifted up a place too few",
        SERIAL,
        ("mac/round_in_place.py", "cycles = self.cycles - 1", "cycles = self.cycles - 2"),
        (
            "mac/round_in_place.py",
            "m.d.sync += ready.eq(rounds)",
            "later = Signal()\n        m.d.sync += [later.eq(rounds), ready.eq(later)]",
        ),
    ),
    made(
        "the exponent does not follow a shift in place",
        SERIAL,
        ("mac/round_in_place.py", "exponent - Cat(*down)", "exponent - down[0]"),
    ),
    made(
        "the bits left below a significand in place not looked at",
        SERIAL,
        ("mac/round_in_place.py", "sticky | rest.any()", "sticky"),
    ),
    made(
        "a NaN's result in place is a number",
        SERIAL,
        ("mac/round_in_place.py", "result.eq(Mux(special, QUIET_NAN, rounded))", "result.eq(rounded)"),
    ),
    made(
        "ties away from zero",
        EXACT,
        ("arith/round.py", "(self.guard & (self.sticky | odd | carried))", "self.guard"),
    ),
    made(
        "the one that completes a negation lost",
        EXACT,
        ("arith/round.py", " | (carried & odd)", ""),
    ),
    made(
        "results a cycle late",
        EXACT,
        ("mac/round_exact.py", "ready = Signal(2)", "ready = Signal(3)"),
        ("mac/round_exact.py", "ready.eq(Cat(self.valid, ready[0]))", "ready.eq(Cat(self.valid, ready[:2]))"),
        ("mac/round_exact.py", "self.ready.eq(ready[1])", "self.ready.eq(ready[2])"),
    ),
)
