"""Faults of the float32 accumulators: `hw/mac/acc_float32.py` and `acc_float32_steps.py`."""

from amxfp4.sim.mutants.faults.configs import BASELINE, FLOAT, STEPS
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "infinity does not stay",
        BASELINE,
        ("mac/acc_float32.py", "(total.infinite | rounder.infinite) & keep", "rounder.infinite & keep"),
    ),
    made(
        "the float32 accumulator not cleared",
        FLOAT,
        ("mac/acc_float32.py", "keep = ~self.first", "keep = Const(1, 1)"),
    ),
    made(
        "the float32 sum's sticky bit lost",
        FLOAT,
        ("mac/acc_float32.py", "Cat(near[0] | everything, near[1:])", "near"),
    ),
    made(
        "an alignment beyond the shifter not cut off",
        BASELINE,
        ("mac/acc_float32.py", "near = gated(value, ~far)", "near = value"),
    ),
    made(
        "no gradual underflow",
        BASELINE,
        ("mac/acc_float32.py", "changes = changes | stop", "changes = changes"),
    ),
    made(
        "a sum of zero keeps a sign",
        BASELINE,
        ("mac/acc_float32.py", "(total.negative ^ minus) & ~total.zero", "(total.negative ^ minus)"),
    ),
    made(
        "an operand far below aligned by a step too few",
        STEPS,
        ("mac/acc_float32_steps.py", "step == 1 + FAR", "step == FAR"),
    ),
    made(
        "an operand far below not only there",
        STEPS,
        ("mac/acc_float32_steps.py", "value[1] & ~apart", "value[1]"),
    ),
    made(
        "bits lost while aligning step by step",
        STEPS,
        ("mac/acc_float32_steps.py", "Cat(value[0] | value[1], value[2:])", "Cat(value[1], value[2:])"),
    ),
    made(
        "a carry lost between the halves of a float32 sum",
        STEPS,
        ("mac/acc_float32_steps.py", "right[LOW_BITS:] + carry", "right[LOW_BITS:]"),
    ),
    made(
        "no gradual underflow step by step",
        STEPS,
        ("mac/acc_float32_steps.py", "normal | ~self.field_register[1:].any()", "normal"),
    ),
    made(
        "the float32 accumulator with steps not cleared",
        STEPS,
        ("mac/acc_float32_steps.py", "clear.eq(end & self.last)", "clear.eq(0)"),
    ),
    made(
        "no result ever comes",
        FLOAT,
        ("mac/acc_float32.py", "o.valid.eq(accumulator.complete)", "o.valid.eq(0)"),
    ),
)
