"""INT4, rounded to nearest, with and without a Hadamard rotation: what block formats of FP4 are an alternative to.

It is a baseline of the study, and neither golden nor hardware has it. An element is an integer from -7 to 7 times a
scale, which is the largest magnitude over 7. The scale is a float32 per row (per token of activations, per output
channel of weights) or a float16 per group of elements. Values are float32, and so are products, by NumPy.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.lopsided import to_blocks
from amxfp4.accuracy.rotation import MOST, rotated_as_far

Array = NDArray[np.float32]

LARGEST = 7
"""The largest integer. -8 is not used, so that both signs have the same range."""

_SCALE_BITS = 16
_ELEMENT_BITS = 4


@dataclass(frozen=True)
class Int4:
    """INT4 for both operands. It stands where a `Case` does, with arrays of values instead of `Blocks`.

    Attributes:
        group: how many elements of a row share a scale, or None where all do.
        rotation: as in `Case`.
    """

    group: int | None = None
    rotation: int | None = None

    @property
    def label(self) -> str:
        """What differs between ways of INT4."""
        sharing = f"INT4 in groups of {self.group}" if self.group else "INT4 per token and channel"
        return f"{sharing}, rotated" if self.rotation else sharing

    def turned(self, x: Array) -> Array:
        """The tensor that is quantised in place of `x`: itself, or rotated."""
        return rotated_as_far(x, self.rotation)

    def quantize_activation(self, x: Array) -> Array:
        """The values of the left operand."""
        return int4_values(self.turned(x), self.group)

    def quantize_weight(self, x: Array) -> Array:
        """The values of the right operand."""
        return int4_values(self.turned(x), self.group)

    def multiply(self, activation: Array, weight: Array) -> Array:
        """The product (M, N) of `activation` (M, K) and the transpose of `weight` (N, K)."""
        return activation @ weight.T

    def to_dict(self) -> dict[str, Any]:
        """For JSON, as `Case.to_dict`. Scales per row are not counted among the bits of an element."""
        bits = _ELEMENT_BITS + (_SCALE_BITS / self.group if self.group else 0)
        return {"label": self.label, **asdict(self), "activation_bits": bits, "weight_bits": bits}


BASELINES = (Int4(), Int4(rotation=MOST), Int4(32), Int4(32, rotation=MOST))
"""A scale per row, and one per group of 32; each without a rotation, and rotated as far as rows allow."""


def int4_values(x: Array, group: int | None) -> Array:
    """The values of `x` in INT4, of its own shape. Rows lie along the last axis; a ragged last group is allowed."""
    length = x.shape[-1]
    groups = to_blocks(x, group or length)
    scale = np.abs(groups).max(axis=1, keepdims=True) / np.float32(LARGEST)
    if group:
        scale = scale.astype(np.float16).astype(np.float32)
    integers = np.clip(np.rint(groups / np.where(scale == 0, np.float32(1), scale)), -LARGEST, LARGEST)
    return (integers * scale).reshape(*x.shape[:-1], -1)[..., :length]
