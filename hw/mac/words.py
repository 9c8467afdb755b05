"""An accumulator cut into words: how wide they are, and upon which of them a term falls."""

import functools
import operator
from dataclasses import dataclass

from amaranth.hdl import Const, Value
from amaranth.utils import bits_for

from amxfp4.hw.arith.bits import gated
from amxfp4.hw.mac.scale import Scales

MIN_WORDS, MAX_WORDS = 4, 8
"""Two or three words would not pay for turning the register round. More than eight would save little of the adder."""

MIN_WORD_BITS = 13
"""A leading word and two more hold the 24 bits of a significand below the leading bit, and the guard."""


@dataclass(frozen=True)
class WordSplit:
    """A register of a fixed-point accumulator, cut into words.

    Attributes:
        accumulator_bits: width of the total, two's complement.
        words: the number of words.
    """

    accumulator_bits: int
    words: int

    @property
    def word_bits(self) -> int:
        """Width of a word.

        Together the words have at least one bit more than the total, as the running sum may need one bit more before a
        block's last term is added.
        """
        return -(-(1 + self.accumulator_bits) // self.words)

    @classmethod
    def choices(cls, accumulator_bits: int, cycles: int) -> "list[WordSplit]":
        """The splits that pay for themselves where a term has `cycles` cycles to itself, the smallest first.

        More words mean a narrower adder, term shifter and rounder, but padding in the register. One bit of word width
        costs about as much as two bits of register, so `(words + 2) * word_bits` is what counts.
        """
        counts = range(MIN_WORDS, min(cycles, MAX_WORDS) + 1)
        splits = [split for count in counts if (split := cls(accumulator_bits, count)).word_bits >= MIN_WORD_BITS]
        return sorted(splits, key=lambda split: ((split.words + 2) * split.word_bits, -split.words))


def words_reached(split: WordSplit, scales: Scales, exponent: Value) -> list[Value]:
    """A bit for each number of whole words from 1 on: a term is shifted up by at least that many words."""
    bits, lowest = split.word_bits, scales.exponent_min
    return [exponent >= lowest + count * bits for count in range(1, (scales.exponent_max - lowest) // bits + 1)]


def word_and_places(split: WordSplit, scales: Scales, exponent: Value) -> tuple[list[Value], Value]:
    """Where a term begins.

    Returns:
        One-hot, lowest first, the number of whole words by which the term is shifted up; and the places within a word.
    """
    bits, lowest = split.word_bits, scales.exponent_min
    reached = words_reached(split, scales, exponent)
    words_up = [low & ~high for low, high in zip([Const(1, 1), *reached], [*reached, Const(0, 1)], strict=True)]
    width = bits_for(bits - 1)
    starts = (Const(-(lowest + up * bits) % (1 << width), width) for up in range(len(words_up)))
    starts = (gated(start, here) for start, here in zip(starts, words_up, strict=True))
    return words_up, (exponent + functools.reduce(operator.or_, starts))[:width]
