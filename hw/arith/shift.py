"""Shifters: each stage shifts by a power of two, with one multiplexer per bit."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def shift_left(m: Module, value: Value, amount: Value, largest: int, name: str) -> Value:
    """`value`, two's complement, shifted left by `amount`, wide enough for the largest shift.

    Small shifts come first, while the value is narrow, as a stage costs one multiplexer per bit.

    Args:
        amount: unsigned, 0 to `largest`.
        name: how the names of the stages begin; the number of places follows.
    """
    widest = len(value) + largest
    for index, bit in enumerate(amount):
        width = min(len(value) + (1 << index), widest)
        stage = Signal(width, name=f"{name}{1 << index}")
        extended = Cat(value, value[-1].replicate(width - len(value)))
        m.d.comb += stage.eq(Mux(bit, Cat(Const(0, 1 << index), value)[:width], extended))
        value = stage
    return value


def shift_up(m: Module, value: Value, amount: Sequence[Value], name: str) -> Value:
    """`value` shifted up by `amount` within its width. Bits that are shifted out are lost.

    Large shifts come first.

    Args:
        amount: its bits, lowest first.
        name: how the names of the stages begin; the number of places follows.
    """
    for stage, bit in reversed(list(enumerate(amount))):
        value = shift_up_once(m, value, 1 << stage, bit, name)
    return value


def shift_up_once(m: Module, value: Value, step: int, when: Value, name: str) -> Value:
    """One stage: `value` shifted up by `step` places within its width where the bit `when` is set."""
    shifted = Signal(len(value), name=f"{name}{step}")
    m.d.comb += shifted.eq(Mux(when, value << step, value))
    return shifted


def shift_out_signs(m: Module, value: Value, step: int, name: str) -> tuple[Value, Value]:
    """Shifts a two's complement `value` up by `step` places if the shift loses only copies of its sign.

    Returns:
        The value, shifted or not; and whether it was shifted.
    """
    top = value[-1 - step :]
    up = Signal(name=f"up{step}")
    shifted = Signal(len(value), name=f"{name}{step}")
    m.d.comb += [
        up.eq(top.all() | ~top.any()),
        shifted.eq(Mux(up, Cat(Const(0, step), value[:-step]), value)),
    ]
    return shifted, up
