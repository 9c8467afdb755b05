"""The published AMXFP4 code's arithmetic for two E5M2 scales, NaN included, to set beside ours.

The published code divides by the scale in float32, where ours compares. If a side's scale rounds to zero, x / 0 is
infinite or NaN, and 0 times that is NaN. Only a side without elements is safe: its scale is taken as 1 before rounding.
An element that is zero counts as negative.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import Rounding
from amxfp4.golden.settings import in_own_settings

Array = NDArray[np.float32]


class _Float(NamedTuple):
    mantissa_bits: int
    least_exponent: int
    maximum: float


_SCALE = _Float(2, -14, 57344.0)  # E5M2
_ELEMENT = _Float(1, 0, 6.0)  # E2M1


@in_own_settings
def reference_values(blocks: Array, rounding: Rounding) -> Array:
    """The published code's values, NaNs included, for whole blocks (n, block size) of finite float32."""
    positive = blocks.max(axis=1, keepdims=True) / np.float32(6)
    negative = np.abs(blocks.min(axis=1, keepdims=True)) / np.float32(6)
    positive, negative = (np.where(side == 0, np.float32(1), side) for side in (positive, negative))
    scale = _round(np.where(blocks > 0, positive, negative), rounding, _SCALE)
    return _round(blocks / scale, rounding, _ELEMENT) * scale


def _round(x: Array, rounding: Rounding, to: _Float) -> Array:
    """Rounds to a small float format. Large values saturate; infinity stays."""
    _, above = np.frexp(x)
    exponent = np.maximum(above - 1, to.least_exponent) - to.mantissa_bits
    units = np.ldexp(x, -exponent)
    whole = np.rint(units) if rounding == "nearest-even" else np.copysign(np.floor(np.abs(units) + 0.5), units)
    rounded: NDArray[Any] = np.clip(np.ldexp(whole, exponent), -to.maximum, to.maximum)
    return np.where(np.isinf(x), x, rounded).astype(np.float32)
