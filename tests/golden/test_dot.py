"""Dot products against fractions: every pair of formats, the accumulators exact and fp32, every spread."""

from itertools import product

import numpy as np
import pytest
from helpers.fraction_oracle import Dot, formats, random_blocks
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import Accumulator, BlockFormat, Blocks, block_format, dot, dot_detailed, quantize
from amxfp4.golden.dot import _sum_in_float64, add_in_float32
from amxfp4.golden.dot_detailed import _accumulate_fp32
from amxfp4.golden.terms import block_terms

PAIRS = list(product(formats(8), repeat=2))
EACH_PAIR = pytest.mark.parametrize(("a_fmt", "w_fmt"), PAIRS, ids=lambda fmt: fmt.name)


def accumulators(a_fmt: BlockFormat, w_fmt: BlockFormat) -> list[Accumulator]:
    return ["exact", "fp32"] if a_fmt.scale.is_fp8 and w_fmt.scale.is_fp8 else ["fp32"]


def row(blocks: Blocks, index: int) -> Blocks:
    return Blocks.from_codes(codes=blocks.codes[index], scales=blocks.scales[index], fmt=blocks.fmt)


def check(a: Blocks, w: Blocks) -> None:
    """`dot`, `dot_detailed` and the oracle agree, bit for bit."""
    oracles = [Dot(row(a, index), row(w, index)) for index in range(len(a.codes))]
    for accumulator in accumulators(a.fmt, w.fmt):
        expected = [getattr(oracle, accumulator)() for oracle in oracles]
        found = dot(a, w, accumulator)
        assert found.dtype == np.float32
        assert found.view(np.uint32).tolist() == expected
        detailed = dot_detailed(a, w, accumulator)
        assert detailed.bits.tolist() == expected
        assert detailed.nan.tolist() == [oracle.nan for oracle in oracles]
        infinite = [bits & 0x7FFFFFFF == 0x7F800000 for bits in expected]
        assert detailed.overflow.tolist() == infinite


