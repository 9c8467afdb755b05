"""Which units a command measures: the standard ones, or those that its options ask for."""

from collections.abc import Callable
from typing import Any

import click

from amxfp4.cli.config_options import config_options
from amxfp4.hw.config import Config
from amxfp4.hw.units import UNITS

DEFAULT_UNIT = "mac"


def unit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--unit`, `--lanes`, which may be repeated, and the fields of all configs."""
    for option in (
        config_options(UNITS.values(), skip=("lanes",)),
        click.option(
            "--lanes", type=int, multiple=True, metavar="INTEGER", help="May be repeated (default 1, 8 and 32)."
        ),
        click.option(
            "--unit", type=click.Choice(list(UNITS)), help="Measure these only; with options of a config, that one."
        ),
    ):
        command = option(command)
    return command


def configs_asked_for(unit: str | None, lanes: tuple[int, ...], fields: dict[str, Any]) -> list[Config]:
    """The units to measure, with those that they are compared with.

    Without fields of a config these are the standard units. With them, or where a kind of unit has no standard ones,
    it is that unit.

    Args:
        unit: What kind of unit; None where none was asked for.
        lanes: The numbers of lanes asked for; empty for those of the standard units.
        fields: Those of a config that were given.

    Raises:
        UsageError: No such unit can be built.
    """
    from amxfp4.hw.catalogue import LANES, standard
    from amxfp4.synth.ratios import with_references

    lanes = lanes or LANES
    configs = [] if fields else standard(unit, lanes)
    if not configs:
        configs = [UNITS[unit or DEFAULT_UNIT].configure(fields | {"lanes": count}) for count in lanes]
    return with_references(configs)
