"""Floats to blocks, without calibration and without division."""

from math import prod
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.arguments import as_array, check_one_of
from amxfp4.golden.blocks import Blocks, check_axis
from amxfp4.golden.cast import DirectCaster
from amxfp4.golden.formats import BlockFormat, Rounding, block_format
from amxfp4.golden.least_error import LeastErrorCaster
from amxfp4.golden.scale_rules import ScaleRule, resolve_rule
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import TensorScaleRule, check_dtype, check_tensor_scale, divided, tensor_scale_of

Encode = Literal["direct", "least-error"]
"""How scales are chosen: `direct` from a block's largest magnitudes, as units do; `least-error` offline, by error."""

ENCODES: tuple[Encode, ...] = get_args(Encode)

_CHUNK_ELEMENTS = 1 << 16
"""Elements quantised at a time: few enough for their temporaries to stay in a core's cache."""


@in_own_settings
def quantize(
    x: NDArray[Any],
    fmt: BlockFormat | str,
    *,
    axis: int = -1,
    block_size: int | None = None,
    rounding: Rounding | None = None,
    rule: ScaleRule | None = None,
    encode: Encode = "direct",
    tensor_scale: float | TensorScaleRule | None = None,
) -> Blocks:
    """Cast `x` to blocks along `axis`. A ragged last block is padded with zeros.

    The direct cast takes scales from the largest magnitude m of a block or, where the format is asymmetric, of each
    sign in the block:

    - An FP8 scale is m / 6, rounded to the nearest code and saturating.
    - By the rule "four-over-six" it is that or m / 4, by the smaller squared error (`golden/four_over_six.py`).
    - An E8M0 scale is 2^(floor(log2 m) - 2), or by another rule (`golden/scale_rules.py`).
    - AMXFP4-X2 takes its scale from the larger side. A side whose own maximum is at most `HALVING_LIMIT` times half
      that scale is halved, and so is a side without elements; but never both sides, and never under scale 0.
    - AMXFP4-Z8 and AMXFP4-Z take a scale with which the larger side's largest element becomes the special value, 8 or
      12, unless that cuts off the other side (rules A and B in `golden/cast.py`).
    - An element is |x| / scale, rounded to the nearest magnitude and saturating at 6.
    - A block with a NaN or an infinity gets NaN scales and zero codes.

    All of it is decided by comparing with exact products, never by a quotient. With a tensor's scale, x is first
    divided by that, as `tensor_scale.divided` has it.

    With `encode="least-error"` the direct cast's scales and their neighbours are tried, and those with the least
    squared error are taken (`golden/least_error.py`). That takes several times as long.

    Args:
        x: float32, float16 or bfloat16, with at least one axis. Widening to float32 rounds nothing.
        fmt: a block format or its name, in upper or lower case, as in "AMXFP4-Z8" or "AMXFP4-Z8/16".
        axis: the reduction axis, along which the blocks lie.
        block_size: elements per block. None takes the format's own block size: 16 for NVFP4, 32 for the others.
        rounding: what ties do, for FP8 scales and for elements: "nearest-away" or "nearest-even". E8M0 scales have no
            ties. None takes "nearest-even" for NVFP4 and "nearest-away" for the others.
        rule: how a scale follows from a block's maximum. E8M0 scales: "floor" (the default), "even" or "ceil"; FP8
            scales: "nearest" (the default) or, in formats without special values, "four-over-six".
        encode: "direct" or "least-error".
        tensor_scale: a float32, or how it follows from `x`: "max" or "power-of-two" (`tensor_scale.tensor_scale_of`).
            None takes "max" for NVFP4 and 1 for the others.

    Raises:
        UsageError: another dtype, a masked array, a scalar, an axis out of range, or an unknown format, block size,
            rounding, rule, encoding or tensor scale.
    """
    fmt = block_format(fmt, block_size)
    caster = _caster(fmt, fmt.ties if rounding is None else rounding, resolve_rule(rule, fmt), encode)
    x = as_array("x", x)
    check_dtype(x)
    axis = check_axis(axis, x.shape)
    factor = _tensor_scale(tensor_scale, x, fmt)
    moved = np.moveaxis(x, axis, -1)
    leading, length = moved.shape[:-1], moved.shape[-1]
    blocks = -(-length // fmt.block_size)
    if padding := blocks * fmt.block_size - length:
        moved = np.pad(moved, [(0, 0)] * len(leading) + [(0, padding)])
    flat = moved.reshape(prod(leading) * blocks, fmt.block_size)
    codes = np.empty(flat.shape, np.uint8)
    scales = np.empty((len(flat), fmt.scale_fields), np.uint8)
    rows = _CHUNK_ELEMENTS // fmt.block_size
    for start in range(0, len(flat), rows):
        part = slice(start, start + rows)
        caster.cast(divided(flat[part].astype(np.float32, copy=False), factor), codes[part], scales[part])
    return Blocks(
        codes.reshape(*leading, blocks * fmt.block_size),
        scales.reshape(*leading, blocks, fmt.scale_fields),
        x.shape,
        fmt,
        axis,
        factor,
    )


def _tensor_scale(asked: float | TensorScaleRule | None, x: NDArray[Any], fmt: BlockFormat) -> float:
    if asked is None:
        asked = "max" if fmt.tensor_scaled else 1.0
    return tensor_scale_of(x, fmt, asked) if isinstance(asked, str) else check_tensor_scale(asked)


def _caster(fmt: BlockFormat, rounding: Rounding, rule: ScaleRule, encode: Encode) -> DirectCaster | LeastErrorCaster:
    direct = DirectCaster(fmt, rounding, rule)
    check_one_of("encoding", encode, ENCODES)
    return direct if encode == "direct" else LeastErrorCaster(direct)
