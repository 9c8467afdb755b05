"""What a caller gives, checked before it is used: arrays, numbers, and names out of a few."""

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amxfp4.errors import UsageError, shown


def as_array(name: str, value: ArrayLike) -> NDArray[Any]:
    """`value`, called `name`, as an array of NumPy's own type, which may share memory with it.

    Raises:
        UsageError: NumPy makes no array of it, or it is a masked array, whose masked values no result could show.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise UsageError(f"{name} is a masked array; a plain one is needed, as its method filled gives")
    try:
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception:  # whatever a list of lists, or another library's tensor, has against it
        kind = type(value).__name__
        raise UsageError(f"{name} is of type {kind}, of which NumPy makes no array; an array is needed") from None


def as_float64(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """`value` as a new array of float64.

    Raises:
        UsageError: it is no array, or its numbers may not all be float64s, such as complex and wider ones.
    """
    array = as_array(name, value)
    if not np.can_cast(array.dtype, np.float64) and array.dtype.kind not in "iu":
        raise UsageError(f"{name} is of {array.dtype}; real numbers of float64 or a narrower type are needed")
    return array.astype(np.float64)


def is_integer(value: object) -> bool:
    """Whether `value` is an integer of Python's or NumPy's own. A bool is none, nor is a float such as 2.0."""
    # NumPy counts its durations among its integers.
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def is_number(value: object) -> bool:
    """Whether `value` is an integer, as `is_integer` has it, or a float of Python's or NumPy's own."""
    return is_integer(value) or isinstance(value, float | np.floating)


def integer_from(least: int, most: int, name: str, value: SupportsIndex) -> int:
    """`value`, called `name`, as Python's integer. Anything but an integer from `least` to `most` is refused."""
    if not is_integer(value) or not least <= int(value) <= most:
        raise UsageError(
            f"{name} {shown(value)} is not allowed; it is at least {least} and at most {most}, and an integer"
        )
    return int(value)


def check_positive(**values: float) -> None:
    """Refuse numbers, given by name, that are not finite and above zero."""
    for name, value in values.items():
        if not is_number(value) or not 0 < value < float("inf"):
            raise UsageError(f"{name} is {shown(value)}; a finite number above 0 is needed")


def check_type(kind: type, **values: object) -> None:
    """Refuse values, given by name, that are of another type than `kind`."""
    for name, value in values.items():
        if not isinstance(value, kind):
            raise UsageError(f"{name} is {shown(value)}; a value of type {kind.__name__} is needed")


def check_one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse anything but one of the strings that are `allowed`; `what` says what it would be."""
    if not isinstance(value, str) or value not in allowed:
        raise UsageError(f"unknown {what} {shown(value)}; it is one of {', '.join(allowed)}")
