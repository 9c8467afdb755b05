"""Blocks: what they check, their bytes, their values."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers.fraction_oracle import element, random_blocks, side_scale
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, Blocks, block_format, quantize
from amxfp4.golden.formats import E8M0


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_values_are_the_contract_s(name: str) -> None:
    """Each element by itself in exact arithmetic."""
    blocks = random_blocks(np.random.default_rng(1), (5, 64), block_format(name, 16), high=256)
    values = blocks.dequantize()
    assert values.dtype == np.float32
    fmt = blocks.fmt
    for row, column in np.ndindex(values.shape):
        code = int(blocks.codes[row, column])
        fields = blocks.scales[row, column // 16].tolist()
        if any(scale_code in fmt.scale.nan_codes for scale_code in fields[: fmt.scales_per_block]):
            assert np.isnan(values[row, column])
            continue
        factor = side_scale(fmt, fields, bool(code & 8))
        expected = factor * element(code, fmt, fields)
        assert Fraction(float(values[row, column])) == expected
        assert expected or not np.signbit(values[row, column])


def test_float64_holds_scales_that_float32_cannot() -> None:
    codes = np.full((1, 32), 15, np.uint8)
    blocks = Blocks.from_codes(codes=codes, scales=np.full((1, 1, 1), E8M0.max_code, np.uint8), fmt="MXFP4")
    with pytest.raises(UsageError, match=r"beyond float32's range; use dtype=np.float64"):
        blocks.dequantize()
    assert (blocks.dequantize(np.float64) == -6 * 2.0**127).all()
    with pytest.raises(UsageError, match="cannot dequantize to float16; it is float32 or float64"):
        blocks.dequantize(np.float16)


@given(st.sampled_from(BLOCK_FORMAT_NAMES), st.integers(0, 70), st.integers(0, 2**32 - 1))
def test_bytes_there_and_back(name: str, length: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal((3, length, 2)).astype(np.float32)
    blocks = quantize(x, block_format(name, 16), axis=1)
    data = blocks.to_bytes()
    assert len(data) == blocks.fmt.bytes_of(6 * blocks.block_count)
    again = Blocks.from_bytes(data, shape=x.shape, fmt=blocks.fmt, axis=1)
    np.testing.assert_array_equal(again.codes, blocks.codes)
    np.testing.assert_array_equal(again.scales, blocks.scales)
    assert (again.shape, again.axis, again.fmt) == (blocks.shape, blocks.axis, blocks.fmt)


def test_the_byte_layout() -> None:
    codes = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0]], np.uint8)
    scales = np.array([[[0x11, 0x22], [0x33, 0x44]]], np.uint8)
    blocks = Blocks.from_codes(codes=codes, scales=scales, fmt=block_format("AMXFP4", 8))
    assert blocks.to_bytes().hex(" ") == "11 22 21 43 65 87 33 44 a9 cb ed 0f"


def test_the_byte_layout_with_asymmetry_codes() -> None:
    """They follow the last block, four a byte, the first in the lowest bits."""
    codes = np.repeat(np.arange(1, 6, dtype=np.uint8), 8)[None]
    scales = np.array([[[0xA1, 1], [0xA2, 2], [0xA3, 3], [0xFF, 0], [0xA5, 2]]], np.uint8)
    blocks = Blocks.from_codes(codes=codes, scales=scales, fmt=block_format("AMXFP4-X2", 8))
    data = blocks.to_bytes()
    records = "a1 11 11 11 11 a2 22 22 22 22 a3 33 33 33 33 ff 44 44 44 44 a5 55 55 55 55"
    assert data.hex(" ") == f"{records} {0b00_11_10_01:02x} 02"
    again = Blocks.from_bytes(data, shape=(1, 40), fmt=blocks.fmt)
    np.testing.assert_array_equal(again.scales, scales)
    with pytest.raises(UsageError, match="a bit is set beyond the last of 5 asymmetry codes; unused bits are zero"):
        Blocks.from_bytes(data[:-1] + b"\x06", shape=(1, 40), fmt=blocks.fmt)
    with pytest.raises(UsageError, match=r"25 bytes were given; AMXFP4-X2 of shape \(1, 40\) takes 27"):
        Blocks.from_bytes(data[:25], shape=(1, 40), fmt=blocks.fmt)


def test_asymmetry_codes_are_checked() -> None:
    codes = np.zeros((2, 32), np.uint8)
    for scales in [[0xFF, 3], [0x80, 0]], [[0, 3], [0, 1]]:
        Blocks.from_codes(codes=codes, scales=np.array(scales, np.uint8)[:, None], fmt="AMXFP4-X2")
    with pytest.raises(UsageError, match="asymmetry code 0x04 is out of range; codes are 0x00 to 0x03"):
        Blocks.from_codes(codes=codes, scales=np.array([[[1, 0]], [[1, 4]]], np.uint8), fmt="AMXFP4-X2")
    with pytest.raises(UsageError, match=r"scales have shape \(2, 1, 1\); .* needs \(2, 1, 2\)"):
        Blocks.from_codes(codes=codes, scales=np.zeros((2, 1, 1), np.uint8), fmt="AMXFP4-X2")


def test_a_ragged_length() -> None:
    codes = np.zeros((2, 64), np.uint8)
    codes[:, :40] = 3
    scales = np.full((2, 2, 1), 127, np.uint8)
    blocks = Blocks.from_codes(codes=codes, scales=scales, fmt="MXFP4", length=40)
    assert (blocks.shape, blocks.length, blocks.block_count) == ((2, 40), 40, 2)
    assert blocks.dequantize().shape == (2, 40)
    codes[1, 40] = 1
    with pytest.raises(UsageError, match="an element code beyond the length 40 is not 0; padding is zero"):
        Blocks.from_codes(codes=codes, scales=scales, fmt="MXFP4", length=40)


def test_bad_codes_and_scales() -> None:
    codes = np.zeros((2, 64), np.uint8)
    scales = np.zeros((2, 2, 2), np.uint8)

    def make(codes: np.ndarray = codes, scales: np.ndarray = scales, length: int | None = None) -> Blocks:
        return Blocks.from_codes(codes=codes, scales=scales, fmt="AMXFP4", length=length)

    make()
    with pytest.raises(UsageError, match="element codes are int64"):
        make(codes=codes.astype(int))
    with pytest.raises(UsageError, match="element code 0x10 is out of range"):
        make(codes=codes + 16)
    with pytest.raises(UsageError, match="E5M2 scale code 0x80 has its top bit set"):
        make(scales=scales | 0x80)
    with pytest.raises(UsageError, match="scale codes are float64"):
        make(scales=scales.astype(float))
    with pytest.raises(UsageError, match=r"codes have shape \(2, 63\); .* multiple of the block size, 32"):
        make(codes=codes[:, :63])
    with pytest.raises(UsageError, match=r"scales have shape \(2, 2, 1\); .* needs \(2, 2, 2\)"):
        make(scales=scales[..., :1])
    for length in 32, 65, -1:
        with pytest.raises(UsageError, match=f"length {length} does not fit 64 codes"):
            make(length=length)


def test_bad_bytes() -> None:
    with pytest.raises(UsageError, match=r"17 bytes were given; AMXFP4-E5M2 of shape \(1, 32\) takes 18"):
        Blocks.from_bytes(bytes(17), shape=(1, 32), fmt="AMXFP4")
    with pytest.raises(UsageError, match="E5M2 scale code 0xFF has its top bit set"):
        Blocks.from_bytes(b"\xff" * 18, shape=(1, 32), fmt="AMXFP4")
    with pytest.raises(UsageError, match="axis 2 is out of range"):
        Blocks.from_bytes(bytes(18), shape=(1, 32), fmt="AMXFP4", axis=2)
    with pytest.raises(UsageError, match="a scalar has no axis"):
        Blocks.from_bytes(b"", shape=(), fmt="AMXFP4")


def test_blocks_are_shown_in_one_line() -> None:
    x = np.zeros((4, 64), np.float32)
    assert repr(quantize(x, "AMXFP4")) == "<Blocks AMXFP4-E5M2 k=32 (4, 64)>"
    assert repr(quantize(x, "MXFP4", axis=0, block_size=16)) == "<Blocks MXFP4 k=16 (4, 64) axis=0>"


@pytest.mark.parametrize("shape", ((4, -1), (4.7, 64), (-4, -64), (4, True), "64", 64, (None,), ((4,), 64)))
def test_a_shape_that_is_none_is_refused(shape: Any) -> None:
    for data in (b"", bytes(4 * 34)):
        with pytest.raises(UsageError, match="is not allowed; it is a sequence of integers, each at least 0"):
            Blocks.from_bytes(data, shape=shape, fmt="AMXFP4")


@pytest.mark.parametrize("axis", (0.0, "0", None, True, 2, -3))
def test_an_axis_that_is_none_is_refused(axis: Any) -> None:
    with pytest.raises(UsageError, match="axis"):
        Blocks.from_bytes(bytes(4 * 34), shape=(4, 32), fmt="AMXFP4", axis=axis)
    with pytest.raises(UsageError, match="axis"):
        quantize(np.zeros((4, 32), np.float32), "AMXFP4", axis=axis)


def test_other_arguments_of_another_kind_are_refused() -> None:
    codes, scales = np.zeros((1, 32), np.uint8), np.zeros((1, 1, 2), np.uint8)
    with pytest.raises(UsageError, match=r"length 4\.5 is not an integer"):
        Blocks.from_codes(codes=codes, scales=scales, fmt="AMXFP4", length=4.5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="data is of type str; it must be bytes"):
        Blocks.from_bytes("x" * 18, shape=(32,), fmt="AMXFP4")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a BlockFormat is needed"):
        Blocks(codes, scales, (1, 32), "AMXFP4", 1)  # type: ignore[arg-type]
    for shape, axis in (([1, 32], 1), ((1, 32), -1), ((1, 32.0), 1)):
        with pytest.raises(UsageError, match="not allowed"):
            Blocks(codes, scales, shape, block_format("AMXFP4"), axis)  # type: ignore[arg-type]
    for dtype in ("nonsense", np.int32, object):
        with pytest.raises(UsageError, match="cannot dequantize to"):
            Blocks.from_codes(codes=codes, scales=scales, fmt="AMXFP4").dequantize(dtype)
