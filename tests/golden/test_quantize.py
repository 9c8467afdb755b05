"""The quantiser against the contract in exact fractions and against the authors' own results."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from helpers.quantize_oracle import direct
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amxfp4.errors import UsageError
from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    ROUNDINGS,
    BlockFormat,
    Rounding,
    block_format,
    quantize,
)

REFERENCE = Path(__file__).parents[2].parent / "shared/vectors/quantize_reference.npz"
EACH_FORMAT = pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
EACH_ROUNDING = pytest.mark.parametrize("rounding", ROUNDINGS)


def check(x: np.ndarray, fmt: BlockFormat, rounding: Rounding) -> None:
    blocks = quantize(x, fmt, rounding=rounding, tensor_scale=1)
    for index in np.ndindex(x.shape[:-1]):
        codes, scales = direct(x[index], fmt, rounding)
        assert blocks.scales[index].ravel().tolist() == scales
        assert blocks.codes[index].tolist() == codes


@EACH_FORMAT
@EACH_ROUNDING
def test_random_blocks_of_every_magnitude(name: str, rounding: Rounding) -> None:
    rng = np.random.default_rng(2)
    fmt = block_format(name, 8)
    x = rng.standard_normal((300, 8)) * 2.0 ** rng.integers(-155, 126, (300, 1))
    check(x.astype(np.float32), fmt, rounding)
    near = rng.standard_normal((200, 8)) * 2.0 ** rng.integers(-20, 19, (200, 1))
    check(near.astype(np.float32), fmt, rounding)


@EACH_FORMAT
@EACH_ROUNDING
def test_ties_and_their_neighbours(name: str, rounding: Rounding) -> None:
    """Maxima on every midpoint between scales, elements on midpoints between magnitudes."""
    fmt = block_format(name, 8)
    values = fmt.scale.values[1 : fmt.scale.max_code + 1]
    if not fmt.scale.is_fp8:
        values = values[values < 2.0**120][::16]
    maxima = (6 * np.concatenate([values, (values[1:] + values[:-1]) / 2, [values[0] / 2]])).astype(np.float32)
    maxima = np.concatenate([maxima, np.nextafter(maxima, np.float32(np.inf))])
    ties = np.array([1, -1, 5 / 6, -3.5 / 6, 2.5 / 6, -1.75 / 6, 1.25 / 6, -0.75 / 6], np.float64)
    check((maxima[:, None].astype(np.float64) * ties).astype(np.float32), fmt, rounding)


@EACH_FORMAT
@EACH_ROUNDING
def test_element_ties_under_every_scale(name: str, rounding: Rounding) -> None:
    """The block's first element fixes the scale; the others are its exact midpoints and just beside them."""
    fmt = block_format(name, 8)
    step = 1 if fmt.scale.is_fp8 else 10
    rows = []
    for scale in fmt.scale.values[1 : fmt.scale.max_code + 1 : step]:
        if scale > 2.0**125:
            continue
        for sign in 1, -1:
            ties = sign * scale * np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5])
            ties = ties.astype(np.float32)
            for elements in (
                ties,
                np.nextafter(ties, np.float32(0)),
                np.nextafter(ties, sign * np.float32(np.inf)),
            ):
                rows.append([np.float32(sign * 6 * scale), *elements])
    check(np.array(rows, np.float32), fmt, rounding)


@EACH_FORMAT
@EACH_ROUNDING
def test_underflow_one_sided_and_zero_blocks(name: str, rounding: Rounding) -> None:
    tiny = np.float32(2.0**-149)
    rows = [
        [0] * 8,
        [-0.0] * 8,
        [1, 2, 3, 4, 5, 6, 7, 8],
        [-1, -2, -3, -4, -5, -6, -7, -8],
        [tiny] * 8,
        [-tiny, tiny, 0, 1, -1, 2.0**-126, -(2.0**-127), 2.0**-130],
        [1e-7, -1e9, 0, 0, 0, 0, 0, 0],  # the positive side's scale underflows in FP8
        [3.4e38, -3.4e38, 1, -1, 0, 1e38, 1e30, 1e-38],
        [2.0**-17 * v for v in (3, -3, 3.5, -3.5, 1, -1, 0, 0)],
        [2.0**-17 * v for v in (3, -3, 1, -1, 1, -1, 0, 0)],  # both sides fit under half of UE5M3's least scale
        [2.0**-20 * v for v in (1, -2, 3, -4, 5, -6, 7, -8)],
    ]
    check(np.array(rows, np.float32), block_format(name, 8), rounding)


