"""Carry-save compression: a few rows with the sum of all addends."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator

from amxfp4.hw.arith.compress import Columns, columns_of


class Compressor(wiring.Component):
    """`addends` values of `bits` bits, value i shifted left by `shifts[i]`, in `rows` rows."""

    def __init__(self, width: int, bits: int, shifts: list[int], rows: int = 2) -> None:
        self.width, self.shifts, self.count = width, shifts, rows
        super().__init__(
            {"addends": In(data.ArrayLayout(bits, len(shifts))), "rows": Out(data.ArrayLayout(width, rows))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if any(self.shifts):
            columns = Columns(self.width)
            for addend, shift in zip(self.addends, self.shifts, strict=True):
                columns.add(addend, at=shift, depth=shift)
        else:
            columns = columns_of(self.width, list(self.addends))
        rows = columns.reduce(m, "fa", self.count)
        for row, value in zip(self.rows, rows, strict=True):
            assert len(value) == self.width
            m.d.comb += row.eq(value)
        return m


def check(width: int, bits: int, shifts: list[int], addends: np.ndarray, *, exact: bool, rows: int = 2) -> None:
    """The rows add up to the sum of the addends: modulo 2^width, or with `exact` fully, as no carry is lost."""
    found = evaluate(Compressor(width, bits, shifts, rows), addends=addends)["rows"]
    expected = (addends << np.array(shifts)).sum(axis=1)
    if exact:
        np.testing.assert_array_equal(found.sum(axis=1), expected)
    else:
        np.testing.assert_array_equal(found.sum(axis=1) % (1 << width), expected % (1 << width))


@pytest.mark.parametrize(("count", "bits"), [(1, 3), (2, 3), (3, 4), (4, 3), (5, 2), (6, 2), (12, 1)])
def test_every_input(count: int, bits: int) -> None:
    numbers = np.arange(1 << (count * bits))
    addends = (numbers[:, None] >> (bits * np.arange(count))) & ((1 << bits) - 1)
    wide = bits + count.bit_length()
    check(wide, bits, [0] * count, addends, exact=True)
    check(bits, bits, [0] * count, addends, exact=False)


@pytest.mark.parametrize("rows", [2, 3, 4])
@pytest.mark.parametrize("count", [7, 16, 33])
def test_many_addends(count: int, rows: int) -> None:
    rng = generator()
    addends = rng.integers(512, size=(3000, count))
    addends[0], addends[1] = 511, 0
    check(9 + count.bit_length(), 9, [0] * count, addends, exact=True, rows=rows)
    check(9, 9, [0] * count, addends, exact=False, rows=rows)


def test_shifted_addends() -> None:
    rng = generator()
    shifts = [0, 3, 1, 7, 2, 5, 11]
    addends = rng.integers(64, size=(5000, len(shifts)))
    check(20, 6, shifts, addends, exact=True)
    check(12, 6, shifts, addends, exact=False)


def test_the_same_netlist_every_time() -> None:
    """Ties between equally early bits are broken in one way."""
    from amaranth.back import rtlil

    texts = {rtlil.convert(Compressor(12, 6, [0] * 9), name="top", emit_src=False) for _ in range(3)}
    assert len(texts) == 1
