"""Comparisons and subtractions of every pair of values of a few bits."""

from collections.abc import Callable

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate

from amxfp4.hw.arith.compare import at_least, entry, subtract, thermometer_count


class Of(wiring.Component):
    """A function of two inputs as a component."""

    def __init__(self, width: int, out: int, function: Callable[[Module, Signal, Signal], Value]) -> None:
        self.function = function
        super().__init__({"a": In(width), "b": In(width), "y": Out(out)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.y.eq(self.function(m, self.a, self.b))
        return m


def pairs(width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.divmod(np.arange(1 << 2 * width), 1 << width)


@pytest.mark.parametrize("width", (1, 2, 3, 5, 6, 7))
def test_at_least(width: int) -> None:
    a, b = pairs(width)
    np.testing.assert_array_equal(evaluate(Of(width, 1, lambda m, a, b: at_least(a, b)), a=a, b=b)["y"], a >= b)


@pytest.mark.parametrize("width", (1, 2, 5, 6))
def test_subtract(width: int) -> None:
    a, b = pairs(width)
    difference = evaluate(Of(width, width, lambda m, a, b: subtract(m, a, b)[0]), a=a, b=b)["y"]
    np.testing.assert_array_equal(difference, (a - b) % (1 << width))
    borrow = evaluate(Of(width, 1, lambda m, a, b: subtract(m, a, b)[1]), a=a, b=b)["y"]
    np.testing.assert_array_equal(borrow, a < b)


@pytest.mark.parametrize("length", range(9))
def test_thermometer_count(length: int) -> None:
    met = np.arange(length + 1)
    thermometer = (1 << met) - 1
    unit = Of(max(length, 1), 4, lambda m, a, b: thermometer_count(list(a)[:length]))
    np.testing.assert_array_equal(evaluate(unit, a=thermometer, b=thermometer)["y"], met)


def test_entry() -> None:
    table = [5, 0, 7, 2, 1, 6, 3, 4]
    unit = Of(3, 3, lambda m, a, b: entry(table, a, 3))
    np.testing.assert_array_equal(evaluate(unit, a=np.arange(8), b=np.arange(8))["y"], table)
