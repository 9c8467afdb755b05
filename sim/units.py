"""For each unit what its bench needs: the kit that makes stimuli, and the matrices of configs that it runs on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, ROUNDINGS
from amxfp4.hw.catalogue import possible
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import BLOCK_SIZES, LANES, Config
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.quantizer.config import INPUTS, QuantizerConfig
from amxfp4.hw.units import unit_of
from amxfp4.sim.stimuli.kit import Kit
from amxfp4.sim.stimuli.kit_chain import ChainKit
from amxfp4.sim.stimuli.kit_mac import MacKit
from amxfp4.sim.stimuli.kit_quantizer import QuantizerKit


@dataclass(frozen=True)
class Benched:
    """A unit under test.

    Attributes:
        kit: Makes its stimuli and expectations.
        quick: A dozen configs that build quickly, with every format and every way of the pipeline.
        small: A few dozen more. With the quick ones they have all that a config can have.
        full: All configs that differ in more than size, and sizes of those that users take.
    """

    kit: Callable[[Any], Kit]
    quick: Callable[[], list[Config]]
    small: Callable[[], list[Config]]
    full: Callable[[], list[Config]]


def kit_of(config: Config) -> Kit:
    """The kit for a config's unit."""
    return BENCHED[unit_of(config).name].kit(config)


def quick(unit: str) -> list[Config]:
    """A unit's quick matrix."""
    return BENCHED[unit].quick()


def small(unit: str) -> list[Config]:
    """A unit's small matrix; the quick one is part of it."""
    return quick(unit) + BENCHED[unit].small()


def full(unit: str) -> list[Config]:
    """A unit's full matrix; the small one is part of it."""
    configs = small(unit) + BENCHED[unit].full()
    return list({config.name: config for config in configs}.values())


def narrowest(config: MacConfig) -> MacConfig:
    """The config with the narrowest exact accumulator there is: one worst-case block, so that overflow is in reach."""
    return replace(config, accumulator="exact", accumulator_bits=config.least_accumulator_bits)


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
        MacConfig("AMXFP4-Z", "AMXFP4-Z8", lanes=4),
        MacConfig("NVFP4", "AMXFP4-Z", lanes=2, accumulator="fp32"),
        narrowest(MacConfig("AMXFP4", "AMXFP4-E4M3", lanes=1)),
        MacConfig("MXFP4", "MXFP4", lanes=1, accumulator="window"),
        MacConfig("MXFP4", "MXFP4", block_size=8, lanes=8, accumulator="window"),
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
        MacConfig("NVFP4", "NVFP4", lanes=8),
        MacConfig("AMXFP4-Z8", "MXFP4-E4M3", lanes=8),
        MacConfig("AMXFP4-Z8/16", "AMXFP4-Z8/16", lanes=16),
        MacConfig("AMXFP4-Z", "AMXFP4-Z", lanes=1),
        MacConfig("AMXFP4-Z", "AMXFP4-X2", lanes=8),
        MacConfig("AMXFP4", "AMXFP4-Z", lanes=8),
        MacConfig("AMXFP4-Z8", "AMXFP4-E8M0", lanes=2),
        narrowest(MacConfig("AMXFP4-Z8", "AMXFP4-Z8", lanes=32)),
        narrowest(MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=16)),
        narrowest(MacConfig("AMXFP4", "AMXFP4", lanes=8)),
        narrowest(MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32)),
        MacConfig("MXFP4", "MXFP4", lanes=8, accumulator="window"),
        MacConfig("MXFP4", "MXFP4", lanes=32, accumulator="window"),
        MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=16, accumulator="window", window_exponent=-60),
        MacConfig("AMXFP4-X2", "MXFP4", lanes=2, accumulator="window", accumulator_bits=63),
        MacConfig("MXFP4-E4M3", "MXFP4", block_size=64, lanes=1, accumulator="window"),
    ]


