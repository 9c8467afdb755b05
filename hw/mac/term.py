"""A term: one block sum (or one product) times its scales, as the accumulator takes it.

Four ways to make one stand beside this file: `term_whole.py`, `term_digits.py`, `term_placed.py`, `term_direct.py`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from amaranth.hdl import Module
from amaranth.lib import data
from amaranth.utils import bits_for

from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.front import SumsInTurn
from amxfp4.hw.mac.registers import Terms
from amxfp4.hw.mac.scale import Scales


class Term(ABC):
    """The size and the coding of a term: value = (-1)^negative x magnitude x 2^(exponent - exponent_offset)."""

    title: ClassVar[str]
    """The form's name in tables."""

    @property
    @abstractmethod
    def scales(self) -> Scales:
        """The scales of a sum (or product)."""

    @property
    @abstractmethod
    def sum_max(self) -> int:
        """The largest magnitude of a sum (or product) before it is scaled."""

    @property
    @abstractmethod
    def signed(self) -> bool:
        """Whether a term is one signed integer (`value`), which a fixed-point accumulator takes. Otherwise it is sign
        and magnitude."""

    @property
    @abstractmethod
    def cycles(self) -> int:
        """Cycles from a block sum (or product) to its term, beyond the one that any term takes."""

    @abstractmethod
    def explain(self) -> str:
        """In words: what is built and why."""

    @property
    def places(self) -> int:
        """The most places by which the signed integer comes shifted up; see `term_placed.py`."""
        return 0

    @property
    def bits(self) -> int:
        """Width of a term's magnitude, before any shift."""
        return bits_for(self.sum_max * self.scales.significand_max)

    @property
    def exponent_max(self) -> int:
        """The largest exponent that a term comes with; the smallest is `scales.exponent_min`."""
        return self.scales.exponent_max

    @property
    def layout(self) -> data.StructLayout:
        """`value`, or `magnitude` and `negative`; `exponent`; `nan`.

        With a window also `above`: the term's scales lie above the window, and it is not zero.
        """
        number = {"value": self.bits + 1 + self.places} if self.signed else {"magnitude": self.bits, "negative": 1}
        above = {"above": 1} if self.scales.window else {}
        return data.StructLayout({**number, "exponent": bits_for(self.exponent_max), "nan": 1, **above})


@dataclass(frozen=True)
class TermOfSum(Term):
    """A term made of a block sum.

    Attributes:
        sums: the block sums.
    """

    sums: Sums

    @property
    def scales(self) -> Scales:
        return self.sums.scales

    @property
    def sum_max(self) -> int:
        return self.sums.largest

    @property
    def signed(self) -> bool:
        return self.sums.for_exact

    @abstractmethod
    def build(self, m: Module, sums: SumsInTurn) -> Terms:
        """Makes terms of block sums; submodules and registers go to `m`."""
