"""The windowed accumulators: the exact ones, over a window of exponents.

Scales that are powers of two reach so far that an exact accumulator would need some 540 bits. A window keeps the bits
that matter. Everything but the placing of terms (`window.py`) is as in `acc_exact.py` and `acc_words.py`: a term starts
under the window and is shifted up; what is left under the window is not built.
"""

from dataclasses import replace

from amxfp4.hw.mac.acc_exact import Exact
from amxfp4.hw.mac.acc_words import Words
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.round_words import ByWords
from amxfp4.hw.mac.term_whole import Whole
from amxfp4.hw.mac.window import Window
from amxfp4.hw.mac.words import WordSplit


class Windowed(Exact):
    """A windowed accumulator that adds a term in one cycle."""

    title = "window"

    def explain(self) -> str:
        """In words: what is built and why."""
        return f"{_kept(self.term.scales.least_exponent)}; {super().explain()}"


class WindowedWords(Words):
    """A windowed accumulator that adds a term in as many cycles as it has words."""

    title = "window in words"

    def explain(self) -> str:
        """In words: what is built and why."""
        return f"{_kept(self.term.scales.least_exponent)}; {super().explain()}"


def _kept(exponent: int) -> str:
    return f"a term's bits under 2^{exponent} are left out, and scales above the window overflow"


def windowed(sums: Sums, bits: int, exponent: int) -> tuple[Sums, Windowed | WindowedWords]:
    """The smallest windowed accumulator that keeps up.

    Args:
        sums: the block sums; they have no window yet.
        bits: width of the window.
        exponent: weight of its least bit, as a power of two.

    Returns:
        The block sums with the window, and the accumulator.
    """
    term_bits = Whole(sums).bits
    splits = WordSplit.choices(bits, sums.cycles_per_term)

    def placed_in(below: int) -> Sums:
        return replace(sums, window=Window(exponent, bits, term_bits, below))

    if not splits:
        whole = placed_in(term_bits)
        return whole, Windowed(Whole(whole), sums.paths, bits)
    split = splits[0]
    # Whole words below the window, so that places within a word say where a term begins.
    words_below = -(-term_bits // split.word_bits)
    whole = placed_in(words_below * split.word_bits)
    gap = sums.beats - (sums.turns - 1) * split.words
    rounder = next(iter(InPlace.choices(split, exponent, gap)), ByWords(split, exponent))
    return whole, WindowedWords(Whole(whole), split, rounder)
