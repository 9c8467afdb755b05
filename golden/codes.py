"""Elements and scales on their own: code to value, and value to the nearest code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.golden.formats import ELEMENT_MAGNITUDES, ELEMENT_SIGN, ROUNDINGS, Rounding, ScaleFormat

ELEMENT_VALUES: NDArray[np.float32] = np.array(
    # -0 counts as 0, hence 0 rather than -0 for code 8.
    (*ELEMENT_MAGNITUDES, *(0.0 - magnitude for magnitude in ELEMENT_MAGNITUDES)),
    dtype=np.float32,
)
"""Value of each of the sixteen element codes, as float32."""
ELEMENT_VALUES.flags.writeable = False


def decode_elements(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values of E2M1 codes 0..15, of any shape. Code 8, negative zero, is 0.

    Raises:
        UsageError: not uint8, or a code above 15.
    """
    check_codes("element", codes, len(ELEMENT_VALUES) - 1)
    return ELEMENT_VALUES[codes]


@np.errstate(all="ignore")  # the same results whatever the caller's settings are
def encode_elements(values: NDArray[np.floating[Any]], rounding: Rounding = "nearest-away") -> NDArray[np.uint8]:
    """Nearest E2M1 code of each value, of any shape, saturating at 6. What rounds to zero gets code 0.

    Args:
        values: floats.
        rounding: what ties do.

    Raises:
        UsageError: not floats, a NaN (E2M1 has none), or an unknown rounding.
    """
    exact = _float64("element", values)
    if np.isnan(exact).any():
        raise UsageError("an element is NaN; E2M1 has no NaN, which only a scale can carry")
    magnitude = _nearest(np.abs(exact), np.array(ELEMENT_MAGNITUDES), rounding)
    negative = (exact < 0) & (magnitude > 0)
    return magnitude | (negative * np.uint8(ELEMENT_SIGN))


@np.errstate(all="ignore")  # the same results whatever the caller's settings are
def decode_scales(codes: NDArray[np.uint8], scale: ScaleFormat) -> NDArray[np.float32]:
    """Values of scale codes, of any shape, NaN where a code means NaN. They are exact, as float32 has all of them.

    Raises:
        UsageError: not uint8, or an E5M2 or E4M3 code with the reserved top bit set.
    """
    check_scales(codes, scale)
    return scale.values.astype(np.float32)[codes]


@np.errstate(all="ignore")  # the same results whatever the caller's settings are
def encode_scales(
    values: NDArray[np.floating[Any]], scale: ScaleFormat, rounding: Rounding = "nearest-away"
) -> NDArray[np.uint8]:
    """Nearest code of each value, of any shape, saturating at the largest finite one. NaN and infinity get `nan_code`.

    This rounds a scale as a number. `quantize` chooses an E8M0 scale by another rule, from a block's magnitude.

    Args:
        values: floats that are not negative.
        scale: the scale format.
        rounding: what ties do.

    Raises:
        UsageError: not floats, a negative value, or an unknown rounding.
    """
    exact = _float64("scale", values)
    if (exact < 0).any():
        raise UsageError(f"a scale is {exact.min()}; scales are never negative")
    codes = _nearest(exact, scale.values[: scale.max_code + 1], rounding)
    codes[~np.isfinite(exact)] = scale.nan_code
    return codes


def check_codes(what: str, codes: NDArray[np.uint8], largest: int) -> None:
    """Refuse anything but a uint8 array of codes up to `largest`."""
    if not isinstance(codes, np.ndarray) or codes.dtype != np.uint8:
        kind = codes.dtype if isinstance(codes, np.ndarray) else type(codes).__name__
        raise UsageError(f"{what} codes are {kind}; they are a NumPy array of uint8")
    if codes.size and codes.max() > largest:
        raise UsageError(f"{what} code 0x{codes.max():02X} is out of range; codes are 0x00 to 0x{largest:02X}")


def check_scales(codes: NDArray[np.uint8], scale: ScaleFormat) -> None:
    """Refuse scale codes that are not uint8, or that have a reserved bit set."""
    if scale.has_reserved_bit and isinstance(codes, np.ndarray) and codes.dtype == np.uint8:
        reserved = codes >> scale.bits
        if reserved.any():
            code = codes[reserved != 0].flat[0]
            raise UsageError(f"{scale.name} scale code 0x{code:02X} has its top bit set; that bit is reserved and zero")
    check_codes(f"{scale.name} scale", codes, (1 << scale.bits) - 1)


def rounding_thresholds(
    values: NDArray[np.float64], rounding: Rounding
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Where rounding to ascending `values`, those of codes 0, 1, ..., steps up to the next code.

    Returns:
        The midpoints, of which entry c - 1 lies between codes c - 1 and c; and for each, whether an input equal to the
        midpoint takes code c.

    Raises:
        UsageError: an unknown rounding.
    """
    if rounding not in ROUNDINGS:
        raise UsageError(f"unknown rounding {rounding!r}; it is one of {', '.join(ROUNDINGS)}")
    midpoints = (values[:-1] + values[1:]) / 2
    upper_codes = np.arange(1, len(values))
    tie_goes_up = (upper_codes % 2 == 0) | (rounding == "nearest-away")
    return midpoints, tie_goes_up


def _nearest(magnitudes: NDArray[np.float64], values: NDArray[np.float64], rounding: Rounding) -> NDArray[np.uint8]:
    midpoints, tie_goes_up = rounding_thresholds(values, rounding)
    least = np.where(tie_goes_up, midpoints, np.nextafter(midpoints, np.inf))
    return np.searchsorted(least, magnitudes, side="right").astype(np.uint8)


def _float64(what: str, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise UsageError(f"{what} values are {array.dtype}; they are floats")
    return array.astype(np.float64)
