"""Matrix products: every entry the same bits as `dot`, on every path."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers.fraction_oracle import formats, random_blocks
from helpers.small_tiles import in_tiles
from hypothesis import given, settings
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import (
    Accumulator,
    BlockFormat,
    Blocks,
    block_format,
    dot,
    dot_detailed,
    matmul,
    matmul_exact,
    matmul_fp32,
    quantize,
)
from amxfp4.golden.dense_matrix import Matrix

PAIRS = list(product(formats(8), repeat=2))
EACH_PAIR = pytest.mark.parametrize(("a_fmt", "w_fmt"), PAIRS, ids=lambda fmt: fmt.name)


def accumulators(a_fmt: BlockFormat, w_fmt: BlockFormat) -> list[Accumulator]:
    return ["exact", "fp32"] if a_fmt.scale.is_fp8 and w_fmt.scale.is_fp8 else ["fp32"]


def by_dot(a: Blocks, w: Blocks, accumulator: Accumulator) -> np.ndarray:
    """All pairs of rows through `dot`."""
    column = Blocks.from_codes(
        codes=a.codes[:, None],
        scales=a.scales[:, None],
        fmt=a.fmt,
        length=a.length,
        tensor_scale=a.tensor_scale,
    )
    return dot(column, w, accumulator)


def check(a: Blocks, w: Blocks) -> None:
    for accumulator in accumulators(a.fmt, w.fmt):
        found = matmul(a, w, accumulator)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found.view(np.uint32), by_dot(a, w, accumulator).view(np.uint32))


@EACH_PAIR
@pytest.mark.parametrize("span", [1, 12, 60, 256])
def test_any_codes_of_any_spread(a_fmt: BlockFormat, w_fmt: BlockFormat, span: int) -> None:
    rng = np.random.default_rng(span)
    for start in 0, 60, 120, 200:
        a = random_blocks(rng, (9, 48), a_fmt, start, start + span)
        w = random_blocks(rng, (7, 48), w_fmt, start // 2, start // 2 + span)
        check(a, w)


@EACH_PAIR
def test_quantised_normal_values(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    rng = np.random.default_rng(18)
    a, w = (rng.standard_normal((rows, 50)).astype(np.float32) for rows in (12, 17))
    check(quantize(a, a_fmt), quantize(w, w_fmt))


@given(
    st.sampled_from(PAIRS),
    st.integers(0, 6),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(0, 255), st.integers(1, 256)),
    st.tuples(st.integers(0, 255), st.integers(1, 256)),
)
def test_hypothesis(
    pair: tuple[BlockFormat, BlockFormat], blocks: int, seed: int, a_span: tuple[int, int], w_span: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    a, w = (
        random_blocks(rng, (3, 8 * blocks), fmt, low, max(low + 1, low + span))
        for fmt, (low, span) in zip(pair, (a_span, w_span), strict=True)
    )
    check(a, w)


@pytest.mark.parametrize("size", [16, 128])
def test_largest_values_of_every_block_size(size: int) -> None:
    """The integers on which the bounds are closest."""
    for name in "AMXFP4-E5M2", "AMXFP4-E4M3", "MXFP4", "MXFP4-UE5M3", "AMXFP4-X2":
        fmt = block_format(name, size)
        codes = np.full((3, 4 * size), 7, np.uint8)
        codes[1] = 15
        codes[2, ::2] = 14
        top = fmt.scale.max_code
        scales = np.zeros((3, 4, fmt.scale_fields), np.uint8)
        scales[..., : fmt.scales_per_block] = top
        scales[:, 1:3, : fmt.scales_per_block] = fmt.scale.significands.argmax() if fmt.scale.is_fp8 else 127
        blocks = Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)
        check(blocks, blocks)


def spread_blocks(rng: np.random.Generator, rows: int, codes_apart: int, name: str = "AMXFP4-E5M2") -> Blocks:
    """Scales of two kinds, so many codes apart."""
    fmt = block_format(name, 8)
    codes = rng.integers(0, 16, (rows, 64), dtype=np.uint8)
    scales = np.where(rng.integers(0, 2, (rows, 8, fmt.scales_per_block)), 4, 4 + codes_apart).astype(np.uint8)
    return Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)


def test_the_paths_meet_at_the_boundary() -> None:
    """As the spread of the scales grows bit by bit, one float64 product, then products by window: the same bits."""
    rng = np.random.default_rng(19)
    paths = []
    for exponents_apart in range(30):
        a, w = (spread_blocks(rng, 20, 4 * exponents_apart) for _ in range(2))
        left, right = Matrix.from_blocks(a), Matrix.from_blocks(w)
        exact = matmul_exact._exact_tiles(left.bounds(), right.bounds()).all()
        paths.append(bool(exact))
        expected = by_dot(a, w, "exact").view(np.uint32)
        np.testing.assert_array_equal(matmul(a, w, "exact").view(np.uint32), expected)
        np.testing.assert_array_equal(matmul_exact._by_windows(left, right).view(np.uint32), expected)
        if exact:
            np.testing.assert_array_equal(matmul_exact._direct(left, right).view(np.uint32), expected)
    assert paths == sorted(paths, reverse=True)
    assert paths[0]
    assert not paths[-1]


def test_beyond_the_boundary_one_product_is_wrong() -> None:
    """The check is needed: large products that cancel take the small ones with them in float64."""
    fmt = block_format("MXFP4-E5M2", 8)
    a_codes = np.repeat([2, 2, 2, 10, 2], 8).astype(np.uint8)[None]
    w_codes = np.full((1, 40), 2, np.uint8)
    scales = np.array([1, 120, 1, 120, 1], np.uint8).reshape(1, 5, 1)
    a, w = (Blocks.from_codes(codes=codes, scales=scales, fmt=fmt) for codes in (a_codes, w_codes))
    assert matmul(a, w) == 3 * 8 * 2.0**-32
    assert matmul_exact._direct(Matrix.from_blocks(a), Matrix.from_blocks(w)) != 3 * 8 * 2.0**-32


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_windows_of_any_width(seed: int, width: int) -> None:
    """Narrow windows make many parts, whose products overlap."""
    rng = np.random.default_rng(seed)
    a, w = (random_blocks(rng, (5, 32), block_format("AMXFP4", 8), 0, 124) for _ in range(2))
    expected = by_dot(a, w, "exact").view(np.uint32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matmul_exact, "_window_width", lambda *_: width)
        found = matmul_exact._by_windows(Matrix.from_blocks(a), Matrix.from_blocks(w))
    np.testing.assert_array_equal(found.view(np.uint32), expected)


INTEGERS = {"AMXFP4-X2": 24, "AMXFP4-Z8": 16, "AMXFP4-Z": 24}
"""The largest element as an integer; of formats that are not here it is 12, for 6 in units of 1/2."""


def test_the_window_s_width_keeps_products_of_parts_exact() -> None:
    for a_fmt, w_fmt in product([fmt for fmt in formats() if fmt.scale.is_fp8], repeat=2):
        for length in 8, 1024, 4096, 1 << 24:
            width = matmul_exact._window_width(a_fmt, w_fmt, length)
            largest = [
                INTEGERS.get(fmt.name, 12) * int(fmt.scale.significands.max()) << (width - 1) for fmt in (a_fmt, w_fmt)
            ]
            assert 7 <= width <= 22
            assert length * largest[0] * largest[1] <= 2**53


def with_scales(blocks: Blocks, where: tuple[int, int], scales: tuple[int, int]) -> Blocks:
    changed = blocks.scales.copy()
    changed[where] = scales
    return replace(blocks, scales=changed)


def test_tiles_are_decided_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul_exact, "_TILE", 8)
    rng = np.random.default_rng(21)
    fmt = block_format("AMXFP4", 8)
    a, w = random_blocks(rng, (30, 32), fmt, 40, 44), random_blocks(rng, (21, 32), fmt, 40, 44)
    a, w = with_scales(a, (3, 1), (1, 123)), with_scales(w, (20, 2), (123, 1))
    exact = matmul_exact._exact_tiles(Matrix.from_blocks(a).bounds(), Matrix.from_blocks(w).bounds())
    assert exact.shape == (4, 3)
    assert exact.any()
    assert not exact.all()
    check(a, w)


@pytest.mark.parametrize(("a_name", "w_name"), [("MXFP4", "AMXFP4-E8M0"), ("AMXFP4-E8M0", "AMXFP4-E5M2")])
def test_fp32_below_and_beyond_float32(a_name: str, w_name: str) -> None:
    """Where the sums of terms leave float32's range, and where only just not."""
    rng = np.random.default_rng(22)
    a_fmt, w_fmt = block_format(a_name, 8), block_format(w_name, 8)
    middle = 127 if w_name == "AMXFP4-E8M0" else 60
    seen = set()
    for a_code in (0, 10, 20, 40, 60, 127, 200, 240, 247, 250):
        for w_code in (middle - 40, middle, middle + 40):
            a = random_blocks(rng, (6, 32), a_fmt, a_code, a_code + 4)
            w = random_blocks(rng, (6, 32), w_fmt, w_code, w_code + 4)
            bounds = (Matrix.from_blocks(blocks).bounds() for blocks in (a, w))
            seen.add(matmul_fp32._fits_float32(*bounds, 32))
            check(a, w)
    assert seen == {True, False}


