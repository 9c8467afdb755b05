"""Rotation of operands of any length: by the largest Hadamard matrix that fits."""

from typing import Any

from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden import rotated
from amxfp4.golden.arguments import is_integer
from amxfp4.golden.rotate import largest_rotation

MOST = 1 << 16
"""The largest size of a rotation. No row of a model is longer, so that this is as large as the row allows."""


def check_rotation(size: int) -> None:
    """Refuse what is no size of a rotation."""
    if not is_integer(size) or not 2 <= size <= MOST or size & (size - 1):
        raise UsageError(f"rotation {shown(size)} is not allowed; it is a power of two from 2 to {MOST}")


def rotated_as_far(x: NDArray[Any], most: int | None) -> NDArray[Any]:
    """`x` rotated along its last axis by the largest size that is at most `most` and divides the length.

    A row of odd length stays as it is, and so does everything where `most` is None. Operands of equal lengths are
    rotated alike.
    """
    if most is None:
        return x
    size = min(most, largest_rotation(x.shape[-1]))
    return rotated(x, size) if size > 1 else x
