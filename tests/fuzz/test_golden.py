"""Golden's public functions on random inputs: right, or refused in one sentence."""

from collections.abc import Callable
from fractions import Fraction
from math import log2, prod
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.fraction_oracle import Dot, random_blocks
from helpers.golden_calls import GOLDEN_CALLS, Call
from helpers.hostile import meet, values
from helpers.quantize_oracle import direct
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    ENCODES,
    ROUNDINGS,
    SCALE_FORMATS,
    Blocks,
    block_format,
    decode_elements,
    decode_scales,
    dot,
    dot_detailed,
    encode_elements,
    encode_scales,
    matmul,
    quantize,
    sqnr,
)

FORMATS = st.builds(block_format, st.sampled_from(BLOCK_FORMAT_NAMES), st.sampled_from((8, 16, 32, 64, 128)))
SEEDS = st.integers(0, 2**32 - 1)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=20)

# -- anything at all


ARRAYS = hnp.arrays(hnp.scalar_dtypes() | hnp.array_dtypes(), hnp.array_shapes(min_dims=0, min_side=0, max_side=9))
INTEGERS = st.integers(-1000, 1000) | st.integers(2**33, 2**70)  # a number in between may be a long schedule
SCALARS = INTEGERS | st.floats() | st.text(max_size=9) | st.binary(max_size=9) | st.complex_numbers() | st.none()
ANYTHING = st.deferred(lambda: st.sampled_from(values()) | SCALARS | ARRAYS | st.lists(SCALARS, max_size=4))


def check_anything(call: Call, data: st.DataObject) -> None:
    function, arguments = call
    names = data.draw(st.lists(st.sampled_from(list(arguments)), min_size=1, max_size=3, unique=True))
    meet(function, **arguments | {name: data.draw(ANYTHING) for name in names})


# -- quantising