def test_fp32_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    in_tiles(monkeypatch, rows=4, columns=3, blocks=2)
    rng = np.random.default_rng(23)
    for a_name, w_name in ("AMXFP4", "AMXFP4-E4M3"), ("MXFP4", "AMXFP4-E8M0"):
        a = random_blocks(rng, (11, 56), block_format(a_name, 8))
        w = random_blocks(rng, (10, 56), block_format(w_name, 8))
        check(a, w)


def test_nan_rows_and_columns_only() -> None:
    x = np.random.default_rng(24).standard_normal((6, 64)).astype(np.float32)
    y = x[:5].copy()
    x[2, 40] = np.nan
    y[4, 0] = np.inf
    for name in "AMXFP4", "MXFP4":
        result = matmul(quantize(x, name), quantize(y, name))
        expected = np.zeros((6, 5), bool)
        expected[2, :] = expected[:, 4] = True
        np.testing.assert_array_equal(np.isnan(result), expected)
        assert (result[2].view(np.uint32) == 0x7FC00000).all()


def test_a_larger_product_against_the_reference() -> None:
    """Several tiles of each kind, spot checks in Python's integers."""
    rng = np.random.default_rng(25)
    for name, low, high in (("AMXFP4", 0, 124), ("AMXFP4", 50, 60), ("MXFP4", 0, 255)):
        fmt = block_format(name)
        a, w = random_blocks(rng, (600, 256), fmt, low, high), random_blocks(rng, (530, 256), fmt, low, high)
        result = matmul(a, w)
        rows, columns = rng.integers(0, 600, 200), rng.integers(0, 530, 200)
        picked = (
            Blocks.from_codes(codes=blocks.codes[index], scales=blocks.scales[index], fmt=fmt)
            for blocks, index in ((a, rows), (w, columns))
        )
        np.testing.assert_array_equal(result[rows, columns].view(np.uint32), dot_detailed(*picked).bits)