@EACH_FORMAT
def test_nan_and_infinity_make_a_nan_block(name: str) -> None:
    fmt = block_format(name, 8)
    x = np.ones((4, 16), np.float32)
    x[0, 3], x[1, 12], x[2, 0], x[3, 9] = np.nan, np.inf, -np.inf, -np.nan
    blocks = quantize(x, fmt)
    bad = np.array([[True, False], [False, True], [True, False], [False, True]])
    np.testing.assert_array_equal((blocks.scales[..., : fmt.scales_per_block] == fmt.scale.nan_code).all(axis=-1), bad)
    if fmt.halving:
        assert not blocks.scales[..., 1][bad].any()
    assert not blocks.codes.reshape(4, 2, 8)[bad].any()
    np.testing.assert_array_equal(np.isnan(blocks.dequantize()).reshape(4, 2, 8).all(axis=-1), bad)


BLOCK_OF_ANY_FLOATS = hnp.arrays(np.float32, (2, 8), elements=st.floats(width=32))


@given(BLOCK_OF_ANY_FLOATS, st.sampled_from(BLOCK_FORMAT_NAMES), st.sampled_from(ROUNDINGS))
def test_any_floats(x: np.ndarray, name: str, rounding: Rounding) -> None:
    check(x, block_format(name, 8), rounding)


AUTHORS = ("MXFP4", "MXFP4-E5M2", "MXFP4-E4M3", "AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-E8M0")
"""The formats that the authors' code has too."""


@pytest.mark.parametrize("name", AUTHORS)
@EACH_ROUNDING
def test_the_authors_results(name: str, rounding: Rounding) -> None:
    if not REFERENCE.exists():
        pytest.skip(f"reference results are not here: {REFERENCE} is absent")
    with np.load(REFERENCE) as reference:
        x = reference["x"]
        expected = reference[f"{name}/{rounding}/dequantized"]
        valid = reference[f"{name}/{rounding}/valid"]
    found = quantize(x, name, rounding=rounding).dequantize()
    assert valid.sum() > 1000
    np.testing.assert_array_equal(found[valid].view(np.uint32), expected[valid].view(np.uint32))
    assert np.isfinite(found[~valid]).all()


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@EACH_FORMAT
def test_narrower_floats_are_widened(dtype: type, name: str) -> None:
    x = np.random.default_rng(3).standard_normal((4, 70)).astype(dtype)
    narrow, wide = quantize(x, name), quantize(x.astype(np.float32), name)
    np.testing.assert_array_equal(narrow.codes, wide.codes)
    np.testing.assert_array_equal(narrow.scales, wide.scales)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_other_axes(axis: int) -> None:
    x = np.random.default_rng(4).standard_normal((40, 33, 5)).astype(np.float32)
    blocks = quantize(x, "AMXFP4", axis=axis)
    moved = quantize(np.ascontiguousarray(np.moveaxis(x, axis, -1)), "AMXFP4")
    np.testing.assert_array_equal(blocks.codes, moved.codes)
    np.testing.assert_array_equal(blocks.scales, moved.scales)
    assert blocks.shape == x.shape
    np.testing.assert_array_equal(np.moveaxis(blocks.dequantize(), axis, -1), moved.dequantize())


def test_a_ragged_last_block_is_padded_with_zeros() -> None:
    x = np.random.default_rng(5).standard_normal(70).astype(np.float32)
    blocks = quantize(x, "AMXFP4")
    padded = quantize(np.pad(x, (0, 26)), "AMXFP4")
    assert (blocks.shape, blocks.codes.shape, blocks.scales.shape) == ((70,), (96,), (3, 2))
    np.testing.assert_array_equal(blocks.codes, padded.codes)
    np.testing.assert_array_equal(blocks.dequantize(), padded.dequantize()[:70])


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 32), (2, 0, 5)])
def test_empty_tensors(shape: tuple[int, ...]) -> None:
    blocks = quantize(np.zeros(shape, np.float32), "AMXFP4")
    assert blocks.shape == shape
    assert blocks.dequantize().shape == shape
    assert blocks.to_bytes() == b"" or shape == (2, 0, 5)


