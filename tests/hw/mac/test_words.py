"""Words of an accumulator: how it is split, and where every exponent's term begins."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.functions import FunctionOf
from helpers.word_units import WORD_UNITS, plan_of

from amxfp4.hw.mac.words import MAX_WORDS, MIN_WORD_BITS, MIN_WORDS, WordSplit, word_and_places, words_reached


@pytest.mark.parametrize("bits", range(40, 129, 8))
@pytest.mark.parametrize("cycles", [1, 3, 4, 5, 8, 32])
def test_choices(bits: int, cycles: int) -> None:
    """At most as many words as cycles, no word too narrow, at least one bit to spare, and the smallest split first."""
    splits = WordSplit.choices(bits, cycles)
    for split in splits:
        assert MIN_WORDS <= split.words <= min(cycles, MAX_WORDS)
        assert split.word_bits >= MIN_WORD_BITS
        assert (split.word_bits - 1) * split.words < bits + 1 <= split.word_bits * split.words
    sizes = [(split.words + 2) * split.word_bits for split in splits]
    assert sizes == sorted(sizes)
    possible = [words for words in range(4, min(cycles, 8) + 1) if -(-(bits + 1) // words) >= 13]
    assert sorted(split.words for split in splits) == possible


@pytest.mark.parametrize("name", ["x2", "five words", "placed, narrow", "wide", "window"])
def test_where_a_term_begins(name: str) -> None:
    """For every exponent: the word, one-hot and as a thermometer, and the place within the word."""
    plan = plan_of(WORD_UNITS[name])
    split, scales = plan.split, plan.term.scales
    exponent = np.arange(scales.exponent_min, scales.exponent_max + 1)
    word, place = np.divmod(exponent - scales.exponent_min, split.word_bits)
    ports = {"exponent": int(exponent[-1]).bit_length()}

    words = int(word.max()) + 1
    places = (split.word_bits - 1).bit_length()
    unit = FunctionOf(ports, words + places, lambda m, e: (*(found := word_and_places(split, scales, e))[0], found[1]))
    found = evaluate(unit, exponent=exponent)["y"]
    np.testing.assert_array_equal(found % (1 << words), 1 << word)
    np.testing.assert_array_equal(found >> words, place)

    unit = FunctionOf(ports, words - 1, lambda m, e: tuple(words_reached(split, scales, e)))
    np.testing.assert_array_equal(evaluate(unit, exponent=exponent)["y"], (1 << word) - 1)
