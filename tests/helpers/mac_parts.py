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
