"""Golden's public functions, each with arguments that it takes."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from amxfp4 import golden
from amxfp4.golden import SCALE_FORMATS, BlockFormat, Blocks, ScaleFormat, block_format, quantize

X = np.linspace(-3, 3, 64, dtype=np.float32).reshape(2, 32)
A = quantize(X, "AMXFP4")
E5M2 = SCALE_FORMATS["E5M2"]

Call = tuple[Callable[..., Any], dict[str, Any]]


def fields_of(config: Any) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in fields(config)}


PRODUCT = {"a": A, "w": A, "accumulator": None, "window": golden.Window()}
CHOICES = {"rounding": "nearest-away", "rule": None, "encode": "direct", "tensor_scale": None}
RECORDS = {"offered": (), "ready": ()}
GOLDEN_CALLS: list[Call] = [
    (quantize, {"x": X, "fmt": "AMXFP4", "axis": -1, "block_size": 32} | CHOICES),
    (golden.matmul, PRODUCT),
    (golden.dot, PRODUCT),
    (golden.dot_detailed, PRODUCT | {"accumulator_bits": None}),
    (golden.rotated, {"x": X, "size": 16, "axis": -1}),
    (golden.Window, {"exponent": -32, "bits": 54}),
    (golden.rules_of, {"fmt": "AMXFP4"}),
    (golden.tensor_scale_of, {"x": X, "fmt": "NVFP4", "rule": "max"}),
    (golden.sqnr, {"exact": X, "approximate": X + 1}),
    (block_format, {"name": "AMXFP4", "block_size": None}),
    (golden.decode_elements, {"codes": A.codes}),
    (golden.encode_elements, {"values": X, "rounding": "nearest-away"}),
    (golden.decode_scales, {"codes": A.scales, "scale": E5M2}),
    (golden.encode_scales, {"values": np.abs(X), "scale": E5M2, "rounding": "nearest-away"}),
    (golden.default_accumulator_bits, {"activation": "AMXFP4", "weight": "AMXFP4"}),
    (golden.least_exponent, {"activation": "AMXFP4", "weight": "AMXFP4"}),
    (golden.schedule, {"last": [True], "latency": 2, "beats_per_block": 1} | RECORDS),
    (golden.quantizer_schedule, {"blocks": 2, "beats_per_block": 2, "drain": 2} | RECORDS),
    (
        golden.chain_schedule,
        {"last": [True], "beats_per_block": 1, "drain": 2, "latency": 2, "activations": (), "weights": (), "ready": ()},
    ),
    (Blocks, {"codes": A.codes, "scales": A.scales, "shape": A.shape, "fmt": A.fmt, "axis": 1, "tensor_scale": 1.0}),
    (Blocks.from_codes, {"codes": A.codes, "scales": A.scales, "fmt": A.fmt, "length": None, "tensor_scale": 1.0}),
    (Blocks.from_bytes, {"data": A.to_bytes(), "shape": A.shape, "fmt": A.fmt, "axis": 1, "tensor_scale": 1.0}),
    (A.dequantize, {"dtype": np.float32}),
    (BlockFormat, fields_of(block_format("AMXFP4"))),
    (ScaleFormat, fields_of(E5M2)),
]
