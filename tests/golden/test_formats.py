"""Every code of every format against ml_dtypes, which is written from the same OCP documents by others."""

from fractions import Fraction

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
    UE5M3,
)

ORACLES = {"E5M2": ml_dtypes.float8_e5m2, "E4M3": ml_dtypes.float8_e4m3fn, "E8M0": ml_dtypes.float8_e8m0fnu}


def test_element_magnitudes_are_those_of_ml_dtypes() -> None:
    oracle = np.arange(8, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float64)
    assert oracle.tolist() == list(ELEMENT_MAGNITUDES)


def test_element_magnitudes_are_significands_and_shifts() -> None:
    halves = [significand << shift for significand, shift in zip(ELEMENT_SIGNIFICANDS, ELEMENT_SHIFTS, strict=True)]
    assert halves == list(ELEMENT_HALVES) == [2 * magnitude for magnitude in ELEMENT_MAGNITUDES]


@pytest.mark.parametrize("scale", [SCALE_FORMATS[name] for name in ORACLES], ids=lambda scale: scale.name)
def test_every_scale_code_is_that_of_ml_dtypes(scale: ScaleFormat) -> None:
    oracle = np.arange(1 << scale.bits, dtype=np.uint8).view(ORACLES[scale.name]).astype(np.float64)
    oracle[np.isinf(oracle)] = np.nan  # a scale's Inf means NaN
    np.testing.assert_array_equal(scale.values, oracle)


def test_every_ue5m3_code() -> None:
    """ml_dtypes lacks it: from the definition, and E4M3's values 2^-8 times over wherever E4M3 has them."""
    for code in range(255):
        field, mantissa = divmod(code, 8)
        value = Fraction(mantissa, 8) * Fraction(2) ** -14
        if field:
            value = (1 + Fraction(mantissa, 8)) * Fraction(2) ** (field - 15)
        assert Fraction(float(UE5M3.values[code])) == value
    assert np.isnan(UE5M3.values[255])
    np.testing.assert_array_equal(UE5M3.values[:127], E4M3.values[:127] * 2.0**-8)


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
    assert (UE5M3.bits, UE5M3.nan_code, UE5M3.max_value, UE5M3.values[1]) == (8, 0xFF, 114688, 2.0**-17)
    assert (E8M0.bits, E8M0.nan_code, E8M0.max_value, E8M0.values[0]) == (8, 0xFF, 2.0**127, 2.0**-127)
    assert (E5M2.nan_codes, E4M3.nan_codes) == ((0x7C, 0x7D, 0x7E, 0x7F), (0x7F,))
    assert (UE5M3.nan_codes, E8M0.nan_codes) == ((0xFF,), (0xFF,))
    assert [scale.name for scale in SCALE_FORMATS.values() if scale.is_fp8] == ["E5M2", "E4M3", "UE5M3"]
    assert [scale.name for scale in SCALE_FORMATS.values() if scale.nan_is_top_exponent] == ["E5M2"]
    assert [scale.name for scale in SCALE_FORMATS.values() if scale.has_reserved_bit] == ["E5M2", "E4M3"]


def test_tables_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        E5M2.values[0] = 1


def test_block_formats() -> None:
    assert block_format("AMXFP4") == block_format("AMXFP4-E5M2", block_size=32)
    assert block_format("AMXFP4").name == "AMXFP4-E5M2"
    formats = [block_format(name) for name in BLOCK_FORMAT_NAMES]
    facts = {fmt.name: (fmt.scales_per_block, fmt.scale_fields, fmt.two_sided, fmt.bits_per_element) for fmt in formats}
    assert facts == {
        "MXFP4": (1, 1, False, 4.25),
        "MXFP4-E5M2": (1, 1, False, 4.25),
        "MXFP4-E4M3": (1, 1, False, 4.25),
        "MXFP4-UE5M3": (1, 1, False, 4.25),
        "AMXFP4-E5M2": (2, 2, True, 4.5),
        "AMXFP4-E4M3": (2, 2, True, 4.5),
        "AMXFP4-E8M0": (2, 2, True, 4.5),
        "AMXFP4-X2": (1, 2, True, 4.3125),
        "AMXFP4-Z8": (1, 2, True, 4.25),
        "AMXFP4-Z": (1, 2, True, 4.28125),
        "NVFP4": (1, 1, False, 4.5),
    }
    asymmetry = {fmt.name: (fmt.asymmetry_bits, fmt.asymmetry_bits_in_scale) for fmt in formats if fmt.asymmetry_bits}
    assert asymmetry == {"AMXFP4-X2": (2, 0), "AMXFP4-Z8": (1, 1), "AMXFP4-Z": (2, 1)}
    assert [(fmt.name, fmt.ties) for fmt in formats if fmt.tensor_scaled] == [("NVFP4", "nearest-even")]
    assert {fmt.ties for fmt in formats if not fmt.tensor_scaled} == {"nearest-away"}
    assert [fmt.name for fmt in formats if fmt.halving] == ["AMXFP4-X2"]
    assert [fmt.name for fmt in formats if fmt.asymmetric] == ["AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-E8M0"]


