"""The faults, in one file for each part of the hardware.

All faults of a file of `hw/` stand in one file here, so that whoever changes the one knows where to look.
"""

from amxfp4.sim.mutants.faults import (
    accumulators,
    chain,
    float32,
    mac_unit,
    quantizer_elements,
    quantizer_scales,
    quantizer_unit,
    rounding,
    scales,
    sums,
    terms,
)
from amxfp4.sim.mutants.faults.fault import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *sums.FAULTS,
    *scales.FAULTS,
    *terms.FAULTS,
    *accumulators.FAULTS,
    *float32.FAULTS,
    *rounding.FAULTS,
    *mac_unit.FAULTS,
    *quantizer_scales.FAULTS,
    *quantizer_elements.FAULTS,
    *quantizer_unit.FAULTS,
    *chain.FAULTS,
)
"""Every fault, in the order in which data pass through the hardware."""
