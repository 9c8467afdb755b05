"""Carry-save compression: turns many addends into two (or more) with the same sum."""

import heapq
from collections.abc import Sequence
from itertools import count

from amaranth.hdl import Cat, Const, Module, Signal, Value


class Columns:
    """Single bits that wait to be added, kept by weight, with the depth of logic behind each.

    Attributes:
        width: bits of the sum, which is kept modulo 2^width.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._order = count()  # breaks ties, so that the result is the same in every run
        self._bits: list[list[tuple[int, int, Value]]] = [[] for _ in range(width)]

    def add(self, value: Value, at: int = 0, depth: int = 0) -> None:
        """Adds `value << at`.

        Args:
            value: unsigned.
            depth: full adders that the value has already passed.
        """
        for offset, bit in enumerate(value):
            if at + offset < self.width:
                heapq.heappush(self._bits[at + offset], (depth, next(self._order), bit))

    def reduce(self, m: Module, name: str, rows: int = 2) -> tuple[Value, ...]:
        """Joins bits of equal weight with full adders, the earliest bits first, until each weight has at most `rows`.

        Args:
            name: how the names of the signals begin.
            rows: 2 or more.

        Returns:
            `rows` values of `width` bits. Their sum modulo 2^width is that of all values added.
        """
        for weight, column in enumerate(self._bits):
            while len(column) > rows:
                inputs = [heapq.heappop(column) for _ in range(3)]
                self._full_adder(m, weight, inputs, f"{name}_{weight}_{len(column)}")
        return tuple(
            Cat(*(column[i][2] if len(column) > i else Const(0, 1) for column in self._bits)) for i in range(rows)
        )

    def _full_adder(self, m: Module, weight: int, inputs: Sequence[tuple[int, int, Value]], name: str) -> None:
        a, b, c = (bit for _, _, bit in inputs)
        half, total, carry = (Signal(name=f"{name}{part}") for part in ("h", "s", "c"))
        m.d.comb += [half.eq(a ^ b), total.eq(half ^ c), carry.eq((a & b) | (half & c))]
        depth = 1 + max(d for d, _, _ in inputs)
        heapq.heappush(self._bits[weight], (depth, next(self._order), total))
        if weight + 1 < self.width:
            heapq.heappush(self._bits[weight + 1], (depth, next(self._order), carry))


def columns_of(width: int, values: Sequence[Value]) -> Columns:
    """Columns that hold `values`."""
    columns = Columns(width)
    for value in values:
        columns.add(value)
    return columns
