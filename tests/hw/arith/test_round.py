"""The rounder: every combination of the bits that decide, at every border of the exponent, over random upper bits."""

import numpy as np
import pytest
from helpers.comb import evaluate, generator

from amxfp4.hw.arith.round import Rounder

BELOW = 3  # bits below the guard, which the sticky bit stands for
INFINITY = 255 << 23


def cases(exponents: list[int]) -> dict[str, np.ndarray]:
    """Every value of the significand's four low bits, guard, bits below and complement, at each exponent, under upper
    bits that are all clear, all set or random."""
    rng = generator()
    upper = np.concatenate([[0, (1 << 19) - 1, 0x5_5555], rng.integers(1 << 19, size=5)])
    axes = np.meshgrid(upper, np.arange(16), [0, 1], np.arange(1 << BELOW), [0, 1], exponents, indexing="ij")
    upper, low, guard, below, complement, exponent = (axis.ravel() for axis in axes)
    significand = (1 << 23) | (upper << 4) | low
    return {"significand": significand, "guard": guard, "below": below, "complement": complement, "exponent": exponent}


def expected_fields(case: dict[str, np.ndarray]) -> np.ndarray:
    """Exponent and fraction fields as one number: the magnitude rounded to nearest, ties to even.

    Of a complement, significand, guard and the inverse of the bits below are the magnitude less one.
    """
    below = np.where(case["complement"], ~case["below"] & ((1 << BELOW) - 1), case["below"])
    magnitude = ((case["significand"] << 1 | case["guard"]) << BELOW | below) + case["complement"]
    kept, rest = np.divmod(magnitude, 2 << BELOW)
    half = 1 << BELOW
    kept = kept + ((rest > half) | ((rest == half) & (kept % 2 == 1)))
    # A hidden bit stands for one step of the exponent field; without it the field is 0.
    fields = ((case["exponent"] - 1) << 23) + kept
    return np.minimum(fields, INFINITY)


def rounded(rounder: Rounder, case: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    inputs = {name: values for name, values in case.items() if name != "below"}
    return evaluate(rounder, **inputs, sticky=(case["below"] != 0).astype(np.int64), simulated=200)


def check(found: dict[str, np.ndarray], case: dict[str, np.ndarray]) -> None:
    expected = expected_fields(case)
    np.testing.assert_array_equal(found["exponent_field"] << 23 | found["fraction"], expected)
    if "infinite" in found:
        np.testing.assert_array_equal(found["infinite"], expected == INFINITY)


def test_without_overflow() -> None:
    """Exponents as they can come: 254 only where rounding does not carry into 255."""
    case = cases([1, 2, 3, 126, 127, 128, 252, 253, 254])
    possible = expected_fields(case) < INFINITY
    case = {name: values[possible] for name, values in case.items()}
    assert (case["exponent"] == 254).sum() > 1000
    check(rounded(Rounder(8, overflows=False), case), case)


@pytest.mark.parametrize("exponent_bits", [8, 9, 10])
def test_with_overflow(exponent_bits: int) -> None:
    above = [exponent for exponent in (256, 257, 384, 511, 512, 1023) if exponent < 1 << exponent_bits]
    case = cases([1, 2, 127, 253, 254, 255, *above])
    check(rounded(Rounder(exponent_bits, overflows=True), case), case)


@pytest.mark.parametrize("overflows", [False, True])
def test_subnormals(overflows: bool) -> None:
    """The top bit clear, exponent 1: any place of the highest bit, and those that rounding makes normal."""
    rng = generator()
    case = cases([1])
    count = len(case["exponent"])
    # Cleared from the top down, by 1 to 24 bits; the low four bits stay in every other case.
    mask = (1 << rng.integers(24, size=count)) - 1
    low = np.where(rng.random(count) < 0.5, 15, 0)
    case["significand"] = case["significand"] & (mask | low) & ~(1 << 23)
    top = rng.random(count) < 0.1
    case["significand"][top] = (1 << 23) - 1 - rng.integers(2, size=top.sum())
    check(rounded(Rounder(8, overflows=overflows), case), case)


def test_zero() -> None:
    zero = {name: np.array([0]) for name in ("significand", "guard", "sticky", "complement", "exponent")}
    found = evaluate(Rounder(8, overflows=True), **zero)
    assert all(values[0] == 0 for values in found.values())
