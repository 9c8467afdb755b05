"""The bit-exact golden model: what every unit must compute, and in which cycle."""

from amxfp4.golden.blocks import Blocks
from amxfp4.golden.codes import (
    ELEMENT_VALUES,
    ROUNDINGS,
    Rounding,
    decode_elements,
    decode_scales,
    encode_elements,
    encode_scales,
)
from amxfp4.golden.formats import (
    BLOCK_FORMAT_NAMES,
    SCALE_FORMATS,
    BlockFormat,
    ScaleFormat,
    block_format,
)
from amxfp4.golden.quantize import quantize

__all__ = [
    "BLOCK_FORMAT_NAMES",
    "ELEMENT_VALUES",
    "ROUNDINGS",
    "SCALE_FORMATS",
    "BlockFormat",
    "Blocks",
    "Rounding",
    "ScaleFormat",
    "block_format",
    "decode_elements",
    "decode_scales",
    "encode_elements",
    "encode_scales",
    "quantize",
]
