"""The windowed accumulator: fixed point over a window of exponents, for scales of too wide a range for the exact one.

Python's integers and NumPy's float64 compute the same here: `add_terms` and `WindowedTotals`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import is_integer
from amxfp4.golden.fixed import MAX_LIMB_BITS, round_limbs
from amxfp4.golden.formats import BlockFormat
from amxfp4.golden.terms import Term, largest_significand

MIN_WINDOW_EXPONENT = -126
"""The least weight of a window's least bit, as a power of two, so that no result is subnormal."""

MAX_WINDOW_BITS = 96
"""The widest window: two limbs of float64 hold a total of it."""

_WINDOW_END = 127
"""2 to this power bounds the magnitude of every total, so that no result rounds to infinity."""


@dataclass(frozen=True)
class Window:
    """Which bits of a sum a windowed accumulator keeps.

    Attributes:
        exponent: the window's least bit weighs 2**exponent. The default keeps every bit of products of E8M0 scales
            from 2^-30 to 2^10, which holds those of language models.
        bits: two's complement width of the window.
    """

    exponent: int = -32
    bits: int = 54

    def __post_init__(self) -> None:
        for name, value in (("bits", self.bits), ("exponent", self.exponent)):
            if not is_integer(value):
                raise UsageError(f"window {name} {shown(value)} is not an integer")
            object.__setattr__(self, name, int(value))
        if not 2 <= self.bits <= MAX_WINDOW_BITS:
            raise UsageError(f"window bits {self.bits} is not allowed; it is from 2 to {MAX_WINDOW_BITS}")
        high = _WINDOW_END + 1 - self.bits
        if not MIN_WINDOW_EXPONENT <= self.exponent <= high:
            raise UsageError(
                f"window exponent {self.exponent} is not allowed; "
                f"with {self.bits} bits it is from {MIN_WINDOW_EXPONENT} to {high}"
            )

    def largest_exponent(self, activation: BlockFormat, weight: BlockFormat) -> int:
        """The largest exponent of a term (`Term.exponent`) with which every block's sum fits the window.

        Raises:
            UsageError: the window is too narrow for the largest sum of a block even in its least bits.
        """
        bits = largest_significand(activation, weight).bit_length()
        if self.bits <= bits:
            raise UsageError(
                f"window bits {self.bits} is not allowed; with {activation.name} and {weight.name} in blocks of "
                f"{activation.block_size} it is at least {bits + 1}, which holds one block's sum and its sign"
            )
        return self.exponent + self.bits - 1 - bits


DEFAULT_WINDOW = Window()
"""The window that is taken unless another is given."""


def add_terms(blocks: Iterable[Sequence[tuple[int, int]]], window: Window, limit: int) -> tuple[bool, int]:
    """The running sum of terms in Python's integers, one term at a time.

    Args:
        blocks: for each block, its terms as (significand, exponent).
        window: the window.
        limit: the largest exponent of a term other than zero, `Window.largest_exponent`.

    Returns:
        Whether the sum overflowed; and the sum, in units of the window's least bit.
    """
    total, overflow = 0, False
    for terms in blocks:
        for significand, exponent in terms:
            places = exponent - window.exponent
            overflow |= significand != 0 and exponent > limit
            # Shifting right floors, which is what leaving out bits of two's complement does.
            total += significand << places if places >= 0 else significand >> -places
        overflow |= not -(1 << (window.bits - 1)) <= total < 1 << (window.bits - 1)
    return overflow, total


class WindowedTotals:
    """Running sums of many dot products in float64, all exact.

    A total is high * 2**split + low with 0 <= low < 2**split, in units of the window's least bit. `split` is a multiple
    of a limb that `round_limbs` takes and less than the window's width. So both parts stay below 2^53 while the total
    is in the window.

    Attributes:
        overflow: bool, which of them have overflowed.
    """

    def __init__(self, shape: tuple[int, ...], window: Window) -> None:
        self.overflow = np.zeros(shape, np.bool_)
        self._window = window
        self._limbs = min((window.bits - 1) // MAX_LIMB_BITS, 2)
        self._split = self._limbs * MAX_LIMB_BITS
        self._high, self._low = np.zeros(shape), np.zeros(shape)

    def add(self, term: NDArray[np.float64]) -> None:
        """Add a term of each, less the bits below the window. A term has at most 24 significant bits."""
        units = np.floor(np.ldexp(term, -self._window.exponent))
        high = np.floor(np.ldexp(units, -self._split))
        low = self._low + (units - np.ldexp(high, self._split))
        carry = np.floor(np.ldexp(low, -self._split))
        self._high += high + carry
        self._low = low - np.ldexp(carry, self._split)

    def end_block(self) -> None:
        """Hold the totals against the window's range."""
        limit = np.ldexp(1.0, self._window.bits - 1 - self._split)
        self.overflow |= (self._high < -limit) | (self._high >= limit)

    def rounded(self) -> NDArray[np.float32]:
        """The totals, each rounded once to float32; NaN where they overflowed."""
        high = np.where(self.overflow, 0, self._high).astype(np.int64)
        low = self._low.astype(np.int64)
        limbs = [low, *[np.zeros_like(low)] * (self._limbs - 1), high] if self._limbs else [high]
        result = round_limbs(limbs, MAX_LIMB_BITS, self._window.exponent)
        return np.where(self.overflow, np.float32(np.nan), result)


def sum_in_window(terms: Sequence[Term], window: Window, limit: int) -> NDArray[np.float32]:
    """Sum block by block, term by term, as `add_terms`, rounded once to float32; NaN where the sum overflows."""
    shape = np.broadcast_shapes(*(term.significand.shape for term in terms))
    totals = WindowedTotals(shape[:-1], window)
    for block in range(shape[-1]):
        for term in terms:
            significand, exponent = term.significand[..., block], term.exponent[..., block]
            totals.overflow |= (significand != 0) & (exponent > limit)
            totals.add(np.ldexp(significand.astype(np.float64), exponent))
        totals.end_block()
    return totals.rounded()
