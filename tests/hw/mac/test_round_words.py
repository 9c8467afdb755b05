"""From the words of an exact total to float32: totals about powers of two, ties, the extremes, runs of equal bits."""

import pytest
from helpers.quick import full_but
from helpers.totals import check_rounder
from helpers.word_units import WORD_UNITS, plan_of

from amxfp4.hw.mac.round_words import ByWords


@pytest.mark.parametrize("name", full_but({"five words", "four sums", "placed"}, WORD_UNITS, str))
def test_rounded_once(name: str) -> None:
    """A total gives its float32 two cycles after its last word has passed, whatever passed before. Units that have the
    time to round in place are tried too."""
    config = WORD_UNITS[name]
    split = plan_of(config).split
    plan = ByWords(split, config.lsb_exponent)
    assert plan.cycles == 2
    check_rounder(plan, gap=split.words)
