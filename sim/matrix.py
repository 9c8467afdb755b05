"""The configs that the benches run on."""

from collections.abc import Callable
from itertools import product

from amxfp4.errors import UsageError
from amxfp4.golden.codes import ROUNDINGS
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import BLOCK_SIZES, LANES, Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import INPUTS, QuantizerConfig


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


def quick(unit: str) -> list[Config]:
    """A dozen configs of a unit that build quickly, with every format and every way of its pipeline."""
    choose: dict[str, Callable[[], list[Config]]] = {
        "mac": _quick_macs,
        "quantizer": _quick_quantizers,
        "chain": _quick_chains,
    }
    return choose[unit]()


def small(unit: str) -> list[Config]:
    """A few dozen configs of a unit that between them have all that its configs can have."""
    choose: dict[str, Callable[[], list[Config]]] = {
        "mac": _small_macs,
        "quantizer": _small_quantizers,
        "chain": _small_chains,
    }
    return quick(unit) + choose[unit]()


def full(unit: str) -> list[Config]:
    """All configs of a unit that differ in more than size, and sizes of those that users take."""
    choose: dict[str, Callable[[], list[Config]]] = {
        "mac": _full_macs,
        "quantizer": _full_quantizers,
        "chain": _full_chains,
    }
    configs = small(unit) + choose[unit]()
    return list({config.name: config for config in configs}.values())


def _quick_macs() -> list[Config]:
    return [
        MacConfig("MXFP4", "MXFP4", lanes=1),
        MacConfig("MXFP4", "MXFP4", block_size=8, lanes=8),
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=4, accumulator="fp32"),
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=4),
        MacConfig("AMXFP4", "AMXFP4", lanes=1),
        MacConfig("AMXFP4", "MXFP4-E5M2", lanes=1),
        MacConfig("AMXFP4", "AMXFP4", lanes=8),
        MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32"),
        MacConfig("AMXFP4", "AMXFP4", block_size=8, lanes=4),
        MacConfig("MXFP4-E4M3", "AMXFP4-E8M0", lanes=2),
        MacConfig("AMXFP4-E4M3", "AMXFP4", block_size=16, lanes=2),
        MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=8),
        MacConfig("AMXFP4-X2", "AMXFP4-E8M0", lanes=4),
        narrowest(MacConfig("AMXFP4", "AMXFP4-E4M3", lanes=1)),
    ]


def _small_macs() -> list[Config]:
    return [
        MacConfig("MXFP4", "MXFP4", lanes=8),
        MacConfig("MXFP4", "MXFP4", lanes=32),
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=8),
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=16, accumulator="fp32"),
        MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32, accumulator="fp32"),
        MacConfig("AMXFP4", "AMXFP4", block_size=8, lanes=8),
        MacConfig("AMXFP4", "AMXFP4", lanes=32),
        MacConfig("AMXFP4", "AMXFP4", lanes=1, accumulator="fp32"),
        MacConfig("AMXFP4", "AMXFP4", block_size=128, lanes=1, accumulator="fp32"),
        MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", lanes=1, accumulator="fp32"),
        MacConfig("AMXFP4-E4M3", "AMXFP4-E4M3", lanes=16),
        MacConfig("AMXFP4-E4M3", "AMXFP4-E4M3", lanes=4, accumulator="fp32"),
        MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=8),
        MacConfig("AMXFP4-E8M0", "MXFP4", lanes=16),
        MacConfig("AMXFP4", "MXFP4-E5M2", lanes=8),
        MacConfig("MXFP4-E4M3", "AMXFP4", lanes=32),
        MacConfig("AMXFP4", "MXFP4-E4M3", block_size=64, lanes=16),
        MacConfig("AMXFP4", "MXFP4", block_size=128, lanes=32),
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
        MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", lanes=2),
        MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
        MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=8, accumulator="fp32"),
        narrowest(MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=16)),
        narrowest(MacConfig("AMXFP4", "AMXFP4", lanes=8)),
        narrowest(MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32)),
    ]


def _full_macs() -> list[Config]:
    """Every pair of formats, accumulator and number of lanes in blocks of 32; other block sizes and the narrowest
    accumulators on the pairs that users take."""
    configs: list[Config] = []
    for activation, weight in product(BLOCK_FORMAT_NAMES, repeat=2):
        configs += _possible([(activation, weight)], [32], LANES)
    users = [("AMXFP4", "AMXFP4"), ("AMXFP4", "MXFP4-E5M2"), ("MXFP4-E5M2", "MXFP4-E5M2"), ("MXFP4", "MXFP4")]
    configs += _possible(users, [size for size in BLOCK_SIZES if size != 32], LANES)
    return configs + [narrowest(config) for config in _possible(users[:3], [32], LANES) if config.exact]


