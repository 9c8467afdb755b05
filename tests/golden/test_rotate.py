"""Hadamard rotations: beside the definition in fractions, and as part of a product."""

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from helpers.fraction_oracle import round_to_float32

from amxfp4.errors import UsageError
from amxfp4.golden import matmul, quantize, rotated

RNG = np.random.default_rng(70)


def sylvester(size: int) -> np.ndarray:
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix


def by_definition(row: np.ndarray) -> list[Fraction]:
    """The transform of one row, each step of it rounded to float32."""
    values = [Fraction(float(value)) for value in row]
    stride = 1
    while stride < len(values):
        for i in (i for i in range(len(values)) if not i & stride):
            first, second = values[i], values[i + stride]
            values[i] = round_to_float32(first + second)
            values[i + stride] = round_to_float32(first - second)
        stride *= 2
    factor = round_to_float32(Fraction(isqrt(2**200 // len(values)), 2**100))
    return [round_to_float32(value * factor) for value in values]


@pytest.mark.parametrize("size", [2, 4, 16, 32, 128])
def test_every_step_is_rounded_as_defined(size: int) -> None:
    x = (RNG.standard_normal((2, size)) * 10.0 ** RNG.integers(-6, 7, (2, size))).astype(np.float32)
    assert [[Fraction(float(value)) for value in row] for row in rotated(x, size)] == [*map(by_definition, x)]


@pytest.mark.parametrize("size", [2, 16, 32, 64])
def test_it_is_sylvesters_matrix_block_by_block(size: int) -> None:
    x = RNG.integers(-9, 10, (3, 64)).astype(np.float32)
    expected = (x.reshape(3, -1, size) @ sylvester(size)).reshape(3, 64) / np.sqrt(size)
    np.testing.assert_allclose(rotated(x, size), expected, rtol=1e-6)


def test_twice_is_not_at_all() -> None:
    x = RNG.integers(-9, 10, (3, 64)).astype(np.float32)
    np.testing.assert_array_equal(rotated(rotated(x, 16), 16), x)
    np.testing.assert_allclose(rotated(rotated(x, 32), 32), x, atol=1e-5)


@pytest.mark.parametrize("size", [16, 64])
def test_a_product_of_rotated_operands_is_what_it_was(size: int) -> None:
    x, w = (RNG.integers(-9, 10, (rows, 192)).astype(np.float32) for rows in (5, 7))
    np.testing.assert_array_equal(rotated(x, size) @ rotated(w, size).T, x @ w.T)
    assert not np.array_equal(rotated(x, size) @ w.T, x @ w.T)


def test_rotated_tensors_are_quantised_like_others() -> None:
    """An outlier in each row, which a rotation spreads over its block."""
    x, w = (RNG.standard_normal((rows, 128)).astype(np.float32) for rows in (64, 64))
    x[:, 5] += 40
    plain = matmul(quantize(x, "MXFP4"), quantize(w, "MXFP4")) - x @ w.T
    turned = matmul(quantize(rotated(x, 128), "MXFP4"), quantize(rotated(w, 128), "MXFP4")) - x @ w.T
    assert np.square(turned).mean() < 0.7 * np.square(plain).mean()


def test_axes_and_dtypes() -> None:
    x = RNG.standard_normal((16, 6)).astype(np.float16)
    before = x.copy()
    found = rotated(x, 16, axis=0)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, rotated(x.T.astype(np.float32), 16).T)
    np.testing.assert_array_equal(x, before)
    assert rotated(np.zeros((0, 16), np.float32), 16).shape == (0, 16)
    assert rotated(np.zeros((16, 0), np.float32), 8).shape == (16, 0)


@pytest.mark.parametrize(
    ("length", "size", "says"),
    [
        (96, 64, "rotation size 64 does not fit length 96; it is a power of two from 2 to 32"),
        (96, 12, "size 12 does not fit"),
        (96, 1, "size 1 does not fit"),
        (96, True, "size True does not fit"),
        (96, 16.0, "size 16.0 does not fit"),
        (33, 2, "length 33 cannot be rotated, as it is odd"),
    ],
)
def test_what_does_not_fit_is_refused(length: int, size: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rotated(np.zeros((2, length), np.float32), size)


def test_other_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot quantize int64"):
        rotated(np.zeros(16, np.int64), 16)
