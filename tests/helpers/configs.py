"""Every config that can be built, with the default width of the accumulator and the default registers."""

from functools import cache
from itertools import product

from amxfp4.errors import UsageError
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, ROUNDINGS
from amxfp4.hw.config import BLOCK_SIZES, LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.quantizer.config import INPUTS, QuantizerConfig


@cache
def every_mac() -> tuple[MacConfig, ...]:
    """Every MAC unit: each pair of formats, block size, number of lanes and accumulator that is not refused."""
    configs = []
    for fields in product(BLOCK_FORMAT_NAMES, BLOCK_FORMAT_NAMES, BLOCK_SIZES, LANES, ACCUMULATORS):
        try:
            configs.append(MacConfig(*fields))
        except UsageError:
            continue
    return tuple(configs)


@cache
def every_quantizer() -> tuple[QuantizerConfig, ...]:
    """Every quantiser."""
    geometries = [(size, lanes) for size, lanes in product(BLOCK_SIZES, LANES) if lanes <= size]
    return tuple(
        QuantizerConfig(name, *geometry, input, rounding)
        for name, geometry, input, rounding in product(BLOCK_FORMAT_NAMES, geometries, INPUTS, ROUNDINGS)
    )
