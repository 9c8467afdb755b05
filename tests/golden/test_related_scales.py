"""The variants against the formats they contain, and against fractions."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
from helpers.fraction_oracle import element
from helpers.quantize_oracle import element_code, round_to

from amxfp4.golden import block_format, quantize
from amxfp4.golden.formats import UE5M3
from amxfp4.golden.related_scales import ratio_values, shared_exponent_values

SIGNIFICANDS = [Fraction(significand) for significand in range(16)]


def blocks_of_8(seed: int, rows: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 8)) * 2.0 ** rng.integers(-20, 19, (rows, 1))
    x[::2] *= np.where(x[::2] < 0, rng.choice([0.1, 0.3, 0.6], (len(x[::2]), 1)), 1)
    x[0], x[1], x[2] = 0, np.abs(x[1]), 3e38
    return x.astype(np.float32)


def block_errors(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    return ((x - values) ** 2).sum(axis=1)


def test_ratios_of_one_and_a_half_are_x2() -> None:
    x = blocks_of_8(34)
    for name, ratios in ("MXFP4-UE5M3", (1,)), ("AMXFP4-X2", (1, 0.5)):
        blocks = quantize(x, block_format(name, 8), encode="least-error")
        expected = block_errors(x, blocks.dequantize(np.float64))
        np.testing.assert_allclose(block_errors(x, ratio_values(x, ratios, block_size=8)), expected, rtol=1e-12)


def test_more_ratios_are_no_worse() -> None:
    x = blocks_of_8(35)
    errors = [block_errors(x, ratio_values(x, (1, 0.75, 0.5, 0.25)[:count], block_size=8)) for count in (1, 2, 3, 4)]
    for fewer, more in pairwise(errors):
        assert (more <= fewer * (1 + 1e-12)).all()
        assert (more < 0.99 * fewer).any()


def rounded(block: list[Fraction], scale: Fraction) -> list[Fraction]:
    return [element(element_code(value, scale, "nearest-away")) * scale for value in block]


def test_shared_exponents_side_by_side() -> None:
    """Each side by itself: the nearest significand and its neighbours in fractions."""
    x = blocks_of_8(36)
    values = shared_exponent_values(x, block_size=8)
    codes = quantize(x, block_format("MXFP4-UE5M3", 8)).scales[:, 0, 0]
    for row, code in enumerate(codes.tolist()):
        power = Fraction(2) ** int(UE5M3.exponents[code])
        for sign in 1, -1:
            where = np.flatnonzero(x[row] * sign > 0)
            side = [Fraction(float(value)) for value in x[row, where]]
            largest = max(map(abs, side), default=Fraction(0))
            nearest = round_to(largest / 6 / power, SIGNIFICANDS, "nearest-away")
            errors = [
                sum((a - b) ** 2 for a, b in zip(side, rounded(side, power * significand), strict=True))
                for significand in range(max(nearest - 1, 0), min(nearest + 2, 16))
            ]
            found = sum((a - Fraction(float(b))) ** 2 for a, b in zip(side, values[row, where], strict=True))
            assert found <= min(errors) * (1 + Fraction(1, 10**12))
            assert found >= min(errors)


def test_ragged_blocks_and_nan() -> None:
    x = np.random.default_rng(37).standard_normal((3, 2, 70)).astype(np.float32)
    x[1, 0, 40] = np.nan
    for variant in ratio_values, shared_exponent_values:
        values = variant(x)
        assert values.shape == x.shape
        bad = np.zeros(x.shape, bool)
        bad[1, 0, 32:64] = True
        np.testing.assert_array_equal(np.isnan(values), bad)
        np.testing.assert_array_equal(variant(x[0, 1, :64]), values[0, 1, :64])
        assert (np.abs(values - x)[~bad] < 1).all()
