"""Rivals: every two maxima, and groups joined in any order."""

import numpy as np
from amaranth.hdl import Cat, Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.maxima import largest_group
from amxfp4.hw.quantizer.rivals import Group, are_rivals

CONFIG = QuantizerConfig("AMXFP4-Z")
BITS = CONFIG.maximum_bits
CUT = CONFIG.maximum_fraction_bits - 2
"""The bits that are cut off, below two fraction bits."""


class Rivals(wiring.Component):
    """`are_rivals` as a component."""

    def __init__(self) -> None:
        super().__init__({"a": In(BITS), "b": In(BITS), "rivals": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.rivals.eq(are_rivals(CONFIG, self.a, self.b))
        return m


class Largest(wiring.Component):
    """`largest_group` of single magnitudes as a component."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__({"magnitude": In(data.ArrayLayout(BITS, count)), "maximum": Out(BITS), "rivalled": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        groups = [Group(magnitude, Cat(0)[0]) for magnitude in self.magnitude]
        found = largest_group(m, CONFIG, groups, "group")
        m.d.comb += [self.maximum.eq(found.maximum), self.rivalled.eq(found.rivalled)]
        return m


def values_of(held: np.ndarray) -> np.ndarray:
    """The magnitudes, cut, in units of the least one of the window."""
    key = held >> CUT
    return (4 + key % 4) << (key >> 2)


def test_every_two_maxima() -> None:
    """Cut to two fraction bits, with exponents below the largest and above the least two."""
    top = (1 << CONFIG.exponent_bits) - 1
    keys = np.arange(2 << 2, top << 2) << CUT
    a, b = (x.ravel() for x in np.meshgrid(keys, keys))
    found = evaluate(Rivals(), a=a, b=b | (1 << CUT) - 1)["rivals"]
    low, high = np.minimum(values_of(a), values_of(b)), np.maximum(values_of(a), values_of(b))
    np.testing.assert_array_equal(found, 2 * low > high)


def test_groups() -> None:
    """A group's maximum has a rival where twice the second largest magnitude, cut, exceeds the largest."""
    rng = generator()
    held = rng.integers(2 << CONFIG.maximum_fraction_bits, 31 << CONFIG.maximum_fraction_bits, (20000, 7))
    spread = rng.integers(0, 4 << CONFIG.maximum_fraction_bits, held.shape)
    held = np.where(rng.random((20000, 1)) < 0.7, np.maximum(held[:, :1] - spread, 0), held)
    found = evaluate(Largest(7), magnitude=held)
    second, largest = np.sort(held, axis=1)[:, -2:].T
    np.testing.assert_array_equal(found["maximum"], largest)
    sure = largest >> CONFIG.maximum_fraction_bits >= 2
    np.testing.assert_array_equal(found["rivalled"][sure], (2 * values_of(second) > values_of(largest))[sure])
    assert 0.2 < found["rivalled"].mean() < 0.8
