"""Pairs of formats, by which the report orders everything: their names, and which are asymmetric."""

from amxfp4.golden import block_format
from amxfp4.hw.catalogue import Pair
from amxfp4.synth.record import Record

NEGLIGIBLE = 1.05
"""Asymmetry's cost is called negligible up to this ratio of areas."""

RATIOS = (
    ("ratio_to_mxfp4", "MXFP4"),
    ("ratio_to_window", "the windowed MXFP4 unit"),
    ("ratio_to_symmetric", "the symmetric unit"),
)
"""The ratios of a unit, and what each is taken to. A record of an older version may lack one."""


def pair_of(unit: Record) -> Pair:
    """The formats of a unit's activations and weights, with the block size where that is not the format's own."""
    activation, weight = (block_format(unit[side], unit.get("block_size")).label for side in ("activation", "weight"))
    return activation, weight


def label(pair: Pair, between: str = " × ") -> str:
    """A pair as a legend names it."""
    return pair[0] if pair[0] == pair[1] else between.join(pair)


def is_asymmetric(pair: Pair) -> bool:
    """Whether either operand has more than one scale per block."""
    return any(block_format(name).two_sided for name in pair)


def plural(lanes: int) -> str:
    """A number of lanes in words."""
    return f"{lanes} lane{'s' if lanes > 1 else ''}"
