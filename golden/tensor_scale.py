"""A scale for a whole tensor, which brings its blocks' scales into the range of a format.

The tensor's values are its blocks' values times the tensor's scale. NVFP4 has a float32 one, which maps the tensor's
largest magnitude to the largest value of its blocks. A power of two does the same without rounding.
"""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import as_array, is_number
from amxfp4.golden.formats import ELEMENT_MAX, BlockFormat, block_format
from amxfp4.golden.settings import in_own_settings

TensorScaleRule = Literal["max", "power-of-two"]
"""How a tensor's scale is taken from the tensor, see `tensor_scale_of`."""

TENSOR_SCALE_RULES: tuple[TensorScaleRule, ...] = get_args(TensorScaleRule)

INPUT_DTYPES = ("float32", "float16", "bfloat16")
"""What `quantize` takes: each of them is a float32 without rounding."""

_SMALLEST = float(np.finfo(np.float32).smallest_normal)
_LARGEST = 1 / _SMALLEST
_FLOAT32_MAX = np.finfo(np.float32).max


def check_tensor_scale(value: Any) -> float:
    """`value` as a float. Anything is refused but a normal float32 whose reciprocal is one too.

    Raises:
        UsageError: another type, or a number that is not a float32 from 2^-126 to 2^126.
    """
    # The range is looked at first, as Python's integers may be too large to be floats.
    if not is_number(value) or not _SMALLEST <= value <= _LARGEST or float(np.float32(value)) != value:
        raise UsageError(f"tensor scale {shown(value)} is not allowed; it is a float32 from 2^-126 to 2^126")
    return float(value)


def peak(fmt: BlockFormat) -> float:
    """The largest value of a block's largest element under rule A: NVFP4 448 x 6, AMXFP4-Z8 and AMXFP4-Z 448 x 8."""
    return fmt.scale.max_value * (fmt.specials[0] if fmt.specials else ELEMENT_MAX)


@in_own_settings
def tensor_scale_of(x: NDArray[Any], fmt: BlockFormat | str, rule: TensorScaleRule = "max") -> float:
    """The tensor's scale that `quantize` takes from a tensor. Values that are not finite do not count.

    | rule | scale |
    |---|---|
    | "max" | float32(m / `peak`), ties to even, where m is the tensor's largest magnitude |
    | "power-of-two" | the least power of two that is not below m / `peak` |

    The scale is at least 2^-126, and 1 where m is 0 or below float32's normal range.

    Args:
        x: float32, float16 or bfloat16, of any shape.
        fmt: the block format or its name. Its scales have a mantissa, as powers of two need no help with their range.
        rule: "max" or "power-of-two".

    Raises:
        UsageError: another dtype, an unknown rule or format, or a format with E8M0 scales.
    """
    fmt, x = block_format(fmt), as_array("x", x)
    check_dtype(x)
    if not isinstance(rule, str) or rule not in TENSOR_SCALE_RULES:
        raise UsageError(
            f"unknown tensor scale {shown(rule)}; it is a number or one of {', '.join(TENSOR_SCALE_RULES)}"
        )
    if not fmt.scale.is_fp8:
        raise UsageError(f"{fmt.name} has E8M0 scales, which reach every float32; a tensor scale is for FP8 scales")
    magnitudes = np.abs(x.astype(np.float32, copy=False))
    largest = float(magnitudes.max(initial=0, where=np.isfinite(magnitudes)))
    if largest < _SMALLEST:
        return 1.0
    if rule == "power-of-two":
        significand, exponent = np.frexp(largest / peak(fmt))
        return max(float(np.ldexp(1.0, exponent - (significand == 0.5))), _SMALLEST)
    return max(float(np.float32(largest) / np.float32(peak(fmt))), _SMALLEST)


def divided(x: NDArray[np.float32], tensor_scale: float) -> NDArray[np.float32]:
    """`x` over the tensor's scale, as a multiplier at the entrance of a quantiser computes it.

    This is float32(x times float32(1 / tensor_scale)), both rounded to nearest, ties to even, with these limits:
    magnitudes below 2^-126, of `x` and of the product, count as 0, and finite products saturate at float32's largest
    value. A scale of 1 changes nothing at all.
    """
    if tensor_scale == 1:
        return x
    reciprocal = np.float32(1) / np.float32(tensor_scale)
    y = np.where(np.abs(x) < _SMALLEST, np.float32(0), x) * reciprocal
    y = np.where(np.abs(y) < _SMALLEST, np.float32(0), y)
    return np.where(np.isfinite(x), np.clip(y, -_FLOAT32_MAX, _FLOAT32_MAX), x)


def multiplied(result: NDArray[np.float32], a_scale: float, w_scale: float) -> NDArray[np.float32]:
    """A dot product's result times both operands' tensor scales: float32(result times float32(a_scale * w_scale)).

    A product beyond float32's range is infinity, and below it rounds as float32 does. A result of zero stays as it is,
    even where the scales' product is infinity, and so does one of infinity where that product is zero. Scales of 1
    change nothing.
    """
    if a_scale == w_scale == 1:
        return result
    return np.where((result == 0) | np.isinf(result), result, result * (np.float32(a_scale) * np.float32(w_scale)))


def check_dtype(x: NDArray[Any]) -> None:
    if x.dtype == np.float64:
        raise UsageError(
            "cannot quantize float64: going through float32 would round twice, which is a choice to be made "
            f"knowingly; convert it to one of {', '.join(INPUT_DTYPES)} first"
        )
    if x.dtype.name not in INPUT_DTYPES:
        raise UsageError(f"cannot quantize {x.dtype}; the input is one of {', '.join(INPUT_DTYPES)}")
