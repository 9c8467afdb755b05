"""`amxfp4 verilog`: configs to Verilog and manifests."""

from pathlib import Path

import click

from amxfp4.errors import UsageError


@click.command("verilog")
@click.option("--activation", metavar="FORMAT", help="Block format of the activations (default AMXFP4).")
@click.option("--weight", metavar="FORMAT", help="Block format of the weights (default: the activations').")
@click.option("--lanes", type=int, help="Element pairs a beat (default 8).")
@click.option("--block-size", type=int, help="Elements a block (default 32).")
@click.option("--accumulator", metavar="exact|fp32", help="Default: exact where both scales are FP8.")
@click.option("--accumulator-bits", type=int, help="Width of the exact accumulator.")
@click.option("--front-registers", type=int, help="Register ranks before the block sums, 0 or 1.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A .v file for one unit, a folder for --standard."
)
@click.option("--standard", is_flag=True, help="Write every standard unit (default folder: build/verilog).")
def command(
    activation: str | None,
    weight: str | None,
    lanes: int | None,
    block_size: int | None,
    accumulator: str | None,
    accumulator_bits: int | None,
    front_registers: int | None,
    output: Path | None,
    standard: bool,
) -> None:
    """Write the Verilog of one MAC unit, and beside it a JSON manifest of its ports, latency and config."""
    from amxfp4.hw.config import MacConfig
    from amxfp4.hw.generate import standard_configs, write_mac

    given = {
        "activation": activation,
        "weight": weight or activation,
        "lanes": lanes,
        "block_size": block_size,
        "accumulator": accumulator,
        "accumulator_bits": accumulator_bits,
        "front_registers": front_registers,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if standard:
        if given:
            raise UsageError(f"--standard was given with --{next(iter(given)).replace('_', '-')}; it allows only -o")
        folder = output or Path("build/verilog")
        jobs = [(config, folder / f"{config.name}.v") for config in standard_configs()]
    else:
        config = MacConfig(**given)  # type: ignore[arg-type]
        jobs = [(config, output or Path("build/verilog") / f"{config.name}.v")]
        if jobs[0][1].suffix != ".v":
            raise UsageError(f"the output is {str(jobs[0][1])!r}; a name that ends in .v is needed")
    for config, path in jobs:
        written, beside = write_mac(config, path)
        click.echo(f"{written}  {beside}  latency {config.latency}")