def _quick_quantizers() -> list[Config]:
    return [
        QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even"),
        QuantizerConfig("MXFP4-E4M3", lanes=4, rounding="nearest-even"),
        QuantizerConfig("AMXFP4", lanes=8),
        QuantizerConfig("AMXFP4", lanes=8, block_size=8, maximum_registers=0),
        QuantizerConfig("AMXFP4-E8M0", lanes=2, input="float32", rounding="nearest-even"),
        QuantizerConfig("AMXFP4-X2", lanes=4, input="float32"),
    ]


def _small_quantizers() -> list[Config]:
    """Every format with either input and either rounding, and in all every number of lanes, block size and rank."""
    return [
        QuantizerConfig("MXFP4", lanes=8),
        QuantizerConfig("MXFP4-E5M2", lanes=16),
        QuantizerConfig("MXFP4-E5M2", lanes=2, input="float32", rounding="nearest-even"),
        QuantizerConfig("MXFP4-E4M3", lanes=8, input="float32"),
        QuantizerConfig("MXFP4-UE5M3", lanes=8, rounding="nearest-even"),
        QuantizerConfig("MXFP4-UE5M3", lanes=2, block_size=16, input="float32"),
        QuantizerConfig("AMXFP4", lanes=1),
        QuantizerConfig("AMXFP4", lanes=32),
        QuantizerConfig("AMXFP4", lanes=8, input="float32", rounding="nearest-even"),
        QuantizerConfig("AMXFP4", lanes=16, block_size=128, rounding="nearest-even"),
        QuantizerConfig("AMXFP4-E4M3", lanes=4, block_size=64, input="float32", maximum_registers=1),
        QuantizerConfig("AMXFP4-E4M3", lanes=8, rounding="nearest-even"),
        QuantizerConfig("AMXFP4-E8M0", lanes=8),
        QuantizerConfig("AMXFP4-X2", lanes=1),
        QuantizerConfig("AMXFP4-X2", lanes=8),
        QuantizerConfig("AMXFP4-X2", lanes=4, rounding="nearest-even"),
        QuantizerConfig("AMXFP4-X2", lanes=16, block_size=16),
        QuantizerConfig("AMXFP4-X2", lanes=8, input="float32", rounding="nearest-even"),
    ]


def _full_quantizers() -> list[Config]:
    """Every format, number of lanes, input and rounding in blocks of 32; every block size of the project's format."""
    every = [
        QuantizerConfig(name, 32, lanes, kind, rounding)
        for name, lanes, kind, rounding in product(BLOCK_FORMAT_NAMES, LANES, INPUTS, ROUNDINGS)
    ]
    sizes = [
        QuantizerConfig("AMXFP4", size, lanes, maximum_registers=registers)
        for size, lanes, registers in product(BLOCK_SIZES, LANES, (0, 1))
        if lanes <= size
    ]
    return [*every, *sizes]


def _possible(pairs: list[tuple[str, str]], block_sizes: list[int], lanes: tuple[int, ...]) -> list[MacConfig]:
    configs = []
    for (activation, weight), size, width, accumulator in product(pairs, block_sizes, lanes, ("exact", "fp32")):
        try:
            configs.append(MacConfig(activation, weight, size, width, accumulator))
        except UsageError:
            continue  # no such unit: see MacConfig
    return configs


def _quick_chains() -> list[Config]:
    return [ChainConfig("AMXFP4", "MXFP4", lanes=2)]


def _small_chains() -> list[Config]:
    return [
        ChainConfig("AMXFP4", "AMXFP4", lanes=8),
        ChainConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=4),
        ChainConfig("MXFP4", "MXFP4", lanes=8, input="float32", rounding="nearest-even"),
        ChainConfig("AMXFP4", "AMXFP4", lanes=1),
        ChainConfig("AMXFP4", "MXFP4", block_size=16, lanes=8, input="float32"),
    ]


def _full_chains() -> list[Config]:
    """Every format of activations, with either input, meets weights in its own format."""
    return [
        ChainConfig(name, name, lanes=lanes, input=kind)
        for name, lanes, kind in product(BLOCK_FORMAT_NAMES, (1, 4, 8), INPUTS)
    ]
