"""The windowed accumulator: `dot`, `dot_detailed` and `matmul` against fractions, and what a window may be."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from helpers.fraction_oracle import Dot, formats, random_blocks
from helpers.small_tiles import in_tiles
from hypothesis import given, settings
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import BlockFormat, Blocks, Window, block_format, dot, dot_detailed, matmul, matmul_window, quantize
from amxfp4.golden.dense_matrix import Matrix
from amxfp4.golden.terms import largest_significand
from amxfp4.golden.windowed import MAX_WINDOW_BITS

PAIRS = [pair for pair in product(formats(8), repeat=2) if not all(fmt.scale.is_fp8 for fmt in pair)]
EACH_PAIR = pytest.mark.parametrize(("a_fmt", "w_fmt"), PAIRS, ids=lambda fmt: fmt.name)
MXFP4 = block_format("MXFP4", 8)


def row(blocks: Blocks, index: int) -> Blocks:
    return Blocks.from_codes(codes=blocks.codes[index], scales=blocks.scales[index], fmt=blocks.fmt)


def check(a: Blocks, w: Blocks, window: Window) -> list[int]:
    """All of the golden functions agree with the oracle, bit for bit. Returns the results' bits."""
    oracles = [Dot(row(a, index), row(w, index)) for index in range(len(a.codes))]
    expected = [oracle.window(window.exponent, window.bits) for oracle in oracles]
    assert dot(a, w, "window", window=window).view(np.uint32).tolist() == expected
    detailed = dot_detailed(a, w, "window", window=window)
    assert detailed.bits.tolist() == expected
    nan = np.array(expected) == 0x7FC00000
    np.testing.assert_array_equal(detailed.nan, nan)
    np.testing.assert_array_equal(detailed.overflow, nan & ~np.array([oracle.nan for oracle in oracles]))
    product = matmul(a, w, "window", window=window)
    assert np.diagonal(product).view(np.uint32).tolist() == expected
    return expected


def near(fmt: BlockFormat, exponent: int, span: int) -> tuple[int, int]:
    """Codes of scales about 2^exponent, from and to below."""
    middle = (exponent + fmt.scale.bias) << fmt.scale.mantissa_bits
    spread = span << fmt.scale.mantissa_bits
    return max(0, min(middle - spread, fmt.scale.max_code)), max(1, min(middle + spread, fmt.scale.max_code + 1))