@EACH_PAIR
def test_any_codes(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    """Codes from all of them: NaN scales, zero scales and negative zeros, exponents at opposite extremes."""
    rng = np.random.default_rng(8)
    check(random_blocks(rng, (20, 32), a_fmt), random_blocks(rng, (20, 32), w_fmt))


@EACH_PAIR
@pytest.mark.parametrize("span", [1, 9, 60])
def test_narrow_and_wide_spreads(a_fmt: BlockFormat, w_fmt: BlockFormat, span: int) -> None:
    rng = np.random.default_rng(span)
    for start in range(0, a_fmt.scale.max_code, 50):
        a = random_blocks(rng, (4, 24), a_fmt, start, min(start + span, a_fmt.scale.max_code + 1))
        w = random_blocks(rng, (4, 24), w_fmt, start, min(start + span, w_fmt.scale.max_code + 1))
        check(a, w)


@pytest.mark.parametrize(("a_fmt", "w_fmt"), [pair for pair in PAIRS if "fp32" in accumulators(*pair)[:1]], ids=str)
def test_terms_below_and_beyond_float32(a_fmt: BlockFormat, w_fmt: BlockFormat) -> None:
    """Sums around 2^-149 and 2^128, where rounding twice would show."""
    rng = np.random.default_rng(9)
    for a_code, w_code in (0, 0), (50, 60), (54, 56), (254, 120), (190, 190), (254, 254):
        a = random_blocks(rng, (6, 32), a_fmt, *around(a_fmt, a_code))
        w = random_blocks(rng, (6, 32), w_fmt, *around(w_fmt, w_code))
        check(a, w)


def around(fmt: BlockFormat, code: int) -> tuple[int, int]:
    code = min(code, fmt.scale.max_code)
    return max(code - 8, 0), min(code + 8, fmt.scale.max_code + 1)


@given(
    st.sampled_from(PAIRS),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(0, 255), st.integers(1, 256)),
    st.tuples(st.integers(0, 255), st.integers(1, 256)),
)
def test_hypothesis(
    pair: tuple[BlockFormat, BlockFormat], blocks: int, seed: int, a_span: tuple[int, int], w_span: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    operands = [
        random_blocks(rng, (2, 8 * blocks), fmt, low, max(low + 1, low + span))
        for fmt, (low, span) in zip(pair, (a_span, w_span), strict=True)
    ]
    check(*operands)


BLOCK_SIZE_PAIRS = (
    ("AMXFP4", "MXFP4-E4M3"),
    ("AMXFP4-E8M0", "AMXFP4-E4M3"),
    ("MXFP4", "MXFP4"),
    ("AMXFP4-X2", "AMXFP4-X2"),
    ("AMXFP4-X2", "AMXFP4"),
    ("MXFP4-UE5M3", "AMXFP4-X2"),
)


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_block_sizes(size: int) -> None:
    rng = np.random.default_rng(size)
    for a_fmt, w_fmt in BLOCK_SIZE_PAIRS:
        a = random_blocks(rng, (2, 2 * size), block_format(a_fmt, size))
        w = random_blocks(rng, (2, 2 * size), block_format(w_fmt, size))
        check(a, w)


def test_both_sides_of_the_boundary_of_the_fast_path() -> None:
    """Spreads that grow bit by bit: float64 sums first, limbs later, the same bits as the reference throughout."""
    fmt = block_format("MXFP4-E5M2", 8)
    rng = np.random.default_rng(10)
    exact_rows = []
    for spread in range(31):
        scales = np.full((40, 4, 1), 4, np.uint8)
        scales[:, ::2] += 4 * np.uint8(min(spread, 29))
        a, w = (
            Blocks.from_codes(codes=rng.integers(0, 16, (40, 32), dtype=np.uint8), scales=scales, fmt=fmt)
            for _ in range(2)
        )
        terms = block_terms(a, w)
        _, exact = _sum_in_float64(terms[0].significand, terms[0].exponent)
        exact_rows.append(int(exact.sum()))
        np.testing.assert_array_equal(dot(a, w).view(np.uint32), dot_detailed(a, w).bits)
    assert exact_rows[0] == 40
    assert exact_rows[-1] == 0
    assert any(0 < rows < 40 for rows in exact_rows)


def test_float64_on_the_way_to_float32_is_harmless() -> None:
    """Sums near float32's ties and edges, against integers."""
    rng = np.random.default_rng(11)
    base = -256
    for _ in range(3000):
        high = int(rng.integers(1, 1 << 24)) << int(rng.integers(0, 120))
        gap = int(rng.integers(0, 110))
        low = int(rng.integers(-3, 4)) << gap
        terms = [int(rng.choice([-1, 1])) * high, low << int(rng.integers(0, 60)), 1 << gap]
        total = np.zeros(1, np.float32)
        for term in terms:
            total = add_in_float32(total, np.ldexp(np.float64([term]), base))
        assert total.view(np.uint32)[0] == _accumulate_fp32(terms, base)


def test_leading_axes_broadcast() -> None:
    rng = np.random.default_rng(12)
    fmt = block_format("AMXFP4", 8)
    a, w = random_blocks(rng, (5, 1, 16), fmt), random_blocks(rng, (3, 16), fmt)
    for accumulator in accumulators(fmt, fmt):
        result = dot(a, w, accumulator)
        assert result.shape == (5, 3)
        assert result[4, 2].view(np.uint32) == dot(row(row(a, 4), 0), row(w, 2), accumulator).view(np.uint32)
        np.testing.assert_array_equal(dot_detailed(a, w, accumulator).bits, result.view(np.uint32))


def test_one_dimension_and_none() -> None:
    x = np.random.default_rng(13).standard_normal(50).astype(np.float32)
    blocks = quantize(x, "AMXFP4")
    assert dot(blocks, blocks).shape == ()
    empty = quantize(np.zeros((3, 0), np.float32), "AMXFP4")
    for accumulator in accumulators(empty.fmt, empty.fmt):
        assert dot(empty, empty, accumulator).view(np.uint32).tolist() == [0, 0, 0]


def test_the_quantised_axis_is_the_one_summed_over() -> None:
    rng = np.random.default_rng(14)
    x = rng.standard_normal((40, 3)).astype(np.float32)
    np.testing.assert_array_equal(
        dot(quantize(x, "AMXFP4", axis=0), quantize(x.T, "AMXFP4")),
        dot(quantize(x.T, "AMXFP4"), quantize(x.T, "AMXFP4")),
    )


def test_bad_input() -> None:
    x = np.zeros((2, 64), np.float32)
    a = quantize(x, "AMXFP4")
    with pytest.raises(UsageError, match="reduction lengths 64 and 63 differ"):
        dot(a, quantize(x[:, :63], "AMXFP4"))
    with pytest.raises(UsageError, match="the exact accumulator cannot take MXFP4,"):
        dot(a, quantize(x, "MXFP4"), "exact")
    with pytest.raises(UsageError, match=r"shapes \(2,\) and \(3,\) of the other axes do not broadcast"):
        dot(a, quantize(np.zeros((3, 64), np.float32), "AMXFP4"))
    with pytest.raises(UsageError, match="unknown accumulator 'float'"):
        dot(a, a, "float")  # type: ignore[arg-type]
