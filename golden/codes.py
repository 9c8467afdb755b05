"""Elements and scales on their own: code to value, and value to the nearest code."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import as_array, check_one_of
from amxfp4.golden.formats import ELEMENT_MAGNITUDES, ELEMENT_SIGN, ROUNDINGS, Rounding, ScaleFormat
from amxfp4.golden.settings import in_own_settings

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
    return np.asarray(ELEMENT_VALUES[codes])


@in_own_settings
def encode_elements(values: NDArray[np.floating[Any]], rounding: Rounding = "nearest-away") -> NDArray[np.uint8]:
    """Nearest E2M1 code of each value, of any shape, saturating at 6. What rounds to zero gets code 0.

    Args:
        values: floats.
        rounding: what ties do.

    Raises:
        UsageError: not floats of at most 64 bits, a NaN (E2M1 has none), or an unknown rounding.
    """
    exact = _float64("element", values)
    if np.isnan(exact).any():
        raise UsageError("an element is NaN; E2M1 has no NaN, which only a scale can carry")
    magnitude = _nearest(np.abs(exact), np.array(ELEMENT_MAGNITUDES), rounding)
    negative = (exact < 0) & (magnitude > 0)
    return np.asarray(magnitude | (negative * np.uint8(ELEMENT_SIGN)))


@in_own_settings
def decode_scales(codes: NDArray[np.uint8], scale: ScaleFormat) -> NDArray[np.float32]:
    """Values of scale codes, of any shape, NaN where a code means NaN. They are exact, as float32 has all of them.

    Raises:
        UsageError: not uint8, an E5M2 or E4M3 code with the reserved top bit set, or no `ScaleFormat`.
    """
    _check_scale_format(scale)
    check_scales(codes, scale)
    return np.asarray(scale.values.astype(np.float32)[codes])


@in_own_settings
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
        UsageError: not floats of at most 64 bits, a negative value, an unknown rounding, or no `ScaleFormat`.
    """
    _check_scale_format(scale)
    exact = _float64("scale", values)
    if (exact < 0).any():
        raise UsageError(f"a scale is {exact[exact < 0].min()}; scales are never negative")
    codes = _nearest(exact, scale.values[: scale.max_code + 1], rounding)
    return np.where(np.isfinite(exact), codes, np.uint8(scale.nan_code))


def check_codes(what: str, codes: NDArray[np.uint8], largest: int) -> None:
    """Refuse anything but a uint8 array, none of it masked, of codes up to `largest`."""
    if isinstance(codes, np.ma.MaskedArray):
        raise UsageError(f"{what} codes are a masked array; they are a plain one of uint8")
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
    check_one_of("rounding", rounding, ROUNDINGS)
    midpoints = (values[:-1] + values[1:]) / 2
    upper_codes = np.arange(1, len(values))
    tie_goes_up = (upper_codes % 2 == 0) | (rounding == "nearest-away")
    return midpoints, tie_goes_up


def _nearest(magnitudes: NDArray[np.float64], values: NDArray[np.float64], rounding: Rounding) -> NDArray[np.uint8]:
    midpoints, tie_goes_up = rounding_thresholds(values, rounding)
    least = np.where(tie_goes_up, midpoints, np.nextafter(midpoints, np.inf))
    return np.searchsorted(least, magnitudes, side="right").astype(np.uint8)


def _check_scale_format(scale: ScaleFormat) -> None:
    if not isinstance(scale, ScaleFormat):
        raise UsageError(f"scale is {shown(scale)}; a ScaleFormat is needed, as SCALE_FORMATS has them")


def _float64(what: str, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    array = as_array(f"{what} values", values)
    if array.dtype.kind != "f" and array.dtype.name != "bfloat16":
        raise UsageError(f"{what} values are {array.dtype}; they are floats")
    if not np.can_cast(array.dtype, np.float64):
        raise UsageError(f"{what} values are {array.dtype}, which float64 rounds; they are floats of at most 64 bits")
    return array.astype(np.float64)
