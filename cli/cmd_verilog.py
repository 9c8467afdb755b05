"""`amxfp4 verilog`: configs to Verilog and manifests."""

from pathlib import Path
from typing import Any

import click

from amxfp4.cli.config_options import config_options
from amxfp4.errors import UsageError
from amxfp4.hw.units import UNITS

DEFAULT_UNIT = "mac"
FOLDER = Path("build/verilog")


@click.command("verilog")
@click.option("--unit", type=click.Choice(list(UNITS)), help=f"What to write (default {DEFAULT_UNIT}).")
@config_options(UNITS.values())
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A .v file for one unit, a folder for --standard."
)
@click.option("--standard", is_flag=True, help=f"Write every standard unit (default folder: {FOLDER}).")
def command(unit: str | None, output: Path | None, standard: bool, **fields: Any) -> None:
    """Write the Verilog of one unit, and beside it a JSON manifest of its ports, latency and config.

    Without options: the AMXFP4 MAC unit with 8 lanes. The weights' format is the activations' unless given.
    """
    from amxfp4.hw.verilog import standard_units, write_unit

    given = {key: value for key, value in fields.items() if value is not None}
    if standard:
        for key in [*(["unit"] if unit else []), *given]:
            raise UsageError(f"--standard was given with --{key.replace('_', '-')}; it allows only -o")
        folder = output or FOLDER
        jobs = [(config, folder / f"{config.name}.v") for config in standard_units()]
    else:
        config = UNITS[unit or DEFAULT_UNIT].configure(given)
        jobs = [(config, output or FOLDER / f"{config.name}.v")]
        if jobs[0][1].suffix != ".v":
            raise UsageError(f"the output is {str(jobs[0][1])!r}; a name that ends in .v is needed")
    for config, path in jobs:
        written, beside = write_unit(config, path)
        click.echo(f"{written}  {beside}  latency {config.latency}")
