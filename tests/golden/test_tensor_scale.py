"""Tensor scales: how they are taken, what they do to a tensor before the cast, to its values and to results."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from helpers.fraction_oracle import INFINITY, element, round_to_float32, side_scale
from helpers.quantize_oracle import direct
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, Blocks, block_format, dot, dot_detailed, matmul, quantize, tensor_scale_of

FP8_NAMES = [name for name in BLOCK_FORMAT_NAMES if block_format(name).scale.is_fp8]
LEAST = Fraction(2) ** -126
PEAKS = {"NVFP4": 448 * 6, "AMXFP4-Z8": 448 * 8, "AMXFP4-Z": 448 * 8, "AMXFP4-E5M2": 57344 * 6}


def divided(x: float, scale: float) -> float:
    """The contract, sentence by sentence."""
    if not np.isfinite(x) or scale == 1:
        return x
    reciprocal = round_to_float32(1 / Fraction(scale))
    exact = Fraction(x)
    product = round_to_float32((exact if abs(exact) >= LEAST else Fraction(0)) * reciprocal)
    if abs(product) == INFINITY:
        return float(np.copysign(np.finfo(np.float32).max, x))
    return float(product) if abs(product) >= LEAST else 0.0


def check(x: np.ndarray, name: str, scale: float) -> None:
    fmt = block_format(name, 8)
    blocks = quantize(x, fmt, tensor_scale=scale)
    assert blocks.tensor_scale == scale
    for row, block in enumerate(x):
        smaller = np.array([divided(float(value), scale) for value in block], np.float32)
        codes, scales = direct(smaller, fmt, fmt.ties)
        assert blocks.scales[row, 0].tolist() == scales
        assert blocks.codes[row].tolist() == codes


SCALES = st.floats(2.0**-126, 2.0**126, width=32)


@given(hnp.arrays(np.float32, (2, 8), elements=st.floats(width=32)), st.sampled_from(BLOCK_FORMAT_NAMES), SCALES)
def test_any_floats_and_scales(x: np.ndarray, name: str, scale: float) -> None:
    check(x, name, scale)


@pytest.mark.parametrize("name", FP8_NAMES)
def test_values_near_the_scale(name: str) -> None:
    rng = np.random.default_rng(1)
    for scale in np.float32(2.0 ** rng.uniform(-120, 120, 8)):
        check((rng.standard_normal((20, 8)) * 100 * scale).astype(np.float32), name, float(scale))


@pytest.mark.parametrize(("name", "peak"), PEAKS.items())
def test_the_largest_magnitude_becomes_the_largest_value(name: str, peak: int) -> None:
    x = np.random.default_rng(2).standard_normal((9, 70)).astype(np.float32)
    x[3, 5] = -31
    scale = tensor_scale_of(x, block_format(name))
    assert scale == float(round_to_float32(Fraction(31) / peak))
    power = tensor_scale_of(x, block_format(name), "power-of-two")
    assert np.frexp(power)[0] == 0.5
    assert Fraction(power) / 2 < Fraction(31) / peak <= Fraction(power)
    for asked, expected in (("max", scale), ("power-of-two", power)):
        assert quantize(x, name, tensor_scale=asked).tensor_scale == expected  # type: ignore[arg-type]
    exact = np.float32(peak * 2.0**-9)
    assert tensor_scale_of(np.array([exact, 1e-3], np.float32), block_format(name), "power-of-two") == 2.0**-9


def test_only_nvfp4_takes_one_unless_told() -> None:
    x = np.random.default_rng(3).standard_normal((4, 64)).astype(np.float32)
    for name in BLOCK_FORMAT_NAMES:
        assert (quantize(x, name).tensor_scale != 1) == (name == "NVFP4")
    assert quantize(x, "NVFP4", tensor_scale=1).tensor_scale == 1


@pytest.mark.parametrize("x", [[0.0, -0.0], [2.0**-127], [np.nan, np.inf], []], ids=str)
def test_nothing_to_scale(x: list[float]) -> None:
    assert tensor_scale_of(np.array(x, np.float32), block_format("NVFP4")) == 1


def test_what_is_not_finite_does_not_count() -> None:
    x = np.array([[1.0] * 16 + [np.nan] + [2.0] * 15, [np.inf] * 16 + [-2688.0] * 16], np.float32)
    blocks = quantize(x, "NVFP4")
    assert blocks.tensor_scale == 1
    assert np.isnan(blocks.dequantize()).reshape(2, 2, 16).all(axis=2).tolist() == [[False, True], [True, False]]


def test_the_least_scale() -> None:
    x = np.full(16, 6 * 2.0**-121, np.float32)
    blocks = quantize(x, "NVFP4")
    assert blocks.tensor_scale == 2.0**-126
    np.testing.assert_array_equal(blocks.dequantize(), x)


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, 2.0**-127, 2.0**127, 0.1, True, None, "max", 1j], ids=str)
def test_refused_scales(scale: object) -> None:
    codes, scales = np.zeros((1, 16), np.uint8), np.zeros((1, 1, 1), np.uint8)
    with pytest.raises(UsageError, match=r"tensor scale .*; it is a float32 from 2\^-126 to 2\^126"):
        Blocks.from_codes(codes=codes, scales=scales, fmt="NVFP4", tensor_scale=scale)  # type: ignore[arg-type]


def test_refused_rules() -> None:
    x = np.ones(32, np.float32)
    with pytest.raises(UsageError, match=r"unknown tensor scale 'min'; it is a number or one of max, power-of-two$"):
        quantize(x, "NVFP4", tensor_scale="min")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^MXFP4 has E8M0 scales"):
        quantize(x, "MXFP4", tensor_scale="max")


@pytest.mark.parametrize("name", FP8_NAMES)
def test_values_are_rounded_once(name: str) -> None:
    x = np.random.default_rng(4).standard_normal((3, 64)).astype(np.float32)
    blocks = quantize(x, block_format(name, 16), tensor_scale="max")
    single, double = blocks.dequantize(), blocks.dequantize(np.float64)
    for row, column in np.ndindex(3, 64):
        code, fields = int(blocks.codes[row, column]), blocks.scales[row, column // 16].tolist()
        exact = element(code, blocks.fmt, fields) * side_scale(blocks.fmt, fields, bool(code & 8))
        exact *= Fraction(blocks.tensor_scale)
        assert Fraction(float(double[row, column])) == exact
        assert Fraction(float(single[row, column])) == round_to_float32(exact)


def test_values_beyond_float32() -> None:
    codes, scales = np.full((1, 16), 7, np.uint8), np.full((1, 1, 1), 126, np.uint8)
    blocks = Blocks.from_codes(codes=codes, scales=scales, fmt="NVFP4", tensor_scale=2.0**120)
    with pytest.raises(UsageError, match=r"beyond float32.s range; use dtype=np\.float64"):
        blocks.dequantize()
    assert blocks.dequantize(np.float64)[0, 0] == 2688 * 2.0**120


def test_results_are_multiplied_by_both() -> None:
    rng = np.random.default_rng(5)
    a = quantize(rng.standard_normal((5, 96)).astype(np.float32), "NVFP4")
    w = quantize(rng.standard_normal((5, 96)).astype(np.float32), "AMXFP4-E4M3/16", tensor_scale="power-of-two")
    factor = round_to_float32(Fraction(a.tensor_scale) * Fraction(w.tensor_scale))
    for accumulator in ("exact", "fp32"):
        unit = dot_detailed(a, w, accumulator).values  # type: ignore[arg-type]
        expected = [float(round_to_float32(Fraction(float(value)) * factor)) for value in unit]
        assert dot(a, w, accumulator).tolist() == expected  # type: ignore[arg-type]
        assert np.diagonal(matmul(a, w, accumulator)).tolist() == expected  # type: ignore[arg-type]


def test_a_result_of_zero_stays_zero() -> None:
    """Although the product of these scales is infinity, which makes any other result infinity too."""
    x = np.eye(2, 16, dtype=np.float32)
    blocks = quantize(x, "NVFP4", tensor_scale=2.0**100), quantize(x * 2.0**100, "NVFP4", tensor_scale=2.0**100)
    assert matmul(blocks[0], blocks[1]).tolist() == [[0, 0], [0, 0]]
    assert matmul(blocks[1], blocks[1]).tolist() == [[np.inf, 0], [0, np.inf]]
    assert dot(blocks[1], blocks[1], "fp32").tolist() == [np.inf, np.inf]


def test_a_result_of_infinity_stays_infinity() -> None:
    """Although the product of these scales is zero, which makes any other result zero."""
    large = np.uint32([0x7F000000, 0xFF000000, 0x3F800000]).view(np.float32)[:, None] * np.eye(1, 32, dtype=np.float32)
    a, w = (replace(quantize(x, "MXFP4"), tensor_scale=2.0**-126) for x in (large, large[:1]))
    assert matmul(a, w).view(np.uint32).ravel().tolist() == [0x7F800000, 0xFF800000, 0]
    assert dot(a, w).view(np.uint32).tolist() == [0x7F800000, 0xFF800000, 0]


def test_a_scale_of_one_changes_nothing() -> None:
    x = np.array([[2.0**-149, 2.0**-130, -(2.0**-127), 1.0] * 8], np.float32)
    plain, scaled = quantize(x, "AMXFP4-E8M0"), quantize(x, "AMXFP4-E8M0", tensor_scale=1)
    assert plain.to_bytes() == scaled.to_bytes()


def test_kept_by_bytes_and_shown() -> None:
    blocks = quantize(np.arange(64, dtype=np.float32), "NVFP4")
    again = Blocks.from_bytes(blocks.to_bytes(), shape=(64,), fmt="NVFP4", tensor_scale=blocks.tensor_scale)
    np.testing.assert_array_equal(again.dequantize(), blocks.dequantize())
    assert repr(blocks) == f"<Blocks NVFP4 k=16 (64,) tensor_scale={blocks.tensor_scale:g}>"
