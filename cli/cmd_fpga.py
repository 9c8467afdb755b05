"""`amxfp4 fpga`: what the units cost in an FPGA, and what asymmetry costs of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.cli.asked_units import configs_asked_for, unit_options
from amxfp4.cli.config_options import given

if TYPE_CHECKING:
    from amxfp4.hw.units import Unit
    from amxfp4.synth.record import Record
    from amxfp4.synth.tables import Columns

FOLDER = Path("build/fpga")


@click.command("fpga")
@unit_options
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the placement.")
@run_options.JOBS
@run_options.timeout("Seconds for synthesis, and as many for place and route, of a unit.")
@run_options.NO_CACHE
@run_options.output_folder(FOLDER, "fpga.json, fpga.md and the cache")
def command(
    unit: str | None,
    lanes: tuple[int, ...],
    seed: int,
    jobs: int | None,
    timeout: float,
    no_cache: bool,
    output: Path,
    **fields: Any,
) -> int:
    """Place and route units on a Lattice ECP5: LUTs, carries, flip-flops, clock, ratios to MXFP4 and the symmetric.

    Without options of a config: all standard units, which takes a while; --lanes 1 is the quickest part. With them:
    that unit, and those it is compared with. Exit status 1 when a run failed or took too long; the others are written.
    """
    from functools import partial

    from rich.console import Console

    from amxfp4.cli.show_tables import show_tables
    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.synth import fpga
    from amxfp4.synth.ratios import with_ratios
    from amxfp4.synth.tables import by_unit
    from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, ToolError

    configs = configs_asked_for(unit, lanes, given(fields))
    for tool in (YOSYS, NEXTPNR_ECP5):
        tool.version()  # a missing one is said once
    cache = None if no_cache else output / "cache"
    calls = {
        config.name: partial(fpga.measure_fpga, config, seed=seed, timeout=timeout, cache=cache)
        for config in sorted(configs, key=lambda config: -config.lanes)
    }
    pool = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failed = run_all(calls, pool, Console(stderr=True), "place and route", (ToolError,))
    if found:
        records = with_ratios((found[config.name] for config in configs if config.name in found), "luts")
        files = _write(records, output)
        show_tables(by_unit(records, _figures), f"{fpga.DEVICE}, speed grade {fpga.SPEED_GRADE}")
        click.echo(f"written to {', '.join(str(file) for file in files)}")
    for failure in failed.values():
        click.echo(f"error: {failure}", err=True)
    return 1 if failed else 0


def _figures(unit: "Unit", members: "list[Record]") -> "Columns":
    from amxfp4.synth.tables import ratio_columns

    return {
        "LUTs": lambda record: f"{record['luts']:,}",
        "carries": lambda record: f"{record['carries']:,}",
        "FFs": lambda record: f"{record['flip_flops']:,}",
        "Fmax, MHz": lambda record: f"{record['fmax_mhz']:.1f}",
        **ratio_columns(unit, members),
    }


def _write(records: "list[Record]", folder: Path) -> list[Path]:
    import json

    from amxfp4.files import write_text
    from amxfp4.synth import fpga
    from amxfp4.synth.tables import by_unit

    lines = [
        f"# {fpga.DEVICE}, speed grade {fpga.SPEED_GRADE}",
        "",
        "After place and route with yosys and nextpnr. LUTs: 4-input LUTs occupied, those of carry chains included; "
        "carries: two-bit carry cells; FFs: flip-flops; multipliers are built from LUTs. Ratios are of LUTs: to "
        "MXFP4's unit with its float32 accumulator, and to the unit with the same scale formats and accumulator but "
        "one scale per block.",
        "",
    ]
    for table in by_unit(records, _figures):
        lines += [f"## {table.title}", "", *table.markdown(), ""]
    files = [folder / "fpga.json", folder / "fpga.md"]
    write_text(files[0], json.dumps(records, indent=2) + "\n")
    write_text(files[1], "\n".join(lines))
    return files
