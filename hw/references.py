"""The units that a unit's cost is compared with.

| reference | differs from the unit in | the ratio to it says |
|-----------|--------------------------|----------------------|
| baseline  | formats: MXFP4 on every side, and its float32 accumulator | what a user pays in all |
| windowed baseline | formats: MXFP4 on every side, and a windowed accumulator | the same, beside a smaller baseline |
| symmetric | scales per block: one on every side, of the same scale format | what asymmetry alone costs |

Everything else stays as it is: lanes, block size, input, rounding; of the symmetric unit the rule of scales and the
tensor's scale too. MXFP4 is defined in blocks of `STANDARD_BLOCK`. So the baseline of a unit with other blocks is the
unit of MXFP4's element and scale formats in those blocks, and no standard.

NVFP4 and MXFP4-E4M3 have the same elements and scales, and so the same MAC unit. In blocks of 16 it is called NVFP4's.
Their quantisers differ.
"""

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, block_format
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig

BASELINE = "MXFP4"
NVFP4 = "NVFP4"

STANDARD_BLOCK = 32
"""Elements per block of MXFP4, as its standard has it."""


def symmetric_format(name: str) -> str:
    """The format with the same scale format and one scale per block.

    MXFP4-E5M2 of AMXFP4-E5M2, MXFP4-UE5M3 of AMXFP4-X2, MXFP4-E4M3 of AMXFP4-Z, and a symmetric format of itself.
    """
    asked = block_format(name)
    if not asked.two_sided:
        return asked.name
    formats = (block_format(other) for other in BLOCK_FORMAT_NAMES)
    return next(f.name for f in formats if f.scale == asked.scale and not f.two_sided)


def _mac_format(name: str, block_size: int) -> str:
    """The format whose name a MAC unit in blocks of `block_size` goes by, where two formats have the same unit."""
    asked, nvfp4 = block_format(name, block_size), block_format(NVFP4)
    return NVFP4 if asked.scale == nvfp4.scale and not asked.two_sided and block_size == nvfp4.block_size else name


def mac_baseline(config: MacConfig) -> MacConfig:
    """MXFP4's MAC unit with its float32 accumulator."""
    return MacConfig(BASELINE, BASELINE, config.block_size, config.lanes, "fp32")


def mac_windowed(config: MacConfig) -> MacConfig:
    """MXFP4's MAC unit with a windowed accumulator."""
    return MacConfig(BASELINE, BASELINE, config.block_size, config.lanes, "window")


def mac_symmetric(config: MacConfig) -> MacConfig:
    """The MAC unit with one scale per block on both sides, and the same kind of accumulator."""
    names = (symmetric_format(name) for name in (config.activation, config.weight))
    activation, weight = (_mac_format(name, config.block_size) for name in names)
    return MacConfig(activation, weight, config.block_size, config.lanes, config.accumulator)


def quantizer_baseline(config: QuantizerConfig) -> QuantizerConfig:
    """The quantiser to MXFP4."""
    return QuantizerConfig(BASELINE, config.block_size, config.lanes, config.input, config.rounding)


def quantizer_symmetric(config: QuantizerConfig) -> QuantizerConfig:
    """The quantiser to one scale per block, by the same rule and with as many multipliers."""
    format = symmetric_format(config.format)
    return QuantizerConfig(
        format,
        config.block_size,
        config.lanes,
        config.input,
        config.rounding,
        rule=config.rule,
        tensor_scale=config.tensor_scale,
    )


def mac_behind(config: QuantizerConfig) -> MacConfig:
    """The MAC unit that a quantiser feeds: its format on both sides, and the default accumulator."""
    name = _mac_format(config.format, config.block_size)
    return MacConfig(name, name, config.block_size, config.lanes)


def chain_baseline(config: ChainConfig) -> ChainConfig:
    """MXFP4's MAC unit behind the quantiser to MXFP4."""
    return ChainConfig(mac_baseline(config.mac), config.input, config.rounding)


def chain_windowed(config: ChainConfig) -> ChainConfig:
    """MXFP4's MAC unit with a windowed accumulator behind the quantiser to MXFP4."""
    return ChainConfig(mac_windowed(config.mac), config.input, config.rounding)


def chain_symmetric(config: ChainConfig) -> ChainConfig:
    """The chain with one scale per block on both sides."""
    return ChainConfig(
        mac_symmetric(config.mac), config.input, config.rounding, rule=config.rule, tensor_scale=config.tensor_scale
    )