@pytest.mark.parametrize("name, canonical", [("amxfp4", "AMXFP4-E5M2"), ("Mxfp4-e5m2", "MXFP4-E5M2")])
def test_names_in_any_case_give_the_canonical_one(name: str, canonical: str) -> None:
    assert block_format(name, 16) == block_format(canonical, 16)
    assert block_format(name).name == canonical


def test_the_default_block_size_is_the_format_s_own() -> None:
    for name in BLOCK_FORMAT_NAMES:
        size = 16 if name == "NVFP4" else 32
        assert block_format(name).block_size == block_format(name, 64).default_block_size == size


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_a_name_may_carry_its_block_size(name: str) -> None:
    for size in 8, 16, 32, 64, 128:
        fmt = block_format(f"{name}/{size}")
        assert fmt == block_format(name, size) == block_format(f"{name}/{size}", size) == block_format(fmt.label)
        assert fmt.name == name
    assert block_format(name).label == name


@pytest.mark.parametrize("name", ["MXFP4/", "MXFP4/12", "MXFP4/-8", "MXFP4/8/8", "MXFP4/ 8", "MXFP4/٨", "MXFP4/256"])
def test_a_bad_block_size_in_a_name(name: str) -> None:
    with pytest.raises(UsageError, match=r"block size .* one of 8, 16, 32, 64, 128"):
        block_format(name)


def test_two_block_sizes() -> None:
    with pytest.raises(UsageError, match="'MXFP4/16' and block size 32 contradict each other"):
        block_format("MXFP4/16", 32)


def test_bytes_of_blocks() -> None:
    assert [block_format("AMXFP4", 16).bytes_of(blocks) for blocks in (0, 1, 5)] == [0, 10, 50]
    # 17 bytes a block, and a byte for the asymmetry codes of every four.
    assert [block_format("AMXFP4-X2").bytes_of(blocks) for blocks in (0, 1, 4, 5)] == [0, 18, 69, 87]
    # The side of AMXFP4-Z8's special value lies in the scale's byte; AMXFP4-Z has one bit more for each block.
    assert [block_format("AMXFP4-Z8").bytes_of(blocks) for blocks in (0, 1, 5)] == [0, 17, 85]
    assert [block_format("AMXFP4-Z").bytes_of(blocks) for blocks in (0, 1, 8, 9)] == [0, 18, 137, 155]
    assert [block_format("NVFP4").bytes_of(blocks) for blocks in (0, 1, 5)] == [0, 9, 45]


def test_free_scales_are_not_halved() -> None:
    with pytest.raises(UsageError, match="more than one of two free scales, halving and special values"):
        BlockFormat("both", UE5M3, asymmetric=True, halving=True)
    with pytest.raises(UsageError, match="more than one of two free scales, halving and special values"):
        BlockFormat("both", UE5M3, halving=True, specials=(8,))


def test_a_block_format_passes_through() -> None:
    fmt = block_format("AMXFP4", 64)
    assert block_format(fmt) == fmt
    assert block_format(fmt, 16).block_size == 16
    assert isinstance(fmt, BlockFormat)


@pytest.mark.parametrize("size", [0, 4, 7, 48, 256, -32, 32.0, True, "32"])
def test_bad_block_size(size: object) -> None:
    with pytest.raises(UsageError, match=r"block size .* one of 8, 16, 32, 64, 128"):
        block_format("MXFP4", size)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "mxfp5", " MXFP4", "NVFP5", None, 3])
def test_bad_name(name: object) -> None:
    with pytest.raises(UsageError, match=r"unknown block format .* one of AMXFP4, MXFP4"):
        block_format(name)  # type: ignore[arg-type]
