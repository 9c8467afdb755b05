"""Faults of the quantiser and the MAC unit in one netlist: `hw/chain.py`."""

from amxfp4.sim.mutants.faults.configs import CHAIN
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "chain: weights taken when there is no activation",
        CHAIN,
        ("chain.py", "weight.ready.eq(beat.ready & activation.valid)", "weight.ready.eq(beat.ready)"),
    ),
    made(
        "chain: an activation passes without its weights",
        CHAIN,
        ("chain.py", "activation.ready.eq(beat.ready & weight.valid)", "activation.ready.eq(beat.ready)"),
    ),
    made(
        "chain: a beat goes on without its weights",
        CHAIN,
        ("chain.py", "beat.valid.eq(activation.valid & weight.valid)", "beat.valid.eq(activation.valid)"),
    ),
)
