"""Least-error encoding against every candidate of every block, its elements in fractions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from helpers.fraction_oracle import element, side_scale
from helpers.quantize_oracle import direct, elements_under, round_to, scale_values, smaller_side
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from amxfp4.golden import BLOCK_FORMAT_NAMES, ROUNDINGS, BlockFormat, Rounding, block_format, quantize

EACH_FORMAT = pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
EACH_ROUNDING = pytest.mark.parametrize("rounding", ROUNDINGS)


def defined_error(block: list[Fraction], values: list[Fraction], counted: list[bool]) -> float:
    """The definition, in Python's floats."""
    squares = []
    for x, value, counts in zip(block, values, counted, strict=True):
        difference = float(x) - float(value)
        squares.append(difference * difference if counts else 0.0)
    while len(squares) > 1:
        half = len(squares) // 2
        squares = [a + b for a, b in zip(squares[:half], squares[half:], strict=True)]
    return squares[0]


FLOAT32_MAX = (2 - Fraction(1, 1 << 23)) * 2**127


class Search:
    """One finite block, every candidate."""

    def __init__(self, x: np.ndarray, fmt: BlockFormat, rounding: Rounding) -> None:
        self.fmt, self.rounding = fmt, rounding
        self.block = [Fraction(float(value)) for value in x]
        _, self.direct = direct(x, fmt, rounding)

    def values(self, fields: list[int]) -> list[Fraction]:
        codes = elements_under(self.block, fields, self.fmt, self.rounding)
        return [element(code, self.fmt, fields) * side_scale(self.fmt, fields, bool(code & 8)) for code in codes]

    def neighbours(self, code: int) -> list[int]:
        """In the order in which equals are preferred."""
        others = [max(code - 1, 0), min(code + 1, self.fmt.scale.max_code)]
        others = [c for c in others if 6 * Fraction(float(self.fmt.scale.values[c])) <= FLOAT32_MAX]
        return [code, *sorted(set(others) - {code})]

    def special(self, largest: Fraction, side: int) -> list[list[int]]:
        """Choices with special values, in the order in which equals are preferred."""
        values = scale_values("E4M3")
        every = []
        for asymmetry, special in ((side, 8), (side + 2, 12))[: len(self.fmt.specials)]:
            for divisor in (special, 8, 6) if special == 12 else (8, 6):
                nearest = max(round_to(largest / divisor, values, self.rounding), 1 if largest else 0)
                for code in nearest - 1, nearest, nearest + 1:
                    fields = [min(max(code, 1), 126), asymmetry] if largest else [0, 0]
                    every.append(fields)
        return every

    def best(self) -> list[int]:
        positive = max([value for value in self.block if value > 0], default=Fraction(0))
        negative = max([-value for value in self.block if value < 0], default=Fraction(0))
        if self.fmt.specials:
            every = [self.direct, *self.special(max(positive, negative), int(negative > positive))]
            return min(every, key=lambda fields: self.error(fields, [True] * len(self.block)))
        if self.fmt.halving:
            asymmetry = 0, smaller_side(positive, negative)
            every = [list(pair) for pair in product(self.neighbours(self.direct[0]), asymmetry)]
            every.sort(key=lambda fields: (fields != self.direct, *fields))
            return min(every, key=lambda fields: self.error(fields, [True] * len(self.block)))
        best = list(self.direct)
        for side in range(self.fmt.scales_per_block):
            counted = [not self.fmt.asymmetric or (value < 0) == bool(side) for value in self.block]
            every = [[*best[:side], code, *best[side + 1 :]] for code in self.neighbours(self.direct[side])]
            best = min(every, key=lambda fields, counted=counted: self.error(fields, counted))  # type: ignore[misc]
        return best

    def error(self, fields: list[int], counted: list[bool]) -> float:
        return defined_error(self.block, self.values(fields), counted)


def check(x: np.ndarray, fmt: BlockFormat, rounding: Rounding) -> None:
    blocks = quantize(x, fmt, rounding=rounding, encode="least-error", tensor_scale=1)
    for row, block in enumerate(x):
        search = Search(block, fmt, rounding)
        best = search.best()
        assert blocks.scales[row, 0].tolist() == best
        assert blocks.codes[row].tolist() == elements_under(search.block, best, fmt, rounding)


