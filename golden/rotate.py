"""A Hadamard rotation along the reduction axis, for studies: what other 4-bit methods do before they quantise."""

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import as_array, is_integer
from amxfp4.golden.blocks import check_axis
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import check_dtype

_ROOT_OF_HALF = np.float32(sqrt(0.5))


@in_own_settings
def rotated(x: NDArray[Any], size: int, *, axis: int = -1) -> NDArray[np.float32]:
    """`x` with every `size` elements along `axis` multiplied by the Hadamard matrix of that size over its square root.

    The matrix is Sylvester's, with rows in its natural order: H(1) = [1] and H(2n) = [[H(n), H(n)], [H(n), -H(n)]].
    It is its own inverse after the division by the root. Rotate both operands of a product alike, and the product is
    what it was, but for rounding.

    The result is the same on every machine, as it is computed in one way, each step in float32 and rounded to nearest,
    ties to even. For the strides 1, 2, 4, ..., size / 2 in turn, the elements i and i + stride of every pair become
    their sum and their difference. Then each is multiplied by float32(1 / sqrt(size)), which is a power of two for the
    sizes 4, 16, 64, .... Sums beyond float32's range are infinite, and infinities meet as NaN.

    `quantize` takes the result like any other tensor, and `Blocks` does not remember that its values are rotated ones.

    Args:
        x: float32, float16 or bfloat16, with at least one axis.
        size: a power of two from 2 on that divides the length of the axis.
        axis: the reduction axis.

    Returns:
        A new array of `x`'s shape.

    Raises:
        UsageError: another dtype, a scalar, an axis out of range, or a size that does not fit.
    """
    x = as_array("x", x)
    check_dtype(x)
    axis = check_axis(axis, x.shape)
    size = _check_size(size, x.shape[axis])
    turned = np.moveaxis(x, axis, -1)
    shape = turned.shape
    values = np.array(turned, np.float32, order="C").reshape(-1, size)
    stride = 1
    while stride < size:
        pairs = values.reshape(len(values), size // (2 * stride), 2, stride)
        difference = pairs[:, :, 0] - pairs[:, :, 1]
        pairs[:, :, 0] += pairs[:, :, 1]
        pairs[:, :, 1] = difference
        stride *= 2
    values *= _factor(size)
    return np.moveaxis(values.reshape(shape), -1, axis)


def largest_rotation(length: int) -> int:
    """The largest power of two that divides `length`, which is above 0."""
    return length & -length


def _factor(size: int) -> np.float32:
    """float32(1 / sqrt(size))."""
    exponent = size.bit_length() - 1
    return np.ldexp(_ROOT_OF_HALF if exponent % 2 else np.float32(1), -(exponent // 2))


def _check_size(size: int, length: int) -> int:
    if is_integer(size) and size >= 2 and not size & (size - 1) and not length % size:
        return int(size)
    if not length:
        allowed = "2 or more"
    else:
        largest = largest_rotation(length)
        if largest < 2:
            raise UsageError(f"length {length} cannot be rotated, as it is odd; a rotation takes an even length")
        allowed = f"2 to {largest}"
    raise UsageError(f"rotation size {shown(size)} does not fit length {length}; it is a power of two from {allowed}")
