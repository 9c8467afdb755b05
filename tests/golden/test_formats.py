"""Every code of every format against ml_dtypes, which is written from the same OCP documents by others."""

import ml_dtypes
import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, BlockFormat, ScaleFormat, block_format
from amxfp4.golden.formats import (
    E4M3,
    E5M2,
    E8M0,
    ELEMENT_HALVES,
    ELEMENT_MAGNITUDES,
    ELEMENT_SHIFTS,
    ELEMENT_SIGNIFICANDS,
    SCALE_FORMATS,
)

ORACLES = {"E5M2": ml_dtypes.float8_e5m2, "E4M3": ml_dtypes.float8_e4m3fn, "E8M0": ml_dtypes.float8_e8m0fnu}


def test_element_magnitudes_are_those_of_ml_dtypes() -> None:
    oracle = np.arange(8, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float64)
    assert oracle.tolist() == list(ELEMENT_MAGNITUDES)


def test_element_magnitudes_are_significands_and_shifts() -> None:
    halves = [significand << shift for significand, shift in zip(ELEMENT_SIGNIFICANDS, ELEMENT_SHIFTS, strict=True)]
    assert halves == list(ELEMENT_HALVES) == [2 * magnitude for magnitude in ELEMENT_MAGNITUDES]


@pytest.mark.parametrize("scale", SCALE_FORMATS.values(), ids=lambda scale: scale.name)
def test_every_scale_code_is_that_of_ml_dtypes(scale: ScaleFormat) -> None:
    oracle = np.arange(1 << scale.bits, dtype=np.uint8).view(ORACLES[scale.name]).astype(np.float64)
    oracle[np.isinf(oracle)] = np.nan  # a scale's Inf means NaN
    np.testing.assert_array_equal(scale.values, oracle)


@pytest.mark.parametrize("scale", SCALE_FORMATS.values(), ids=lambda scale: scale.name)
def test_scale_attributes_agree_with_the_values(scale: ScaleFormat) -> None:
    finite = np.isfinite(scale.values)
    assert np.flatnonzero(~finite).tolist() == list(scale.nan_codes)
    assert np.flatnonzero(finite).max() == scale.max_code
    assert scale.nan_code in scale.nan_codes
    assert scale.max_value == np.nanmax(scale.values)
    assert (np.diff(scale.values[finite]) > 0).all()
    exact = scale.significands[finite] * 2.0 ** scale.exponents[finite]
    np.testing.assert_array_equal(exact, scale.values[finite])
    assert scale.significands.max() < 1 << scale.significand_bits
    np.testing.assert_array_equal(scale.values[finite] % 2.0**scale.least_exponent, 0)


def test_the_contract_s_numbers() -> None:
    assert (E5M2.bits, E5M2.nan_code, E5M2.max_value, E5M2.values[1]) == (7, 0x7F, 57344, 2.0**-16)
    assert (E4M3.bits, E4M3.nan_code, E4M3.max_value, E4M3.values[1]) == (7, 0x7F, 448, 2.0**-9)
    assert (E8M0.bits, E8M0.nan_code, E8M0.max_value, E8M0.values[0]) == (8, 0xFF, 2.0**127, 2.0**-127)
    assert (E5M2.nan_codes, E4M3.nan_codes, E8M0.nan_codes) == ((0x7C, 0x7D, 0x7E, 0x7F), (0x7F,), (0xFF,))


def test_tables_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        E5M2.values[0] = 1


def test_block_formats() -> None:
    assert block_format("AMXFP4") == block_format("AMXFP4-E5M2", block_size=32)
    assert block_format("AMXFP4").name == "AMXFP4-E5M2"
    assert {name: block_format(name).scales_per_block for name in BLOCK_FORMAT_NAMES} == {
        "MXFP4": 1,
        "MXFP4-E5M2": 1,
        "MXFP4-E4M3": 1,
        "AMXFP4-E5M2": 2,
        "AMXFP4-E4M3": 2,
        "AMXFP4-E8M0": 2,
    }
    assert block_format("MXFP4").bits_per_element == 4.25
    assert block_format("AMXFP4").bits_per_element == 4.5


def test_a_block_format_passes_through() -> None:
    fmt = block_format("AMXFP4", 64)
    assert block_format(fmt) == fmt
    assert block_format(fmt, 16).block_size == 16
    assert isinstance(fmt, BlockFormat)


@pytest.mark.parametrize("size", [0, 4, 7, 48, 256, -32, 32.0, True, "32"])
def test_bad_block_size(size: object) -> None:
    with pytest.raises(UsageError, match=r"block size .* one of 8, 16, 32, 64, 128"):
        block_format("MXFP4", size)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "mxfp4", "NVFP4", None, 3])
def test_bad_name(name: object) -> None:
    with pytest.raises(UsageError, match=r"unknown block format .* one of AMXFP4, MXFP4"):
        block_format(name)  # type: ignore[arg-type]
