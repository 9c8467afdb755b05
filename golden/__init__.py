"""The bit-exact golden model: what every unit must compute, and in which cycle.

`quantize` turns floats into `Blocks`; `matmul` and `dot` multiply those. docs/numerics.md says what each bit is.
"""

from typing import TYPE_CHECKING

from amxfp4.golden.accumulator import ACCUMULATORS, Accumulator, default_accumulator_bits, least_exponent
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.codes import (
    ELEMENT_VALUES,
    decode_elements,
    decode_scales,
    encode_elements,
    encode_scales,
)
from amxfp4.golden.cycles import ChainSchedule, Schedule, chain_schedule, quantizer_schedule, schedule
from amxfp4.golden.deprecated import warn_renamed
from amxfp4.golden.dot import dot
from amxfp4.golden.dot_detailed import DotResult, dot_detailed
from amxfp4.golden.error import sqnr
from amxfp4.golden.formats import (
    BLOCK_FORMAT_NAMES,
    ROUNDINGS,
    SCALE_FORMATS,
    BlockFormat,
    Rounding,
    ScaleFormat,
    block_format,
)
from amxfp4.golden.matmul import matmul
from amxfp4.golden.quantize import ENCODES, Encode, quantize
from amxfp4.golden.rotate import rotated
from amxfp4.golden.scale_rules import ScaleRule, rules_of
from amxfp4.golden.tensor_scale import TENSOR_SCALE_RULES, TensorScaleRule, tensor_scale_of
from amxfp4.golden.windowed import Window

__all__ = [
    "ACCUMULATORS",
    "BLOCK_FORMAT_NAMES",
    "ELEMENT_VALUES",
    "ENCODES",
    "ROUNDINGS",
    "SCALE_FORMATS",
    "TENSOR_SCALE_RULES",
    "Accumulator",
    "BlockFormat",
    "Blocks",
    "ChainSchedule",
    "DotResult",
    "Encode",
    "Rounding",
    "ScaleFormat",
    "ScaleRule",
    "Schedule",
    "TensorScaleRule",
    "Window",
    "block_format",
    "chain_schedule",
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
    "quantizer_schedule",
    "rotated",
    "rules_of",
    "schedule",
    "sqnr",
    "tensor_scale_of",
]


def __dir__() -> list[str]:
    return sorted(__all__)


if not TYPE_CHECKING:  # old names, of which type checkers should not know

    def __getattr__(name: str) -> object:
        if name == "Accumulate":
            warn_renamed("the type Accumulate", "Accumulator")
            return Accumulator
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
