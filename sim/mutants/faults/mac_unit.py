"""Faults of the MAC unit around its parts: its streams (`hw/mac/unit.py`) and its front end (`hw/mac/front.py`)."""

from amxfp4.sim.mutants.faults.configs import EXACT, FLOAT, ONE_LANE, SPECIAL
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "activation and weight sides swapped",
        FLOAT,
        ("mac/front.py", "return sides[0], sides[1]", "return sides[1], sides[0]"),
    ),
    made(
        "scales taken from every beat",
        EXACT,
        ("mac/front.py", "begins = beat.valid & beat.first\n", "begins = beat.valid\n"),
    ),
    made(
        "a stall drops a beat",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(1)"),
    ),
    made(
        "a stall repeats a beat",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(~self.o.valid)"),
    ),
    made(
        "a result is not held through a stall",
        EXACT,
        ("mac/unit.py", "EnableInserter(running)(pipeline)", "EnableInserter(Signal(init=1))(pipeline)"),
    ),
    made(
        "the end of a dot product seen in every beat",
        ONE_LANE,
        ("mac/front.py", "i.payload.last & last)", "i.payload.last)"),
    ),
    made(
        "no beat is ever taken",
        EXACT,
        ("mac/unit.py", "self.i.ready.eq(running)", "self.i.ready.eq(0)"),
    ),
    made(
        "no reset of the beat counter",
        EXACT,
        ("mac/front.py", "count = Signal(range(beats))", "count = Signal(range(beats), reset_less=True)"),
    ),
    made(
        "the special value of the block before",
        SPECIAL,
        (
            "mac/front.py",
            "Mux(beat.first, source, kept(m, source, beat.valid & beat.first, name))",
            "kept(m, source, beat.valid & beat.first, name)",
        ),
    ),
)
