"""Counting leading zeros."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from amxfp4.hw.arith.bits import gated


def leading_zeros(m: Module, value: Value, name: str) -> tuple[Value, Value]:
    """Counts the zeros above the highest set bit.

    The zeros of both halves are counted side by side. The upper half's count is taken where that half has a bit set.
    So the logic is log2(width) levels deep.

    Args:
        name: how the names of the signals begin.

    Returns:
        The count, which is arbitrary where no bit is set; and whether a bit is set.
    """
    if len(value) == 1:
        return Const(0, 0), value
    low_bits = 1 << ((len(value) - 1).bit_length() - 1)
    # Zeros below make the halves equally wide, so that a count is put together from bits and needs no adder.
    padded = Cat(Const(0, 2 * low_bits - len(value)), value)
    high, some_high = leading_zeros(m, padded[low_bits:], f"{name}h")
    low, some_low = leading_zeros(m, padded[:low_bits], f"{name}l")
    bits = len(high)
    count, some = Signal(bits + 1, name=name), Signal(name=f"{name}_some")
    chosen = gated(high, some_high) | gated(low, ~some_high) if bits else Const(0, 0)
    m.d.comb += [count.eq(Cat(chosen, ~some_high)), some.eq(some_high | some_low)]
    return count, some
