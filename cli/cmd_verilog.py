"""`amxfp4 verilog`: configs to Verilog and manifests."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli.asked_units import DEFAULT_UNIT
from amxfp4.cli.config_options import config_options, given
from amxfp4.errors import UsageError
from amxfp4.hw.units import UNITS, spelling, unit_of

if TYPE_CHECKING:
    from amxfp4.hw.config import Config

FOLDER = Path("build/verilog")


@click.command("verilog")
@click.option("--unit", type=click.Choice(list(UNITS)), help=f"What to write (default {DEFAULT_UNIT}).")
@config_options(UNITS.values())
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A .v file for one unit, a folder for --standard."
)
@click.option("--standard", is_flag=True, help=f"Write every standard unit (default folder: {FOLDER}).")
@click.option("--explain", is_flag=True, help="Say how each unit is built, and why; write files only with -o.")
def command(unit: str | None, output: Path | None, standard: bool, explain: bool, **fields: Any) -> None:
    """Write the Verilog of one unit, and beside it a JSON manifest of its ports, latency and config.

    Without options: the AMXFP4 MAC unit with 8 lanes. The weights' format is the activations' unless given.
    """
    jobs = _standard(unit, output, given(fields)) if standard else [_one(unit, output, given(fields))]
    if explain:
        for config, _ in jobs:
            click.echo("\n".join(unit_of(config).explain(config)))
    if not explain or output is not None:
        from amxfp4.hw.verilog import write_unit

        for config, path in jobs:
            written, beside = write_unit(config, path)
            click.echo(f"{written}  {beside}  latency {config.latency}")


def _standard(unit: str | None, output: Path | None, fields: dict[str, Any]) -> "list[tuple[Config, Path]]":
    """Every standard unit and its file."""
    from amxfp4.hw.catalogue import standard

    for name in [*(["unit"] if unit else []), *fields]:
        raise UsageError(f"--standard was given with {spelling(name)}; it allows only -o and --explain")
    return [(config, (output or FOLDER) / f"{config.name}.v") for config in standard()]


def _one(unit: str | None, output: Path | None, fields: dict[str, Any]) -> "tuple[Config, Path]":
    """The unit asked for and its file."""
    config = UNITS[unit or DEFAULT_UNIT].configure(fields)
    path = output or FOLDER / f"{config.name}.v"
    if path.suffix != ".v":
        raise UsageError(f"the output is {str(path)!r}; a name that ends in .v is needed")
    return config, path
