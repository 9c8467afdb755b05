"""What a measurement of one unit gives: a flat dictionary, ready for JSON, of which each command writes a list."""

from typing import Any

from amxfp4.hw.config import Config
from amxfp4.hw.units import UNITS

Record = dict[str, Any]
"""What `hw.units.described` says of the unit, then figures by name."""


def config_of(record: Record) -> Config:
    """The config that a record is of."""
    config: Config = UNITS[record["unit"]].configure(record["config"])
    return config
