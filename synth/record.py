"""What a measurement of one unit gives: a flat dictionary, ready for JSON, of which each command writes a list."""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from amxfp4.hw.config import Config
from amxfp4.hw.units import UNITS

Record = dict[str, Any]
"""What `hw.units.described` says of the unit, then figures by name."""

CONFIG = ("activation", "weight", "block_size", "lanes", "accumulator")
"""Fields of a MAC unit's config that its record has besides, so that tables need not look for them."""

Lanes = Annotated[int, Meta(ge=1, le=1024)]
Positive = Annotated[float, Meta(gt=0)]


class Measured(TypedDict):
    """What a record of a MAC unit must have to be compared with others, whichever command wrote it."""

    name: str
    activation: str
    weight: str
    lanes: Lanes
    accumulator: str


class MeasuredArea(Measured):
    """What `amxfp4 area` and `amxfp4 sweep` know of a MAC unit, as far as a table, a chart or a ratio needs it."""

    unit: str
    config: dict[str, Any]
    library: str
    block_size: int
    latency: int
    area: Positive
    area_ge: Positive
    area_ge_per_mac: Positive
    registers_ge: float
    flip_flops: int
    clock_gates: int
    delay_ps: float
    period_ps: Positive
    ratio_to_mxfp4: float | None
    ratio_to_symmetric: float | None
    breakdown: dict[str, float] | None


def config_of(record: Record) -> Config:
    """The config that a record is of."""
    config: Config = UNITS[record["unit"]].configure(record["config"])
    return config


def check_config(record: Record) -> None:
    """Checks that a record of a MAC unit is of the config that it names.

    Raises:
        ValueError: It is of another, or there is no such config.
    """
    try:
        config = config_of(record)
        same = all(getattr(config, name) == record[name] for name in ("name", *CONFIG))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no unit has the config of {record.get('name')!r}: {error}") from None
    if not same:
        raise ValueError(f"{record['name']!r} is not of the config beside it")