def floats(seed: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Of the dtype: any bits, or a few octaves, or few significant bits; with zeros, and seldom NaN or infinity."""
    rng = np.random.default_rng(seed)
    width = np.dtype(dtype).itemsize * 8
    if rng.random() < 0.3:
        return rng.integers(0, 1 << width, shape, np.uint64).astype(f"u{width // 8}").view(dtype)
    steps = rng.integers(-64, 65, shape) if rng.random() < 0.5 else rng.standard_normal(shape)
    x = steps * 2.0 ** (rng.integers(-150, 127) + rng.integers(-4, 1, shape))
    return np.where(rng.random(shape) < 0.1, 0, x).astype(np.float32).astype(dtype)


def check_quantize(seed: int, shape: tuple[int, ...], choices: dict[str, Any], layout: int) -> None:
    fmt, dtype = choices.pop("fmt"), choices.pop("dtype")
    with np.errstate(all="ignore"):
        plain = floats(seed, shape, dtype)
    axis = layout % len(shape)
    x = [plain, np.asfortranarray(plain), np.flip(np.flip(plain).copy())][layout % 3]
    if layout % 2 and dtype is np.float32:
        x = x.astype(">f4")
    before = x.tobytes()
    blocks = quantize(x, fmt, axis=axis - len(shape) * (layout % 2), tensor_scale=1, **choices)
    assert x.tobytes() == before
    assert blocks.shape == shape and blocks.axis == axis
    assert (blocks.codes < 16).all() and (fmt.specials or not (blocks.codes == 8).any())
    rows = np.moveaxis(plain.astype(np.float32), axis, -1).reshape(prod(shape) // max(shape[axis], 1), shape[axis])
    padded = np.pad(rows, [(0, 0), (0, -shape[axis] % fmt.block_size)]).reshape(-1, fmt.block_size)
    finite = np.isfinite(padded).all(axis=1)
    scales = blocks.scales.reshape(-1, fmt.scale_fields)
    codes = blocks.codes.reshape(-1, fmt.block_size)
    numbers = scales[:, : fmt.scales_per_block]
    assert (numbers[finite] <= fmt.scale.max_float32_code).all() and (numbers[~finite] == fmt.scale.nan_code).all()
    if choices["encode"] == "direct":
        for index in range(min(len(padded), 3)):
            assert (codes[index].tolist(), scales[index].tolist()) == direct(padded[index], fmt, choices["rounding"])
    else:
        check_not_worse(blocks, quantize(x, fmt, axis=axis, rounding=choices["rounding"], tensor_scale=1), plain)
    check_values(blocks, finite)


def check_not_worse(chosen: Blocks, cast: Blocks, x: np.ndarray) -> None:
    """Least error is at most the direct cast's in each block, but for the rounding of the errors' sums."""
    errors = []
    for blocks in (chosen, cast):
        difference = np.moveaxis(x.astype(np.float64) - blocks.dequantize(np.float64), blocks.axis, -1)
        padding = [(0, 0)] * (x.ndim - 1) + [(0, -x.shape[blocks.axis] % blocks.fmt.block_size)]
        errors.append(np.square(np.pad(difference, padding)).reshape(-1, blocks.fmt.block_size).sum(axis=1))
    assert (np.isnan(errors[0]) == np.isnan(errors[1])).all()
    assert not (errors[0] > errors[1] * (1 + 1e-12)).any()


def check_values(blocks: Blocks, finite: np.ndarray) -> None:
    """`dequantize` is finite exactly where the block was, the same in both dtypes, and the same after `to_bytes`."""
    wide, narrow = blocks.dequantize(np.float64), blocks.dequantize()
    np.testing.assert_array_equal(wide, narrow)
    elements = np.repeat(finite.reshape(blocks.scales.shape[:-1]), blocks.fmt.block_size, axis=-1)
    np.testing.assert_array_equal(
        np.isfinite(wide), np.moveaxis(elements[..., : blocks.length], -1, blocks.axis), strict=True
    )
    again = Blocks.from_bytes(blocks.to_bytes(), shape=blocks.shape, fmt=blocks.fmt, axis=blocks.axis)
    assert (again.codes == blocks.codes).all() and (again.scales == blocks.scales).all()


QUANTIZE = (
    SEEDS,
    SHAPES,
    st.fixed_dictionaries(
        {
            "fmt": FORMATS,
            "dtype": st.sampled_from((np.float32, np.float16, ml_dtypes.bfloat16)),
            "rounding": st.sampled_from(ROUNDINGS),
            "encode": st.sampled_from(ENCODES),
        }
    ),
    st.integers(0, 23),
)

# -- products


def check_products(seed: int, left: str, right: str, sizes: tuple[int, int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    m, n, blocks, block_size = sizes
    wide = rng.random() < 0.5  # terms far below others; else alike, so that their sums are rounded within
    operands = []
    for name, rows in ((left, m), (right, n)):
        fmt = block_format(name, block_size)
        low, high = (0, fmt.scale.max_code)
        if not wide:
            low = rng.integers(0, fmt.scale.max_code + 1)
            high = min(low + rng.integers(0, 1 << rng.integers(0, 8)), fmt.scale.max_code)
        high = fmt.scale.nan_code if rng.random() < 0.05 else high
        operands.append(random_blocks(rng, (rows, blocks * block_size), fmt, int(low), int(high) + 1))
    a, w = operands
    if rng.random() < 0.5 and blocks > 1:
        a, w = repeated(rng, a, negated=True), repeated(rng, w, negated=False)
    fp8 = a.fmt.scale.is_fp8 and w.fmt.scale.is_fp8
    for accumulator in ("fp32", "exact" if fp8 else "window"):
        found = matmul(a, w, accumulator).view(np.uint32)
        column = Blocks(w.codes[:, None], w.scales[:, None], (n, 1, w.length), w.fmt, 2)
        np.testing.assert_array_equal(dot(a, column, accumulator).view(np.uint32).T, found)
        np.testing.assert_array_equal(dot_detailed(a, column, accumulator).bits.T, found)
        for i, j in np.ndindex(m, n):
            rows = (Blocks(b.codes[r], b.scales[r], (b.length,), b.fmt, 0) for b, r in ((a, i), (w, j)))
            assert found[i, j] == getattr(Dot(*rows), accumulator)()


NAMES = st.sampled_from(BLOCK_FORMAT_NAMES)


def repeated(rng: np.random.Generator, blocks: Blocks, *, negated: bool) -> Blocks:
    """Large scales in the first block, which is the last one too, negated: what is between must outlast them."""
    fmt = blocks.fmt
    codes, scales = blocks.codes.copy(), blocks.scales.copy()
    scales[:, 0, : fmt.scales_per_block] = fmt.scale.max_code - rng.integers(0, 8)
    codes[:, -fmt.block_size :] = codes[:, : fmt.block_size] ^ (8 * negated)
    scales[:, -1] = scales[:, 0]
    if negated and fmt.asymmetric:
        scales[:, -1] = scales[:, 0, ::-1]
    if negated and fmt.halving:
        scales[:, -1, 1] = np.uint8([0, 2, 1, 3])[scales[:, 0, 1]]
    return Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)


COUNTS = st.sampled_from((3, 2, 1, 0))
SIZES = st.tuples(COUNTS, COUNTS, st.sampled_from((4, 3, 3, 3, 2, 1, 0)), st.sampled_from((8, 16, 32)))
PRODUCTS = (SEEDS, NAMES, NAMES, SIZES)

# -- codes, and errors


def check_codes(scale_name: str, rounding: Any, number: float) -> None:
    """The nearest code, of equals the larger one or the even one; and back to its own value."""
    scale = SCALE_FORMATS[scale_name]
    codes = np.arange(scale.max_code + 1, dtype=np.uint8)
    for magnitudes, encode in (
        (decode_scales(codes, scale), lambda x: encode_scales(x, scale, rounding)),
        (decode_elements(codes[:8]), lambda x: encode_elements(x, rounding)),
    ):
        assert encode(magnitudes).tolist() == list(range(len(magnitudes)))
        for x in (abs(number), *_ties(magnitudes, number)):
            code = int(encode(np.float64(x)))
            exact = [abs(Fraction(float(m)) - Fraction(x)) for m in magnitudes[max(code - 1, 0) : code + 2]]
            least = [max(code - 1, 0) + i for i, distance in enumerate(exact) if distance == min(exact)]
            wanted = [c for c in least if c % 2 == 0] if rounding == "nearest-even" and len(least) > 1 else least
            assert code == wanted[-1]


def _ties(magnitudes: np.ndarray, number: float) -> list[float]:
    """A midpoint, which `number` chooses, and the floats beside it."""
    at = int(abs(number) % (len(magnitudes) - 1))
    tie = (float(magnitudes[at]) + float(magnitudes[at + 1])) / 2
    return [tie, float(np.nextafter(tie, 0)), float(np.nextafter(tie, np.inf))]


CODES = (st.sampled_from(list(SCALE_FORMATS)), st.sampled_from(ROUNDINGS), st.floats(-1e30, 1e30))


def check_sqnr(pairs: list[tuple[float, float]]) -> None:
    signal = sum(Fraction(x) ** 2 for x, _ in pairs)
    noise = sum((Fraction(x) - Fraction(y)) ** 2 for x, y in pairs)
    differences = [abs(Fraction(x) - Fraction(y)) for x, y in pairs]
    # The difference is a float64 too, rounded where the two are close to its range's ends.
    assume(all(d == 0 or d >= Fraction(2) ** -1022 for d in differences))
    found = sqnr(*zip(*pairs, strict=True))
    if not noise or not signal:
        assert found == (float("-inf") if noise else float("inf"))
    else:
        assert found == pytest.approx(10 / log2(10) * (_log2(signal) - _log2(noise)), rel=1e-9, abs=1e-6)


def _log2(value: Fraction) -> float:
    return log2(value.numerator) - log2(value.denominator)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
SQNR = (st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=8),)

# -- some in every run, many with `make fuzz`

CHECKS: dict[str, tuple[Callable[..., None], tuple[st.SearchStrategy[Any], ...], int]] = {
    "anything": (check_anything, (st.sampled_from(GOLDEN_CALLS), st.data()), 150),
    "quantize": (check_quantize, QUANTIZE, 60),
    "products": (check_products, PRODUCTS, 250),
    "codes": (check_codes, CODES, 30),
    "sqnr": (check_sqnr, SQNR, 100),
}
"""Each check with its inputs, and how many of them are drawn in every run."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_a_few(name: str) -> None:
    check, inputs, examples = CHECKS[name]
    settings(max_examples=examples)(given(*inputs)(check))()


@pytest.mark.fuzz
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_many(name: str) -> None:
    check, inputs, examples = CHECKS[name]
    settings(max_examples=40 * examples, derandomize=False)(given(*inputs)(check))()