def test_many_blocks_cross_the_chunks() -> None:
    x = np.random.default_rng(6).standard_normal((5000, 40)).astype(np.float32)
    blocks = quantize(x, "AMXFP4")
    for row in 0, 1023, 1024, 4999:
        np.testing.assert_array_equal(blocks.codes[row], quantize(x[row], "AMXFP4").codes)


def test_bad_input() -> None:
    good = np.zeros((4, 32), np.float32)
    with pytest.raises(UsageError, match=r"cannot quantize float64: .* would round twice"):
        quantize(good.astype(np.float64), "AMXFP4")
    for dtype in np.int64, np.uint8, np.complex64, np.bool_, object:
        with pytest.raises(UsageError, match=r"cannot quantize .*; the input is one of float32, float16, bfloat16"):
            quantize(good.astype(dtype), "AMXFP4")
    with pytest.raises(UsageError, match="a scalar has no axis to quantize along"):
        quantize(np.float32(1), "AMXFP4")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"axis 2 is out of range; shape \(4, 32\) has axes -2 to 1"):
        quantize(good, "AMXFP4", axis=2)
    with pytest.raises(UsageError, match="unknown block format 'FP4'"):
        quantize(good, "FP4")
    with pytest.raises(UsageError, match="unknown rounding 'nearest'"):
        quantize(good, "MXFP4", rounding="nearest")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown encoding 'best'; it is one of direct, least-error"):
        quantize(good, "MXFP4", encode="best")  # type: ignore[arg-type]


def test_the_block_size_can_be_given_beside_a_name_or_a_format() -> None:
    x = np.linspace(-3, 3, 128, dtype=np.float32).reshape(2, 64)
    expected = quantize(x, block_format("AMXFP4", 16))
    for fmt in "amxfp4", block_format("AMXFP4", 64):
        found = quantize(x, fmt, block_size=16)
        assert found.fmt == expected.fmt
        assert found.to_bytes() == expected.to_bytes()


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", [name for name in BLOCK_FORMAT_NAMES if not block_format(name).specials])
def test_quantising_again_gives_the_same_from_scale_code_4_on(name: str, rounding: Rounding) -> None:
    rng = np.random.default_rng(1)
    spread = 2.0 ** rng.uniform(-26, 20, (20000, 1))
    x = (rng.standard_normal((20000, 32)) * spread).astype(np.float32)
    once = quantize(x, name, rounding=rounding, tensor_scale=1)
    again = quantize(once.dequantize(), name, rounding=rounding, tensor_scale=1)
    free = once.scales[..., : once.fmt.scales_per_block]
    kept = (free >= 4).all(axis=(1, 2)) if once.fmt.scale.is_fp8 else np.full(len(x), True)
    assert kept.sum() > 4000
    np.testing.assert_array_equal(once.scales[kept], again.scales[kept])
    np.testing.assert_array_equal(once.codes[kept], again.codes[kept])
    assert kept.all() or not np.array_equal(once.scales, again.scales)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_quantising_z8_again_gives_the_same_values(rounding: Rounding) -> None:
    """The side of the special value may change where both sides' largest elements became 6, so that none is special."""
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((20000, 32)) * 2.0 ** rng.uniform(-10, 10, (20000, 1))).astype(np.float32)
    once = quantize(x, "AMXFP4-Z8", rounding=rounding)
    again = quantize(once.dequantize(), "AMXFP4-Z8", rounding=rounding)
    kept = once.scales[:, 0, 0] >= 4
    assert kept.sum() > 15000
    np.testing.assert_array_equal(once.dequantize()[kept], again.dequantize()[kept])
    changed = (once.scales != again.scales).any(axis=(1, 2)) & kept
    assert changed.any()
    assert not (again.codes[changed] == 8).any()