@EACH_FORMAT
@EACH_ROUNDING
def test_random_blocks_of_every_magnitude(name: str, rounding: Rounding) -> None:
    rng = np.random.default_rng(30)
    fmt = block_format(name, 8)
    x = rng.standard_normal((150, 8)) * 2.0 ** rng.integers(-20, 19, (150, 1))
    x[:75] *= np.where(x[:75] < 0, 0.5, 1)
    check(x.astype(np.float32), fmt, rounding)
    extreme = rng.standard_normal((40, 8)) * 2.0 ** rng.integers(-155, 126, (40, 1))
    check(extreme.astype(np.float32), fmt, rounding)


@EACH_FORMAT
def test_ties_keep_the_direct_cast(name: str) -> None:
    """Values that several scales represent without error, zeros, and blocks with one side only."""
    fmt = block_format(name, 8)
    rows = [
        [0] * 8,
        [-0.0] * 8,
        [1, 0.5, 0, 0, 0, 0, 0, 0],
        [-3, -1.5, 0, 0, 0, 0, 0, 0],
        [2, -2, 1, -1, 0.5, -0.5, 0, 0],
        [2.0**-17 * 3, 2.0**-17 * -3, 0, 0, 0, 0, 0, 0],
        [3.4e38, -3.4e38, 1, -1, 0, 1e38, 1e30, 1e-38],
        [2.0**-149, -(2.0**-149), 0, 0, 0, 0, 0, 0],
    ]
    check(np.array(rows, np.float32), fmt, "nearest-away")


FLOATS = hnp.arrays(np.float32, (2, 8), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))


@given(FLOATS, st.sampled_from(BLOCK_FORMAT_NAMES), st.sampled_from(ROUNDINGS))
def test_any_finite_floats(x: np.ndarray, name: str, rounding: Rounding) -> None:
    check(x, block_format(name, 8), rounding)


@EACH_FORMAT
@EACH_ROUNDING
def test_no_block_gets_worse(name: str, rounding: Rounding) -> None:
    x = np.random.default_rng(31).standard_normal((300, 128)).astype(np.float32)
    errors = []
    for encode in "direct", "least-error":
        blocks = quantize(x, name, rounding=rounding, encode=encode)  # type: ignore[arg-type]
        squares = (x - blocks.dequantize(np.float64)) ** 2
        errors.append(squares.reshape(300, 4, 32).sum(axis=2))
    direct_error, least_error = errors
    # The last bits of sums in another order than the defined one may differ.
    assert (least_error <= direct_error * (1 + 2.0**-40)).all()
    assert least_error.sum() < 0.99 * direct_error.sum()


@EACH_FORMAT
def test_blocks_with_nan_or_infinity_are_left_to_the_direct_cast(name: str) -> None:
    x = np.random.default_rng(32).standard_normal((3, 40)).astype(np.float32)
    x[0, 3], x[1, 20], x[2, 39] = np.nan, np.inf, -np.inf
    fmt = block_format(name, 8)
    least, plain = quantize(x, fmt, encode="least-error"), quantize(x, fmt)
    bad = np.isnan(plain.dequantize()).reshape(3, 5, 8).all(axis=2)
    assert bad.sum() == 3
    np.testing.assert_array_equal(least.scales[bad], plain.scales[bad])
    np.testing.assert_array_equal(np.isnan(least.dequantize()), np.isnan(plain.dequantize()))
    x[~np.isfinite(x)] = 0
    finite = quantize(x, fmt, encode="least-error")
    np.testing.assert_array_equal(least.scales[~bad], finite.scales[~bad])


def test_empty_and_many() -> None:
    assert quantize(np.zeros((3, 0), np.float32), "AMXFP4-X2", encode="least-error").shape == (3, 0)
    x = np.random.default_rng(33).standard_normal((3000, 40)).astype(np.float32)
    blocks = quantize(x, "AMXFP4-X2", encode="least-error")
    for row in 0, 1023, 1024, 2999:
        one = quantize(x[row], "AMXFP4-X2", encode="least-error")
        np.testing.assert_array_equal(blocks.codes[row], one.codes)
        np.testing.assert_array_equal(blocks.scales[row], one.scales)


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
@pytest.mark.parametrize("largest", (3.3e38, 3.4e38, 1.8e38, 2.6e38))
def test_everything_fits_a_float32(name: str, largest: float) -> None:
    """An E8M0 scale above the direct cast's would take some elements beyond."""
    x = np.full((1, 32), largest, np.float32)
    x[0, 1::2] = -largest / 3
    assert np.isfinite(quantize(x, name, encode="least-error").dequantize()).all()
    blocks = quantize(x, name, rounding="nearest-away", encode="least-error", tensor_scale=1)
    check_fields = Search(x[0], block_format(name), "nearest-away").best()
    assert blocks.scales[0, 0].tolist() == check_fields
