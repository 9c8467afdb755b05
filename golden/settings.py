"""What a caller can set that would change results: NumPy's treatment of errors, and the processor's float mode."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from amxfp4.errors import UsageError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# Made of their bits: a processor that flushes subnormals would make zeros of them if they were computed. They are NumPy
# scalars, as an interpreter may compute with constants of Python's own once and for all.
_SUBNORMALS = np.array([1], np.uint32).view(np.float32)[0], np.array([1], np.uint64).view(np.float64)[0]
_ONES = np.float32(1), np.float64(1)

_BELOW_TIE, _ABOVE_TIE = np.float64(2.0**-54), np.float64(3 * 2.0**-54)
"""A quarter and three quarters of the step from 1 to the next float64. Added to 1, they are rounded down and up."""


def in_own_settings(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let `function` give the same results whatever the caller's settings are, or refuse to run.

    NumPy's treatment of errors is its own while `function` runs. The processor's mode is only looked at. Threads that
    BLAS began while a mode was set keep that mode, and no mode that is set here would reach them. So golden hands BLAS
    nothing that a mode could change: no subnormals, and no product or sum that is rounded.
    """

    @wraps(function)
    def running(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with np.errstate(all="ignore"):
            check_float_mode()
            return function(*args, **kwargs)

    return running


def check_float_mode() -> None:
    """Refuse a processor's mode, which each thread has for itself, in which float arithmetic is not IEEE 754's default.

    Raises:
        UsageError: subnormals are flushed to zero, or results are not rounded to the nearest.
    """
    single, double = _SUBNORMALS
    if single * _ONES[0] == 0 or double * _ONES[1] == 0:
        raise UsageError(
            "the processor takes subnormal floats for zero in this thread, which would change results; they must be "
            "kept: call torch.set_flush_denormal(False), or load no library that was built with -ffast-math"
        )
    one = _ONES[1]
    if one + _BELOW_TIE != one or one + _ABOVE_TIE == one:
        raise UsageError(
            "the processor does not round floats to the nearest in this thread, which would change results; it must: "
            "call fesetround(FE_TONEAREST)"
        )
