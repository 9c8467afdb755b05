"""The configs that the benches run on: every format, accumulator and number of lanes, pairs, and other block sizes."""

from itertools import product

from amxfp4.errors import UsageError
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES
from amxfp4.hw.config import BLOCK_SIZES, LANES, MacConfig


def narrowest(config: MacConfig) -> MacConfig:
    """The config with the narrowest exact accumulator there is: one worst-case block, so that overflow is in reach."""
    low = 2
    while True:
        try:
            return MacConfig(
                config.activation,
                config.weight,
                config.block_size,
                config.lanes,
                accumulator="exact",
                accumulator_bits=low,
            )
        except UsageError:
            low += 1


def small() -> list[MacConfig]:
    """Some two dozen configs in which every format, accumulator, number of lanes and block size comes up."""
    return [
        MacConfig("MXFP4", "MXFP4", lanes=1),
        MacConfig("MXFP4", "MXFP4", lanes=8),
        MacConfig("MXFP4", "MXFP4", lanes=32),
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=8),
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=16, accumulator="fp32"),
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=4),
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32, accumulator="fp32"),
        MacConfig("AMXFP4", "AMXFP4", lanes=1),
        MacConfig("AMXFP4", "AMXFP4", lanes=8),
        MacConfig("AMXFP4", "AMXFP4", lanes=32),
        MacConfig("AMXFP4", "AMXFP4", lanes=1, accumulator="fp32"),
        MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32"),
        MacConfig("AMXFP4-E4M3", "AMXFP4-E4M3", lanes=16),
        MacConfig("AMXFP4-E4M3", "AMXFP4-E4M3", lanes=4, accumulator="fp32"),
        MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=8),
        MacConfig("AMXFP4-E8M0", "MXFP4", lanes=16),
        MacConfig("AMXFP4", "MXFP4-E5M2", lanes=8),
        MacConfig("MXFP4-E4M3", "AMXFP4", lanes=32),
        MacConfig("MXFP4-E4M3", "AMXFP4-E8M0", lanes=2),
        MacConfig("AMXFP4", "AMXFP4", block_size=8, lanes=8),
        MacConfig("AMXFP4-E4M3", "AMXFP4", block_size=16, lanes=2),
        MacConfig("AMXFP4", "MXFP4-E4M3", block_size=64, lanes=16),
        MacConfig("AMXFP4", "MXFP4", block_size=128, lanes=32),
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
        MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=8, accumulator="fp32"),
        MacConfig("AMXFP4-X2", "AMXFP4-E8M0", lanes=4),
        narrowest(MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=16)),
        narrowest(MacConfig("AMXFP4", "AMXFP4", lanes=8)),
        narrowest(MacConfig("AMXFP4", "AMXFP4-E4M3", lanes=1)),
        narrowest(MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32)),
    ]


def full() -> list[MacConfig]:
    """Every pair of formats, accumulator and number of lanes in blocks of 32; other block sizes and the narrowest
    accumulators on the pairs that users take."""
    configs = small()
    for activation, weight in product(BLOCK_FORMAT_NAMES, repeat=2):
        configs += _possible([(activation, weight)], [32], LANES)
    users = [("AMXFP4", "AMXFP4"), ("AMXFP4", "MXFP4-E5M2"), ("MXFP4-E5M2", "MXFP4-E5M2"), ("MXFP4", "MXFP4")]
    configs += _possible(users, [size for size in BLOCK_SIZES if size != 32], LANES)
    configs += [narrowest(config) for config in _possible(users[:3], [32], LANES) if config.exact]
    return list({config.name: config for config in configs}.values())


def _possible(pairs: list[tuple[str, str]], block_sizes: list[int], lanes: tuple[int, ...]) -> list[MacConfig]:
    configs = []
    for (activation, weight), size, width, accumulator in product(pairs, block_sizes, lanes, ("exact", "fp32")):
        try:
            configs.append(MacConfig(activation, weight, size, width, accumulator))
        except UsageError:
            continue  # no such unit: see MacConfig
    return configs
