"""MAC units whose accumulator is in words."""

from amxfp4.hw.mac.acc_words import Words
from amxfp4.hw.mac.config import MacConfig

WORD_UNITS = {
    "x2": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    "e5m2": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=8),
    "four sums": MacConfig("AMXFP4", "AMXFP4", lanes=2),
    "five words": MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=2),
    "eight words": MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=2),
    "narrow": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=4, accumulator_bits=77),
    "wide": MacConfig("AMXFP4", "MXFP4-E4M3", lanes=4, accumulator_bits=128),
    "placed": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    "placed, narrow": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1, accumulator_bits=77),
    "window": MacConfig("AMXFP4-X2", "MXFP4", lanes=2, accumulator="window", accumulator_bits=63),
    "window, narrow": MacConfig("MXFP4", "MXFP4", lanes=8, accumulator="window", accumulator_bits=51),
}


def plan_of(config: MacConfig) -> Words:
    """Of the accumulator of a unit."""
    plan = config.plan.accumulator
    assert isinstance(plan, Words), "these are the units that an accumulator in words is for"
    return plan
