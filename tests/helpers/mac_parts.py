"""Parts of MAC units' plans, also those that a config's own plan does not choose."""

from amxfp4.hw.mac.acc_exact import Exact
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_direct import Direct
from amxfp4.hw.mac.term_whole import Whole


def is_direct(config: MacConfig) -> bool:
    """Whether products are added directly."""
    return isinstance(config.plan.term, Direct)


def exact_part(config: MacConfig) -> Exact:
    """The exact accumulator of full width, for a config whose own plan may have one in words."""
    assert config.accumulator_bits is not None
    if is_direct(config):
        return Exact(config.plan.term, 1, config.accumulator_bits)
    sums = config.plan.sums
    return Exact(Whole(sums), sums.paths, config.accumulator_bits)


LARGEST = {"AMXFP4-X2": 24, "AMXFP4-Z8": 16, "AMXFP4-Z": 24}
"""The largest element as an integer, where that is not 12 (6 in units of 1/2): 6 in quarters, 8 and 12 in halves."""


def largest_product(config: MacConfig) -> int:
    """The largest product of two elements in the unit's own unit, from the names alone."""
    return LARGEST.get(config.activation, 12) * LARGEST.get(config.weight, 12)
