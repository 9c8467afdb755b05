"""Shifters: every value of a few bits, shifted by everything that is allowed."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.functions import FunctionOf
from helpers.gates import signed

from amxfp4.hw.arith.shift import shift_left, shift_out_signs, shift_up, shift_up_once


@pytest.mark.parametrize("largest", [1, 2, 3, 5, 7, 12])
def test_shift_left(largest: int) -> None:
    """Nothing is lost, of either sign, at the largest shift too."""
    bits, width = largest.bit_length(), 5 + largest
    value, amount = (axis.ravel() for axis in np.indices((32, largest + 1)))
    unit = FunctionOf({"value": 5, "amount": bits}, width, lambda m, v, a: shift_left(m, v, a, largest, "shifted"))
    found = evaluate(unit, value=value, amount=amount)["y"]
    np.testing.assert_array_equal(signed(found, width), signed(value, 5) << amount)


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_shift_up(bits: int) -> None:
    """What is shifted out is lost, and zeros come in."""
    value, amount = (axis.ravel() for axis in np.indices((64, 1 << bits)))
    unit = FunctionOf({"value": 6, "amount": bits}, 6, lambda m, v, a: shift_up(m, v, list(a), "up"))
    np.testing.assert_array_equal(evaluate(unit, value=value, amount=amount)["y"], (value << amount) % 64)


@pytest.mark.parametrize("step", [1, 3, 4])
def test_shift_up_once(step: int) -> None:
    value, when = (axis.ravel() for axis in np.indices((64, 2)))
    unit = FunctionOf({"value": 6, "when": 1}, 6, lambda m, v, w: shift_up_once(m, v, step, w, "up"))
    np.testing.assert_array_equal(evaluate(unit, value=value, when=when)["y"], (value << step * when) % 64)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_shift_out_signs(step: int) -> None:
    """A value is shifted where the shifted value still fits the width, and the second output tells whether."""
    width = 7
    value = np.arange(1 << width)
    number = signed(value, width)
    fits = (-(1 << (width - 1 - step)) <= number) & (number < 1 << (width - 1 - step))
    unit = FunctionOf({"value": width}, width + 1, lambda m, v: shift_out_signs(m, v, step, "up"))
    found = evaluate(unit, value=value)["y"]
    np.testing.assert_array_equal(found >> width, fits)
    np.testing.assert_array_equal(signed(found % (1 << width), width), np.where(fits, number << step, number))
