"""Terms and totals on their way down the pipeline, and the pipeline's registers."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data


@dataclass(frozen=True)
class Terms:
    """Terms for every path, all in one cycle, and their flags.

    Attributes:
        terms: one per path, see `Term.layout`.
        valid: the terms are there.
        first: they begin a dot product.
        ends: they end a block.
        last: they end a dot product.
    """

    terms: Sequence[data.View]
    valid: Value
    first: Value
    ends: Value
    last: Value


@dataclass(frozen=True)
class Total:
    """The content of a fixed-point accumulator.

    Attributes:
        total: two's complement, or its words.
        nan, overflow: of the dot product so far.
        valid: the total ends a dot product.
    """

    total: Value
    nan: Value
    overflow: Value
    valid: Value


@dataclass(frozen=True)
class TotalInWords(Total):
    """A total whose words pass one per cycle.

    Attributes:
        passed: which word has just passed, see `WordAccumulator`.
    """

    passed: Value


def flags(name: str, *others: str) -> list[Signal]:
    """A valid flag, and others, which need no reset as they are read only once the valid flag has been set."""
    return [Signal(name=f"{name}_valid"), *(Signal(name=f"{name}_{flag}", reset_less=True) for flag in others)]


def kept(m: Module, source: Value, when: Value, name: str) -> Value:
    """A register that takes `source` where `when` is set."""
    register = Signal(source.shape(), name=name, reset_less=True)
    with m.If(when):
        m.d.sync += register.eq(source)
    return register


def registered(m: Module, terms: Terms, name: str, *, stays: bool = False) -> Terms:
    """A pipeline register for terms and their flags.

    Args:
        stays: the terms are held where they were made, and only their flags are registered.
    """
    valid, first, ends, last = flags(name, "first", "ends", "last")
    registers: list[data.View] = []
    m.d.sync += valid.eq(terms.valid)
    with m.If(terms.valid):
        m.d.sync += [first.eq(terms.first), ends.eq(terms.ends), last.eq(terms.last)]
        for path, term in enumerate(terms.terms):
            if stays:
                registers.append(term)
                continue
            register = Signal(term.shape(), name=f"{name}{path}", reset_less=True)
            m.d.sync += register.eq(term)
            registers.append(register)
    return Terms(registers, valid, first, ends, last)
