"""`amxfp4 fpga`: what the units cost in an FPGA, and what asymmetry costs of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.cli.config_options import config_options
from amxfp4.hw.units import UNITS

if TYPE_CHECKING:
    from amxfp4.synth.fpga import Record

FOLDER = Path("build/fpga")
# Nothing is cut at this width when the output is no terminal, whose width would be unknown.
WIDTH = 100

HEADINGS = (
    "activation",
    "weight",
    "accumulator",
    "lanes",
    "LUTs",
    "carries",
    "FFs",
    "Fmax, MHz",
    "/ MXFP4",
    "/ symmetric",
)
LEFT = HEADINGS[:3]


@click.command("fpga")
@click.option("--unit", type=click.Choice(list(UNITS)), help="Place these only; with options of a config, that one.")
@click.option("--lanes", type=int, multiple=True, metavar="INTEGER", help="May be repeated (default 1, 8 and 32).")
@config_options(UNITS.values(), skip=("lanes",))
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

    Without options of a config: all units of the project's table, which takes a while: --lanes 1 is the quickest part.
    With them: that unit, and those it is compared with. Exit status 1 when a run failed or took too long; the others
    are written.
    """
    from functools import partial

    from rich.console import Console

    from amxfp4.cli.cmd_area import configs_asked_for
    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.synth import area, fpga
    from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, ToolError

    given = {key: value for key, value in fields.items() if value is not None}
    configs = configs_asked_for(unit, lanes or area.LANES, given)
    for tool in (YOSYS, NEXTPNR_ECP5):
        tool.version()  # a missing one is said once
    cache = None if no_cache else output / "cache"
    calls = {
        config.name: partial(fpga.measure, config, seed=seed, timeout=timeout, cache=cache)
        for config in sorted(configs, key=lambda config: -config.lanes)
    }
    pool = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failed = run_all(calls, pool, Console(stderr=True), "place and route", (ToolError,))
    if found:
        records = fpga.with_ratios(found[config.name] for config in configs if config.name in found)
        files = _write(records, output)
        _show(records)
        click.echo(f"written to {', '.join(str(file) for file in files)}")
    for failure in failed.values():
        click.echo(f"error: {failure}", err=True)
    return 1 if failed else 0


def _row(record: "Record") -> tuple[str, ...]:
    ratios = (record["ratio_to_mxfp4"], record["ratio_to_symmetric"])
    return (
        record["activation"],
        record["weight"] or "-",
        record["accumulator"] or "-",
        str(record["lanes"]),
        f"{record['luts']:,}",
        f"{record['carries']:,}",
        f"{record['flip_flops']:,}",
        f"{record['fmax_mhz']:.1f}",
        *("-" if ratio is None else f"{ratio:.3f}" for ratio in ratios),
    )


def _by_unit(records: "list[Record]") -> "list[tuple[str, list[Record]]]":
    titles = {"mac": "MAC units", "quantizer": "Quantisers"}
    tables = [(title, [r for r in records if r["unit"] == unit]) for unit, title in titles.items()]
    return [(title, members) for title, members in tables if members]


def _write(records: "list[Record]", folder: Path) -> list[Path]:
    import json

    from amxfp4.files import write_text
    from amxfp4.synth import fpga

    lines = [
        f"# {fpga.DEVICE}, speed grade {fpga.SPEED_GRADE}",
        "",
        "After place and route with yosys and nextpnr. LUTs: 4-input LUTs occupied, those of carry chains included; "
        "carries: two-bit carry cells; FFs: flip-flops; multipliers are built from LUTs. Ratios are of LUTs: to "
        "MXFP4's unit with its float32 accumulator, and to the unit with the same scale formats and accumulator but "
        "one scale a block.",
        "",
    ]
    rule = "|" + "|".join(":--" if heading in LEFT else "--:" for heading in HEADINGS) + "|"
    for title, members in _by_unit(records):
        rows = [f"| {' | '.join(row)} |" for row in (HEADINGS, *map(_row, members))]
        lines += [f"## {title}", "", rows[0], rule, *rows[1:], ""]
    files = [folder / "fpga.json", folder / "fpga.md"]
    write_text(files[0], json.dumps(records, indent=2) + "\n")
    write_text(files[1], "\n".join(lines))
    return files


def _show(records: "list[Record]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from amxfp4.synth import fpga

    console = Console() if Console().is_terminal else Console(width=WIDTH)
    for title, members in _by_unit(records):
        name = f"{title}, {fpga.DEVICE}, speed grade {fpga.SPEED_GRADE}"
        table = Table(title=name, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in HEADINGS:
            broken = heading.replace(", ", ",\n").replace("/ ", "/\n") if " " in heading else heading
            table.add_column(broken, justify="left" if heading in LEFT else "right", overflow="fold")
        for record in members:
            table.add_row(*_row(record))
        console.print(table)
