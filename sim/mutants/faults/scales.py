"""Faults of decoding and selecting scales: `hw/mac/scale.py`."""

from amxfp4.sim.mutants.faults.configs import EXACT
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "positive and negative scale swapped",
        EXACT,
        ("mac/scale.py", "Mux(negative, scales[1], scales[0])", "Mux(negative, scales[0], scales[1])"),
    ),
    made(
        "a subnormal scale with a hidden bit",
        EXACT,
        ("mac/scale.py", "Cat(mantissa, ~subnormal)", "Cat(mantissa, Const(1, 1))"),
    ),
    made(
        "a subnormal scale one binade too low",
        EXACT,
        ("mac/scale.py", "Cat(field[0] | subnormal, field[1:])", "field"),
    ),
    made(
        "only one of the NaN codes is NaN",
        EXACT,
        ("mac/scale.py", "field.all() if scale.nan_is_top_exponent else code.all()", "code.all()"),
    ),
)
