"""From the words of an exact total to float32 in place, as often as dot products can end."""

import pytest
from helpers.quick import full_but
from helpers.totals import check_rounder
from helpers.word_units import plan_of

from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.words import WordSplit

CONFIGS = {
    "x2, one lane": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    "x2, two lanes": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=2),
    "e5m2, one lane": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1),
    "four sums, block of 128": MacConfig("AMXFP4", "AMXFP4", block_size=128, lanes=2),
    "narrow, block of 16": MacConfig("MXFP4-E4M3", "MXFP4-UE5M3", block_size=16, lanes=1, accumulator_bits=64),
    "wide": MacConfig("MXFP4-E5M2", "MXFP4-E4M3", lanes=1, accumulator_bits=128),
}


@pytest.mark.parametrize("name", full_but({"x2, one lane", "x2, two lanes", "narrow, block of 16"}, CONFIGS, str))
def test_rounded_in_place(name: str) -> None:
    """The next total's last word passes as soon after a result as the next dot product can begin."""
    config = CONFIGS[name]
    plan = plan_of(config)
    assert isinstance(plan.rounder, InPlace), "these are the units that have the time"
    turns = config.plan.front.turns
    check_rounder(plan.rounder, gap=config.beats_per_block - (turns - 1) * plan.cycles_per_term)


def test_both_numbers_of_places_are_here() -> None:
    found = [plan_of(config).rounder for config in CONFIGS.values()]
    assert {rounder.places for rounder in found if isinstance(rounder, InPlace)} == {1, 3}


@pytest.mark.parametrize(("gap", "places"), ((34, [1, 3]), (33, [1, 3]), (32, [3]), (17, [3]), (16, [])))
def test_what_is_ready_in_time(gap: int, places: list[int]) -> None:
    """Seven words of 25 bits pass in 7 cycles; 24 shifts by one place, or 8 by three, and 2 cycles follow."""
    assert [plan.places for plan in InPlace.choices(WordSplit(174, 7), -34, gap)] == places