@EACH_PAIR
def test_any_codes(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    rng = np.random.default_rng(31)
    check(random_blocks(rng, (6, 24), a_fmt), random_blocks(rng, (6, 24), w_fmt), Window())


@EACH_PAIR
def test_about_both_ends_of_the_window(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    """Terms that lie partly or wholly below the window, that fill it, and that lie above it."""
    rng = np.random.default_rng(32)
    window = Window(-20, 36)
    found: list[int] = []
    for level in (-36, -24, -12, 0, 4, 10):
        a = random_blocks(rng, (4, 24), a_fmt, *near(a_fmt, level // 2, 3))
        w = random_blocks(rng, (4, 24), w_fmt, *near(w_fmt, level - level // 2, 3))
        found += check(a, w, window)
    assert 0 < found.count(0x7FC00000) < len(found)


@settings(max_examples=60)
@given(
    st.sampled_from(PAIRS),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
    st.integers(-126, 32),
    st.integers(24, MAX_WINDOW_BITS),
    st.integers(-45, 70),
    st.integers(1, 30),
)
def test_hypothesis(
    pair: tuple[BlockFormat, BlockFormat], blocks: int, seed: int, exponent: int, bits: int, above: int, span: int
) -> None:
    rng = np.random.default_rng(seed)
    # Scales whose products are about so many places above the window's least bit, as far as the formats have them.
    a_level = int(np.clip((exponent + above) // 2, -10, 10)) if pair[0].scale.is_fp8 else (exponent + above) // 2
    levels = a_level, exponent + above - a_level
    a, w = (
        random_blocks(rng, (2, 8 * blocks), fmt, *near(fmt, level, span))
        for fmt, level in zip(pair, levels, strict=True)
    )
    check(a, w, Window(exponent, bits))


@pytest.mark.parametrize("size", [16, 32, 128])
def test_block_sizes(size: int) -> None:
    rng = np.random.default_rng(size)
    for a_name, w_name in ("MXFP4", "MXFP4"), ("AMXFP4-E8M0", "AMXFP4-X2"):
        a_fmt, w_fmt = block_format(a_name, size), block_format(w_name, size)
        for level in -40, 0, 9:
            a = random_blocks(rng, (2, 2 * size), a_fmt, *near(a_fmt, level, 3))
            check(a, random_blocks(rng, (2, 2 * size), w_fmt, *near(w_fmt, 0, 3)), Window())


def single(a_scales: list[int], w_code: int, elements: int = 8, a_code: int = 2) -> tuple[Blocks, Blocks]:
    """Blocks of eight: the first `elements` of the activations are `a_code`, the others 0; weights are `w_code`, at 1.

    The activations' scales are powers of two, given by their exponents.
    """
    codes = np.tile(np.where(np.arange(8) < elements, a_code, 0).astype(np.uint8), len(a_scales))
    scales = (np.array(a_scales)[:, None] + 127).astype(np.uint8)
    ones = np.full_like(scales, 127)
    a = Blocks.from_codes(codes=codes[None], scales=scales[None], fmt=MXFP4)
    w = Blocks.from_codes(codes=np.full((1, codes.size), w_code, np.uint8), scales=ones[None], fmt=MXFP4)
    return a, w


def test_bits_below_the_window_are_left_out_of_each_term_downwards() -> None:
    half = single([-3, -3], 2, elements=4)  # twice 4/8
    assert dot(*half, "window", window=Window(0, 20)) == 0
    assert dot(*half, "window", window=Window(-1, 20)) == 1
    negative = single([-3, -3], 10, elements=4)
    assert dot(*negative, "window", window=Window(0, 20)) == -2
    # However far below, a negative term is one bit.
    assert dot(*single([-127], 10), "window", window=Window(0, 20)) == -1
    assert dot(*single([-127], 2), "window", window=Window(0, 20)).view(np.uint32) == 0


def test_a_term_whose_scales_lie_above_the_window_overflows_however_small() -> None:
    window = Window(0, 20)
    # The largest block, 8 * 36 with scales of 1, takes 11 bits in quarters. 8 more are left below the sign.
    limit = window.largest_exponent(MXFP4, MXFP4)
    assert limit == 8
    fits, above = (single([limit + 2 + up], 1, elements=1, a_code=1) for up in (0, 1))
    assert dot(*fits, "window", window=window) == 256
    assert np.isnan(dot(*above, "window", window=window))
    detailed = dot_detailed(*above, "window", window=window)
    assert (detailed.bits, detailed.nan, detailed.overflow) == (0x7FC00000, True, True)
    # A term of zero is zero whatever its scales.
    assert dot(*single([100], 0), "window", window=window).view(np.uint32) == 0


def test_a_total_that_leaves_the_window_overflows_for_good() -> None:
    window = Window(0, 14)  # -8192 .. 8191
    full = single([4] * 4, 6, a_code=6)  # four times 2048
    assert np.isnan(dot(*full, "window", window=window))
    assert dot(*single([4] * 4, 14, a_code=6), "window", window=window) == -8192
    assert dot(*full, "window", window=Window(0, 15)) == 8192
    a, w = single([4] * 5, 6, a_code=6)
    codes = w.codes.copy()
    codes[0, 32:] = 14
    w = replace(w, codes=codes)
    assert np.isnan(dot(a, w, "window", window=window))
    assert dot(a, w, "window", window=Window(0, 15)) == 6144


def test_nan_hides_overflow() -> None:
    a, w = single([120], 2)
    scales = w.scales.copy()
    scales[0, 0, 0] = 255
    w = replace(w, scales=scales)
    detailed = dot_detailed(a, w, "window")
    assert (detailed.bits, detailed.nan, detailed.overflow) == (0x7FC00000, True, False)


def test_real_scales_lose_nothing_on_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ordinary matrices take one float64 product, and give what the sums by blocks give."""
    rng = np.random.default_rng(33)
    a, w = (
        quantize((rng.standard_normal((rows, 96)) * size).astype(np.float32), "MXFP4")
        for rows, size in ((20, 3.0), (30, 0.05))
    )
    found = matmul(a, w, "window")
    left, right = Matrix.from_blocks(a), Matrix.from_blocks(w)
    window = Window()
    by_blocks = matmul_window._by_blocks(left, right, window, window.largest_exponent(a.fmt, w.fmt))
    np.testing.assert_array_equal(found, by_blocks)
    monkeypatch.setattr(matmul_window, "_by_blocks", None)
    np.testing.assert_array_equal(matmul(a, w, "window"), found)


def test_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tile's rows, columns and blocks are its own, also where a term's scales lie above the window."""
    in_tiles(monkeypatch, rows=4, columns=3, blocks=2)
    rng = np.random.default_rng(34)
    fmt = block_format("AMXFP4-E8M0", 8)
    a, w = (random_blocks(rng, (rows, 40), fmt, 110, 141) for rows in (9, 10))
    found = matmul(a, w, "window", window=Window(-20, 40))
    assert 0 < np.isnan(found).sum() < found.size
    column = Blocks.from_codes(codes=a.codes[:, None], scales=a.scales[:, None], fmt=fmt)
    expected = dot(column, w, "window", window=Window(-20, 40))
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))


def test_no_blocks_is_zero() -> None:
    empty = Blocks.from_codes(codes=np.zeros((2, 0), np.uint8), scales=np.zeros((2, 0, 1), np.uint8), fmt=MXFP4)
    assert dot(empty, empty, "window").view(np.uint32).tolist() == [0, 0]
    assert matmul(empty, empty, "window").view(np.uint32).tolist() == [[0, 0], [0, 0]]


def test_the_largest_sum_of_a_block() -> None:
    assert largest_significand(block_format("MXFP4"), block_format("MXFP4")) == 4608
    assert largest_significand(block_format("MXFP4-E4M3", 8), block_format("AMXFP4-X2", 8)) == 8 * 12 * 15 * 24 * 15


def test_bad_input() -> None:
    fp8 = block_format("AMXFP4", 8)
    a, w = single([0], 2)
    with pytest.raises(UsageError, match=r"window bits 11 is not allowed; with MXFP4 and MXFP4 .* at least 12"):
        dot(a, w, "window", window=Window(0, 11))
    assert dot(a, w, "window", window=Window(-2, 12)) == 8
    blocks = random_blocks(np.random.default_rng(0), (1, 8), fp8)
    with pytest.raises(UsageError, match="the window accumulator does not take AMXFP4-E5M2 and AMXFP4-E5M2"):
        matmul(blocks, blocks, "window")
    with pytest.raises(UsageError, match="accumulator_bits 54 is not allowed"):
        dot_detailed(a, w, "window", accumulator_bits=54)
    for bad in (Window, 1), (Window, True):
        with pytest.raises(UsageError, match="window bits"):
            bad[0](0, bad[1])
    with pytest.raises(UsageError, match=r"window bits 97 is not allowed; it is from 2 to 96"):
        Window(0, 97)
    with pytest.raises(UsageError, match=r"window exponent 0.5 is not an integer"):
        Window(0.5)  # type: ignore[arg-type]
    for exponent in -127, 75:
        with pytest.raises(UsageError, match=rf"window exponent {exponent} is not allowed; .* from -126 to 74"):
            Window(exponent)
