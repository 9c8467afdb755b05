"""Comparing and subtracting unsigned values, written as the gates that come out small.

Synthesis turns `a >= b` into a whole subtraction, and every subtraction into carry look-ahead. The operands here are
only a few bits wide, and there are many of them, so both would be too large.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def at_least(a: Value, b: Value) -> Value:
    """Whether a >= b, both unsigned and of the same width.

    The comparison is a balanced tree. The upper half of a group of bits decides, and the lower half where the upper
    halves are equal.
    """
    # (greater, at least) of each group. Of the lowest group only "at least" is ever needed.
    groups = [(x & ~y, x | ~y) for x, y in zip(a, b, strict=True)]
    groups[0] = (groups[0][1], groups[0][1])
    while len(groups) > 1:
        joined = [
            (high[0] | high[1] & low[0], high[1] & low[1])
            for low, high in zip(groups[0::2], groups[1::2], strict=False)
        ]
        groups = joined + groups[len(joined) * 2 :]
    return groups[0][0]


def subtract(
    m: Module, a: Value, b: Value, *, less: Value | None = None, name: str = "difference"
) -> tuple[Signal, Value]:
    """Subtracts with a borrow that ripples.

    Args:
        a, b: unsigned, of the same width.
        less: a bit that is subtracted too.
        name: how the names of the signals begin.

    Returns:
        a - b - less modulo 2^width, and whether the true difference is negative.
    """
    bits = []
    borrow = Const(0, 1) if less is None else less
    for index, (x, y) in enumerate(zip(a, b, strict=True)):
        differs, next_borrow = Signal(name=f"{name}_differs{index}"), Signal(name=f"{name}_borrow{index}")
        m.d.comb += [differs.eq(x ^ y), next_borrow.eq(Mux(differs, y, borrow))]
        bits.append(differs ^ borrow)
        borrow = next_borrow
    difference = Signal(len(bits), name=name)
    m.d.comb += difference.eq(Cat(*bits))
    return difference, borrow


def thermometer_count(met: Sequence[Value]) -> Value:
    """The number of bits set in `met`.

    Bit i of the count is set from each odd multiple of 2^i up to the next even multiple.

    Args:
        met: a bit per threshold, in ascending order: it is met. A threshold is met only together with all before it.
    """
    bits = []
    for i in range(len(met).bit_length()):
        step = 1 << i
        bit: Value = Const(0, 1)
        for start in range(step, len(met) + 1, 2 * step):
            run = met[start - 1]
            if start + step <= len(met):
                run = run & ~met[start + step - 1]
            bit = bit | run
        bits.append(bit)
    return Cat(*bits) if bits else Const(0, 1)


def entry(table: Sequence[int], index: Value, width: int) -> Value:
    """`table[index]`, `width` bits wide. The table has an entry for every value of `index`."""
    if len(table) == 1:
        return Const(table[0], width)
    half = len(table) // 2
    return Mux(index[-1], entry(table[half:], index[:-1], width), entry(table[:half], index[:-1], width))
