"""Rounding to element and scale codes against ml_dtypes and against distances in exact fractions."""

from bisect import bisect_left
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import (
    ELEMENT_VALUES,
    ROUNDINGS,
    SCALE_FORMATS,
    Rounding,
    ScaleFormat,
    decode_elements,
    decode_scales,
    encode_elements,
    encode_scales,
)
from amxfp4.golden.formats import E4M3, E5M2, E8M0, ELEMENT_MAGNITUDES

SCALES = pytest.mark.parametrize("scale", SCALE_FORMATS.values(), ids=lambda scale: scale.name)
EACH_ROUNDING = pytest.mark.parametrize("rounding", ROUNDINGS)


def nearest_code(value: Fraction, values: list[Fraction], rounding: Rounding) -> int:
    """The contract, directly: least distance; a tie to the larger, or to the even code."""
    above = bisect_left(values, value)
    codes = range(max(above - 1, 0), min(above + 2, len(values)))
    distances = {code: abs(value - values[code]) for code in codes}
    tied = [code for code in codes if distances[code] == min(distances.values())]
    return max(tied) if rounding == "nearest-away" else min(tied, key=lambda code: code % 2)


def neighbourhood(values: np.ndarray) -> np.ndarray:
    """Values, midpoints, and their closest float64 neighbours on both sides."""
    points = np.concatenate([values, (values[1:] + values[:-1]) / 2, [values[-1] * 2]])
    return np.concatenate([points, np.nextafter(points, np.inf), np.abs(np.nextafter(points, -np.inf))])


@EACH_ROUNDING
def test_elements_round_to_nearest(rounding: Rounding) -> None:
    points = neighbourhood(np.array(ELEMENT_MAGNITUDES))
    values = [Fraction(magnitude) for magnitude in ELEMENT_MAGNITUDES]
    expected = np.array([nearest_code(Fraction(point), values, rounding) for point in points])
    np.testing.assert_array_equal(encode_elements(points, rounding), expected)
    np.testing.assert_array_equal(encode_elements(-points, rounding), expected + 8 * (expected > 0))


@SCALES
@EACH_ROUNDING
def test_scales_round_to_nearest(scale: ScaleFormat, rounding: Rounding) -> None:
    finite = scale.values[: scale.max_code + 1]
    points = neighbourhood(finite)
    values = [Fraction(value) for value in finite]
    expected = [nearest_code(Fraction(point), values, rounding) for point in points]
    np.testing.assert_array_equal(encode_scales(points, scale, rounding), expected)


def test_nearest_even_is_that_of_ml_dtypes() -> None:
    x = np.linspace(-7, 7, 100_001, dtype=np.float32)
    oracle = x.astype(ml_dtypes.float4_e2m1fn).astype(np.float32)
    np.testing.assert_array_equal(decode_elements(encode_elements(x, "nearest-even")), oracle)
    x = np.geomspace(2.0**-20, 448, 100_001).astype(np.float32)
    for scale, dtype in (E5M2, ml_dtypes.float8_e5m2), (E4M3, ml_dtypes.float8_e4m3fn):
        oracle = x.astype(dtype).view(np.uint8)
        np.testing.assert_array_equal(encode_scales(x, scale, "nearest-even"), oracle)


@SCALES
def test_scales_decode_and_encode_to_themselves(scale: ScaleFormat) -> None:
    codes = np.arange(scale.max_code + 1, dtype=np.uint8)
    np.testing.assert_array_equal(encode_scales(decode_scales(codes, scale), scale), codes)


@SCALES
def test_non_finite_scales_become_nan(scale: ScaleFormat) -> None:
    np.testing.assert_array_equal(encode_scales(np.array([np.nan, np.inf]), scale), scale.nan_code)
    assert np.isnan(decode_scales(np.array(scale.nan_codes, np.uint8), scale)).all()


def test_elements_decode_and_encode_to_themselves() -> None:
    codes = np.arange(16, dtype=np.uint8)
    again = encode_elements(decode_elements(codes))
    np.testing.assert_array_equal(again, np.where(codes == 8, 0, codes))
    assert not np.signbit(ELEMENT_VALUES[8])


def test_bad_input() -> None:
    with pytest.raises(UsageError, match="element code 0x10 is out of range"):
        decode_elements(np.array([16], np.uint8))
    with pytest.raises(UsageError, match="element codes are int64; they are a NumPy array of uint8"):
        decode_elements(np.array([1]))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="element codes are list"):
        decode_elements([1])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="E5M2 scale code 0x81 has its top bit set; that bit is reserved"):
        decode_scales(np.array([0x81], np.uint8), E5M2)
    with pytest.raises(UsageError, match="E8M0 scale codes are uint16"):
        decode_scales(np.array([1], np.uint16), E8M0)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="E2M1 has no NaN"):
        encode_elements(np.array([np.nan]))
    with pytest.raises(UsageError, match=r"a scale is -1\.0; scales are never negative"):
        encode_scales(np.array([-1.0]), E4M3)
    with pytest.raises(UsageError, match="scale values are int64; they are floats"):
        encode_scales(np.array([1]), E4M3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown rounding 'up'; it is one of nearest-away, nearest-even"):
        encode_elements(np.array([1.0]), "up")  # type: ignore[arg-type]