def _full_macs() -> list[Config]:
    """Every pair of formats, accumulator and number of lanes in blocks of 32, and NVFP4 in its own; other block sizes
    and the narrowest accumulators on the pairs that users take."""
    users = [
        ("AMXFP4", "AMXFP4"),
        ("AMXFP4", "MXFP4-E5M2"),
        ("MXFP4-E5M2", "MXFP4-E5M2"),
        ("MXFP4", "MXFP4"),
        ("AMXFP4-Z8", "AMXFP4-Z8"),
    ]
    different = [name for name in BLOCK_FORMAT_NAMES if name != "NVFP4"]  # whose units are those of MXFP4-E4M3
    other_sizes = [size for size in BLOCK_SIZES if size != 32]
    pairs = [*product(different, different), ("NVFP4", "NVFP4")]
    every = possible(pairs, lanes=LANES, accumulator=ACCUMULATORS)
    sizes = possible(users, block_size=other_sizes, lanes=LANES, accumulator=ACCUMULATORS)
    narrow = [narrowest(config) for config in possible(users, lanes=LANES, accumulator=["exact"])]
    return [*every, *sizes, *narrow]


def _quick_quantizers() -> list[Config]:
    return [
        QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even"),
        QuantizerConfig("MXFP4", lanes=2, rule="even"),
        QuantizerConfig("MXFP4-E4M3", lanes=4, rounding="nearest-even"),
        QuantizerConfig("NVFP4", lanes=4),
        QuantizerConfig("AMXFP4", lanes=8),
        QuantizerConfig("AMXFP4", lanes=8, block_size=8, maximum_registers=0),
        QuantizerConfig("AMXFP4-E8M0", lanes=2, input="float32", rounding="nearest-even"),
        QuantizerConfig("AMXFP4-X2", lanes=4, input="float32"),
        QuantizerConfig("AMXFP4-Z", lanes=8),
    ]


def _small_quantizers() -> list[Config]:
    """Every format with either input and either rounding, and in all every number of lanes, block size and rank."""
    return [
        QuantizerConfig("MXFP4", lanes=8),
        QuantizerConfig("MXFP4", lanes=8, input="float32", rule="ceil"),
        QuantizerConfig("AMXFP4-E8M0", lanes=4, rule="ceil"),
        QuantizerConfig("AMXFP4-E8M0", lanes=8, input="float32", rule="even"),
        QuantizerConfig("NVFP4", lanes=2, input="float32"),
        QuantizerConfig("NVFP4", lanes=8, rounding="nearest-away"),
        QuantizerConfig("NVFP4", lanes=16, tensor_scale=False),
        QuantizerConfig("AMXFP4-X2", lanes=8, tensor_scale=True),
        QuantizerConfig("AMXFP4", lanes=4, input="float32", tensor_scale=True),
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
        QuantizerConfig("AMXFP4-Z8", lanes=1),
        QuantizerConfig("AMXFP4-Z8/16", lanes=8, rounding="nearest-even"),
        QuantizerConfig("AMXFP4-Z8", lanes=4, input="float32"),
        QuantizerConfig("AMXFP4-Z", lanes=1, input="float32", rounding="nearest-even"),
        QuantizerConfig("AMXFP4-Z", lanes=16, block_size=16, maximum_registers=0),
        QuantizerConfig("AMXFP4-Z", lanes=32),
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


def _quick_chains() -> list[Config]:
    return [ChainConfig(MacConfig("AMXFP4", "MXFP4", lanes=2))]


def _small_chains() -> list[Config]:
    return [
        ChainConfig(MacConfig("AMXFP4", "AMXFP4", lanes=8)),
        ChainConfig(MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=4)),
        ChainConfig(MacConfig("MXFP4", "MXFP4", lanes=8), input="float32", rounding="nearest-even"),
        ChainConfig(MacConfig("MXFP4", "MXFP4", lanes=4), rule="even"),
        ChainConfig(MacConfig("AMXFP4", "AMXFP4", lanes=1)),
        ChainConfig(MacConfig("AMXFP4", "MXFP4", block_size=16, lanes=8), input="float32"),
    ]


def _full_chains() -> list[Config]:
    """Every format of activations, with either input, meets weights in its own format."""
    return [
        ChainConfig(MacConfig(name, name, lanes=lanes), input=kind)
        for name, lanes, kind in product(BLOCK_FORMAT_NAMES, (1, 4, 8), INPUTS)
    ]


BENCHED = {
    "mac": Benched(MacKit, _quick_macs, _small_macs, _full_macs),
    "quantizer": Benched(QuantizerKit, _quick_quantizers, _small_quantizers, _full_quantizers),
    "chain": Benched(ChainKit, _quick_chains, _small_chains, _full_chains),
}
