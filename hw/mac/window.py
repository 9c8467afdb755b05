"""A window of exponents: where terms stand to it, and which of them lie above it."""

from dataclasses import dataclass

from amaranth.hdl import Module, Signal, Value

from amxfp4.hw.arith.bits import gated

DEFAULT_EXPONENT = -32
"""Weight of a window's least bit, as a power of two, unless another is asked for."""

DEFAULT_BITS = 54
"""Width of a window, two's complement, unless another is asked for."""

MIN_EXPONENT = -126
"""The least weight of a window's least bit, so that no result is subnormal."""

MAX_BITS = 96
"""The widest window."""

EXPONENT_AND_BITS_MAX = 128
"""The largest sum of a window's exponent and width, so that no result rounds to infinity."""


@dataclass(frozen=True)
class Window:
    """A window, and how terms are placed in it.

    A term starts `below` places under the window and is shifted up from there. So a shift to the left serves terms on
    both sides of the window's least bit, and what is left under the window is not built.

    Attributes:
        exponent: weight of the window's least bit, as a power of two.
        bits: width of the window, two's complement.
        term_bits: width of the largest term's magnitude.
        below: places under the window in which a term starts, `term_bits` or more. Of a term that is not shifted only
            the sign reaches the window.
    """

    exponent: int
    bits: int
    term_bits: int
    below: int

    @property
    def shift_max(self) -> int:
        """The largest shift: the largest term then ends under the window's sign."""
        return self.bits - 1 - self.term_bits + self.below

    def place(self, m: Module, exponent: Value, offset: int) -> tuple[Value, Value]:
        """The shift that an exponent asks for.

        Args:
            exponent: A term is an integer times 2^(exponent - offset).

        Returns:
            The shift, 0 for all terms that lie under the window; and whether the exponent lies above the window. The
            shift then means nothing.
        """
        lowest = self.exponent - self.below + offset
        places = Signal(range(-lowest, (1 << len(exponent)) - lowest), name="places_up")
        under = places < 0
        m.d.comb += places.eq(exponent - lowest)
        shift = gated(places[: self.shift_max.bit_length()], ~under)
        return shift, ~under & (places > self.shift_max)
