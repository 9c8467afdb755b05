"""The bit-exact golden model: what every unit must compute, and in which cycle."""

from amxfp4.golden.accumulator import ACCUMULATORS, Accumulator, default_accumulator_bits, least_exponent
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
from amxfp4.golden.cycles import Schedule, schedule
from amxfp4.golden.dot import dot
from amxfp4.golden.dot_detailed import DotResult, dot_detailed
from amxfp4.golden.formats import (
    BLOCK_FORMAT_NAMES,
    SCALE_FORMATS,
    BlockFormat,
    ScaleFormat,
    block_format,
)
from amxfp4.golden.matmul import matmul
from amxfp4.golden.quantize import ENCODES, Encode, quantize

__all__ = [
    "ACCUMULATORS",
    "BLOCK_FORMAT_NAMES",
    "ELEMENT_VALUES",
    "ENCODES",
    "ROUNDINGS",
    "SCALE_FORMATS",
    "Accumulator",
    "BlockFormat",
    "Blocks",
    "DotResult",
    "Encode",
    "Rounding",
    "ScaleFormat",
    "Schedule",
    "block_format",
    "decode_elements",
    "decode_scales",
    "default_accumulator_bits",
    "dot",
    "dot_detailed",
    "encode_elements",
    "encode_scales",
    "least_exponent",
    "matmul",
    "quantize",
    "schedule",
]
