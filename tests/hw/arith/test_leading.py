"""Counting leading zeros: every value of every width up to 12 bits, and every place of the highest bit beyond."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator

from amxfp4.hw.arith.leading import leading_zeros


class LeadingZeros(wiring.Component):
    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__({"value": In(width), "count": Out((width - 1).bit_length()), "some": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count, some = leading_zeros(m, self.value, "zeros")
        assert len(count) == len(self.count)
        m.d.comb += [self.count.eq(count), self.some.eq(some)]
        return m


def check(width: int, values: np.ndarray) -> None:
    found = evaluate(LeadingZeros(width), value=values)
    np.testing.assert_array_equal(found["some"], values != 0)
    lengths = np.array([int(value).bit_length() for value in values])
    np.testing.assert_array_equal(found["count"][values != 0], width - lengths[values != 0])


@pytest.mark.parametrize("width", range(1, 13))
def test_every_value(width: int) -> None:
    check(width, np.arange(1 << width))


@pytest.mark.parametrize("width", [13, 16, 17, 28, 31, 32, 33, 54])
def test_every_place_of_the_highest_bit(width: int) -> None:
    below = generator().integers(1 << width, size=(width, 100), dtype=np.int64)
    top = np.int64(1) << np.arange(width)[:, None]
    check(width, np.concatenate([(top | (below & (top - 1))).ravel(), [0]]))
