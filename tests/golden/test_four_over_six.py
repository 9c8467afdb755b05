"""The rule "four-over-six" against the contract in fractions, against exact errors, and in its limits."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.fraction_oracle import element, side_scale
from helpers.quantize_oracle import elements_under, floor_log2, round_to, scale_values, smaller_side
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amxfp4.errors import UsageError
from amxfp4.golden import (
    BlockFormat,
    Rounding,
    ScaleRule,
    block_format,
    decode_elements,
    decode_scales,
    encode_elements,
    encode_scales,
    quantize,
    sqnr,
)

NAMES = ("NVFP4", "MXFP4-E4M3", "MXFP4-E5M2", "MXFP4-UE5M3", "AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-X2")
ROUNDINGS: tuple[Rounding, ...] = ("nearest-away", "nearest-even")
RULES: tuple[ScaleRule, ...] = ("nearest", "four-over-six")


def fields_for(block: list[Fraction], fmt: BlockFormat, rounding: Rounding, largest: int) -> list[int]:
    """Scales under which the largest element becomes `largest`, and the asymmetry code under them."""
    positive, negative = (max([sign * x for x in block if sign * x > 0], default=Fraction(0)) for sign in (1, -1))
    maxima = [positive, negative] if fmt.asymmetric else [max(positive, negative)]
    fields = [round_to(m / largest, scale_values(fmt.scale.name), rounding) for m in maxima]
    if fmt.halving:
        half = scale_values(fmt.scale.name)[fields[0]] / 2
        fits = [half > 0 and m <= 7 * half for m in (positive, negative)]
        fields.append(smaller_side(positive, negative) if fits[0] != fits[1] else 0)
    return fields


def unit_of(fmt: BlockFormat, code: int) -> Fraction:
    """The least bit of the significand of a scale."""
    value = scale_values(fmt.scale.name)[max(code, 1 << fmt.scale.mantissa_bits)]
    return Fraction(2) ** (floor_log2(value) - fmt.scale.mantissa_bits)


def expected(block: np.ndarray, fmt: BlockFormat, rounding: Rounding) -> tuple[list[int], list[int]]:
    exact = [Fraction(float(x)) for x in block]
    six, four = (fields_for(exact, fmt, rounding, largest) for largest in (6, 4))
    chosen = list(six)
    for side in range(fmt.scales_per_block):
        unit = unit_of(fmt, six[side])

        def error(fields: list[int], side: int = side, unit: Fraction = unit) -> Fraction:
            codes = elements_under(exact, fields, fmt, rounding)
            total = Fraction(0)
            for x, code in zip(exact, codes, strict=True):
                if not fmt.asymmetric or (x < 0) == bool(side):
                    cut = (abs(x) // unit + Fraction(1, 2)) * unit
                    total += (cut - abs(element(code, fmt, fields)) * side_scale(fmt, fields, x < 0)) ** 2
            return total

        if six[side] != four[side] and error(four) < error(six):
            chosen[side] = four[side]
            chosen[fmt.scales_per_block :] = four[fmt.scales_per_block :]
    return elements_under(exact, chosen, fmt, rounding), chosen


def check(x: np.ndarray, name: str, rounding: Rounding) -> None:
    fmt = block_format(name, 8)
    blocks = quantize(x, fmt, rounding=rounding, rule="four-over-six", tensor_scale=1)
    for row, block in enumerate(x):
        codes, fields = expected(block, fmt, rounding)
        assert blocks.scales[row, 0].tolist() == fields
        assert blocks.codes[row].tolist() == codes


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_values_of_every_size(name: str, rounding: Rounding) -> None:
    """Blocks in the range of the scales, below it and above it."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 8)) * 2.0 ** rng.integers(-22, 22, (60, 1))
    x[::5, 2:] = 0
    x[1::5] = np.abs(x[1::5])
    check(x.astype(np.float32), name, rounding)


@given(
    hnp.arrays(np.float32, (1, 8), elements=st.floats(-64, 64, width=16)),
    st.sampled_from(NAMES),
    st.sampled_from(ROUNDINGS),
)
def test_any_floats(x: np.ndarray, name: str, rounding: Rounding) -> None:
    check(x, name, rounding)


def error_under(x: np.ndarray, fmt: BlockFormat, largest: float) -> np.ndarray:
    """Squared error of each block (n, 16) whose largest element becomes `largest`."""
    scales = decode_scales(encode_scales(np.abs(x).max(axis=1, keepdims=True) / largest, fmt.scale), fmt.scale)
    scales = np.maximum(scales.astype(np.float64), 1e-30)
    return ((x - decode_elements(encode_elements(x / scales)) * scales) ** 2).sum(axis=1)


@pytest.mark.parametrize("name", ["MXFP4-E4M3/16", "MXFP4-UE5M3/16", "MXFP4-E5M2/16"])
def test_as_good_as_exact_errors(name: str) -> None:
    """It gains what the choice by exact errors gains, but for a few hundredths of a decibel."""
    x = np.random.default_rng(2).standard_normal((4096, 16)).astype(np.float32)
    fmt = block_format(name)
    six, four = (error_under(x.astype(np.float64), fmt, largest) for largest in (6, 4))
    exact = 10 * np.log10(six.sum() / np.minimum(six, four).sum())
    nearest, found = (sqnr(x, quantize(x, fmt, rule=rule).dequantize()) for rule in RULES)
    assert nearest == pytest.approx(10 * np.log10((x.astype(np.float64) ** 2).sum() / six.sum()), abs=1e-3)
    assert exact > 0.5
    assert exact - 0.05 < found - nearest <= exact + 1e-3


def test_a_block_between_four_and_six() -> None:
    """Elements at 5 scales are off by one scale where the largest is 6; they are exact where it is 4."""
    x = np.array([[6, *[4.5] * 15]], np.float32)
    assert quantize(x, "MXFP4-E4M3/16", rule="four-over-six").dequantize().tolist() == x.tolist()
    y = np.array([[6, *[4] * 15]], np.float32)
    assert quantize(y, "MXFP4-E4M3/16", rule="four-over-six").dequantize().tolist() == y.tolist()


def test_of_equals_six_is_taken() -> None:
    x = np.array([[6, 3, *[0] * 14], [0] * 16, [1e9] * 16], np.float32)  # exact under both; zeros; saturated
    six = quantize(x, "NVFP4", tensor_scale=1)
    assert quantize(x, "NVFP4", rule="four-over-six", tensor_scale=1).to_bytes() == six.to_bytes()


def test_what_is_not_finite() -> None:
    x = np.array([[np.nan, *[5.0] * 15], [-np.inf, *[5.0] * 15]], np.float32)
    blocks = quantize(x, "AMXFP4-X2/16", rule="four-over-six")
    assert not blocks.codes.any() and blocks.scales.tolist() == [[[255, 0]], [[255, 0]]]


@pytest.mark.parametrize("name", ["AMXFP4-Z8", "AMXFP4-Z", "MXFP4"])
def test_formats_without_it(name: str) -> None:
    with pytest.raises(UsageError, match="rule 'four-over-six' is not one for"):
        quantize(np.zeros(32, np.float32), name, rule="four-over-six")