def test_weights_quantised_along_their_first_axis() -> None:
    rng = np.random.default_rng(26)
    x, w = (rng.standard_normal(shape).astype(np.float32) for shape in ((4, 40), (40, 6)))
    np.testing.assert_array_equal(
        matmul(quantize(x, "AMXFP4"), quantize(w, "AMXFP4", axis=0)),
        matmul(quantize(x, "AMXFP4"), quantize(w.T, "AMXFP4")),
    )


@pytest.mark.parametrize("name", ["AMXFP4", "MXFP4"])
def test_empty_matrices(name: str) -> None:
    def zeros(rows: int, length: int) -> Blocks:
        return quantize(np.zeros((rows, length), np.float32), name)

    assert matmul(zeros(0, 32), zeros(3, 32)).shape == (0, 3)
    assert matmul(zeros(3, 32), zeros(0, 32)).shape == (3, 0)
    result = matmul(zeros(2, 0), zeros(3, 0))
    assert result.view(np.uint32).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_zero_results_are_positive() -> None:
    x = np.array([[-1.0, 0], [0, -1.0], [0, 0]], np.float32)
    for name in "AMXFP4", "MXFP4-E5M2", "MXFP4":
        blocks = quantize(x, name)
        for accumulator in accumulators(blocks.fmt, blocks.fmt):
            result = matmul(blocks, blocks, accumulator)
            assert not np.signbit(result).any()


def test_bad_input() -> None:
    x = np.zeros((2, 64), np.float32)
    a = quantize(x, "AMXFP4")
    with pytest.raises(UsageError, match=r"w has shape \(64,\); matmul takes two axes"):
        matmul(a, quantize(x[0], "AMXFP4"))
    with pytest.raises(UsageError, match=r"a has shape \(1, 2, 64\); matmul takes two axes"):
        matmul(quantize(x[None], "AMXFP4"), a)
    with pytest.raises(UsageError, match="reduction lengths 64 and 32 differ"):
        matmul(a, quantize(x[:, :32], "AMXFP4"))
    with pytest.raises(UsageError, match="the exact accumulator cannot take MXFP4,"):
        matmul(a, quantize(x, "MXFP4"), "exact")
    with pytest.raises(UsageError, match="unknown accumulator 'fp16'"):
        matmul(a, a, "fp16")  # type: ignore[arg-type]
