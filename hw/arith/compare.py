"""Comparing and subtracting unsigned values, written as the gates that come out small.

Synthesis makes a whole subtraction of `a >= b`, and carry look-ahead of every subtraction; the operands here are a few
bits wide, and there are many of them.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def at_least(a: Value, b: Value) -> Value:
    """Whether a >= b, both unsigned and of the same width.

    A balanced tree: a group of bits is decided by its upper half, or where that is equal by its lower half.
    """
    # (greater, at least) of each group; of the lowest, only the latter is ever asked for.
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
    """a - b - less, modulo the width of a and b, and whether it is below zero; `less` is a bit. The borrow ripples."""
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
    """How many of ascending thresholds are met, where meeting one means meeting all before it.

    Bit i of the count is set from each odd multiple of 2^i up to the next even one.
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
    """`table[index]`, `width` bits wide, of a table with an entry for every index."""
    if len(table) == 1:
        return Const(table[0], width)
    half = len(table) // 2
    return Mux(index[-1], entry(table[half:], index[:-1], width), entry(table[:half], index[:-1], width))
