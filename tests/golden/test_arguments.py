"""What a caller gives is taken as it is meant, or refused in a sentence that names it."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from amxfp4.errors import UsageError, shown
from amxfp4.golden import SCALE_FORMATS, BlockFormat, Blocks, ScaleFormat, block_format, encode_elements, encode_scales
from amxfp4.golden.arguments import as_array, as_float64, check_one_of, check_positive, integer_from, is_integer


def test_a_long_value_is_shown_on_one_short_line() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert shown(np.arange(4).reshape(2, 2)) == "array([[0, 1], [2, 3]])"
    line = shown(np.arange(900))
    assert len(line) == 80 and line.startswith("array([ 0, 1,") and line.endswith(" ...")


@pytest.mark.parametrize("value", (3, np.int64(3), np.uint8(3)))
def test_integers(value: Any) -> None:
    assert is_integer(value)
    assert type(integer_from(3, 3, "n", value)) is int


@pytest.mark.parametrize("value", (True, np.True_, 3.0, np.float32(3), "3", None, np.timedelta64(3, "s"), np.array(3)))
def test_other_values_are_no_integers(value: Any) -> None:
    assert not is_integer(value)
    with pytest.raises(UsageError, match=r"^n .* is not allowed; it is at least 0 and at most 9, and an integer$"):
        integer_from(0, 9, "n", value)


def test_what_is_an_array() -> None:
    assert type(as_array("x", np.ones((1, 1)).view(np.memmap))) is np.ndarray
    with pytest.raises(UsageError, match=r"^x is a masked array; a plain one is needed"):
        as_array("x", np.ma.masked_array([1.0], [True]))
    with pytest.raises(UsageError, match=r"^x is of type list, of which NumPy makes no array"):
        as_array("x", [[1], [2, 3]])


def test_what_is_float64() -> None:
    for dtype in (np.bool_, np.int64, np.uint64, np.float16, ml_dtypes.bfloat16, ">f8"):
        given = np.ones(2, dtype)
        found = as_float64("x", given)
        assert found.dtype == np.float64 and found.tolist() == [1, 1] and not np.shares_memory(found, given)
    for dtype in (np.complex64, np.longdouble, object, "U3", "M8[s]", "m8[s]", [("a", "f4")], "V2"):
        with pytest.raises(UsageError, match=r"^x is of .*; real numbers of float64 or a narrower type are needed$"):
            as_float64("x", np.zeros(2, dtype))


def test_positive_numbers_and_names() -> None:
    check_positive(a=1, b=0.5, c=np.float32(2), d=np.int8(1))
    for value in (0, -1.0, float("nan"), float("inf"), True, "1", None):
        with pytest.raises(UsageError, match=r"^a is .*; a finite number above 0 is needed$"):
            check_positive(a=value)
    check_one_of("kind", "x", ("x", "y"))
    for value in ("z", None, 1, np.array(["x"]), ["x"]):
        with pytest.raises(UsageError, match=r"^unknown kind .*; it is one of x, y$"):
            check_one_of("kind", value, ("x", "y"))


def test_a_number_alone_gives_an_array_of_no_axes() -> None:
    for code in (encode_elements(np.float32(2)), encode_scales(np.float64("nan"), SCALE_FORMATS["E5M2"])):
        assert isinstance(code, np.ndarray) and code.shape == ()


def test_floats_that_float64_would_round_are_no_elements() -> None:
    tie = np.longdouble(1.25) - np.longdouble(2) ** -60
    if np.dtype(np.longdouble).itemsize > 8:
        with pytest.raises(
            UsageError, match=r"^element values are .*, which float64 rounds; they are floats of at most"
        ):
            encode_elements(np.array([tie]))


@pytest.mark.parametrize(
    "change",
    (
        {"exponent_bits": 0},
        {"exponent_bits": 6},
        {"mantissa_bits": -1},
        {"mantissa_bits": 4},
        {"mantissa_bits": 2.0},
        {"bias": 60},
        {"bias": -34},
        {"bias": True},
        {"name": None},
        {"nan_is_top_exponent": 1},
        {"exponent_bits": 5, "mantissa_bits": 0},
    ),
)
def test_scale_formats_that_no_rule_knows(change: dict[str, Any]) -> None:
    fields = {"name": "X", "exponent_bits": 4, "mantissa_bits": 3, "bias": 7}
    for bias in 59, -33:
        ScaleFormat(**fields | {"bias": bias})
    with pytest.raises(UsageError, match=r"^ScaleFormat\(.* is not allowed; "):
        ScaleFormat(**fields | change)


@pytest.mark.parametrize("change", ({"name": 1}, {"scale": "E5M2"}, {"asymmetric": 1}, {"halving": None}))
def test_block_formats_of_other_types(change: dict[str, Any]) -> None:
    fields = {"name": "X", "scale": SCALE_FORMATS["E5M2"], "block_size": np.int64(32)}
    assert type(BlockFormat(**fields).block_size) is int
    with pytest.raises(UsageError, match=r"^BlockFormat\(.* is not allowed; "):
        BlockFormat(**fields | change)


def test_blocks_are_what_they_were_when_they_were_checked() -> None:
    fmt = block_format("AMXFP4", 8)
    codes, scales = np.full((2, 8), 3, np.uint8), np.full((2, 1, 2), 60, np.uint8)
    whole = Blocks(codes, scales, (2, 8), fmt, 1)
    made = [whole, Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)]
    memory = bytearray(whole.to_bytes())
    made.append(Blocks.from_bytes(memory, shape=(2, 8), fmt=fmt))
    expected = whole.dequantize()
    codes[:], scales[:], memory[:] = 15, 1, bytes(len(memory))
    for blocks in made:
        np.testing.assert_array_equal(blocks.dequantize(), expected)
        for part in (blocks.codes, blocks.scales):
            with pytest.raises(ValueError, match="read-only"):
                part[0] = 0
