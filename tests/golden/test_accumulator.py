"""Which accumulator goes with which formats, and the exact one's width."""

from fractions import Fraction
from itertools import product

import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format, default_accumulator_bits, least_exponent
from amxfp4.golden.accumulator import MAX_EXACT_ELEMENTS, check_exact_length, resolve_accumulator

FP8_NAMES = [name for name in BLOCK_FORMAT_NAMES if block_format(name).scale.is_fp8]


def test_the_contract_s_width() -> None:
    fmt = block_format("AMXFP4")
    assert (least_exponent(fmt, fmt), default_accumulator_bits(fmt, fmt)) == (-34, 96)
    ue5m3, x2 = block_format("MXFP4-UE5M3"), block_format("AMXFP4-X2")
    # A halved side adds a bit below the point, for each operand that can have one.
    pairs = (ue5m3, ue5m3), (x2, ue5m3), (ue5m3, x2), (x2, x2)
    assert [least_exponent(*pair) for pair in pairs] == [-36, -37, -37, -38]
    assert [default_accumulator_bits(*pair) for pair in pairs] == [100, 101, 101, 102]


LARGEST = {"AMXFP4-Z8": 8, "AMXFP4-Z": 12}


@pytest.mark.parametrize(("a", "w"), list(product(FP8_NAMES, repeat=2)))
def test_the_width_holds_the_largest_sum_and_no_bit_more(a: str, w: str) -> None:
    activation, weight = block_format(a), block_format(w)
    largest = (
        LARGEST.get(a, 6) * LARGEST.get(w, 6) * Fraction(activation.scale.max_value) * Fraction(weight.scale.max_value)
    )
    units = MAX_EXACT_ELEMENTS * largest / Fraction(2) ** least_exponent(activation, weight)
    bits = default_accumulator_bits(activation, weight)
    assert 1 << (bits - 2) <= units < 1 << (bits - 1)


def test_defaults() -> None:
    for a, w in product(BLOCK_FORMAT_NAMES, repeat=2):
        both_fp8 = a in FP8_NAMES and w in FP8_NAMES
        assert resolve_accumulator(None, block_format(a), block_format(w)) == ("exact" if both_fp8 else "fp32")
        assert resolve_accumulator("fp32", block_format(a), block_format(w)) == "fp32"


def test_bad_input() -> None:
    fp8, e8m0 = block_format("AMXFP4"), block_format("AMXFP4-E8M0")
    for pair in (fp8, e8m0), (e8m0, fp8):
        with pytest.raises(UsageError, match="the exact accumulator cannot take AMXFP4-E8M0"):
            resolve_accumulator("exact", *pair)
    with pytest.raises(UsageError, match="unknown accumulator 'int'; it is one of exact, fp32, window"):
        resolve_accumulator("int", fp8, fp8)  # type: ignore[arg-type]
    check_exact_length(1 << 24)
    with pytest.raises(UsageError, match="reduction length 16777217 may overflow the exact accumulator"):
        check_exact_length((1 << 24) + 1)
