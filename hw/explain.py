"""In words for the command line: how the unit of a config is built, and why so."""

from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig


def mac(config: MacConfig) -> list[str]:
    """The stages of a MAC unit, as its plan has them."""
    return [f"{config.name}:", *config.plan.explain()]


def quantizer(config: QuantizerConfig) -> list[str]:
    """What a quantiser holds, and for how long."""
    early = config.held_beats - config.beats_per_block
    return [
        f"{config.name}: {config.input} to {config.format}",
        f"beats per block: {config.beats_per_block}, of {config.lanes} elements each",
        f"held beats: {config.held_beats}, a block"
        + (f" and {early} that come before its scales are known" if early else ""),
        f"drain: {config.drain} cycles from a block's last beat to its first beat quantised",
        f"latency: {config.latency} cycles from a beat to the same beat quantised",
    ]


def chain(config: ChainConfig) -> list[str]:
    """Who feeds whom in a chain, then each of the two."""
    waiting = f"weights wait {config.quantizer.latency} cycles for the activations that they meet"
    return [
        f"{config.name}: {config.quantizer.name} feeds the activations of {config.mac.name}; {waiting}",
        f"latency: {config.latency} cycles, the quantiser's {config.quantizer.latency} and the MAC unit's "
        f"{config.mac.latency}",
        *quantizer(config.quantizer),
        *mac(config.mac),
    ]
