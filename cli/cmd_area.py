"""`amxfp4 area`: what the units cost in gates, and what asymmetry costs of it."""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.cli.config_options import config_options
from amxfp4.errors import UsageError
from amxfp4.hw.units import UNITS

if TYPE_CHECKING:
    from rich.console import Console

    from amxfp4.hw.units import Config
    from amxfp4.synth.area import Record

FOLDER = Path("build/area")
# Others are made of these.
MEASURED = ("mac", "quantizer")
# What the table may take; a narrower terminal breaks its lines, but nothing is cut.
WIDTH = 100
_NARROW = {
    "accumulator": "accu-\nmulator",
    "flip-flops": "flip-\nflops",
    "delay, ps": "delay,\nps",
    "/ symmetric": "/ sym-\nmetric",
}


@click.command("area")
@click.option("--unit", type=click.Choice(MEASURED), help="Measure these only; with options of a config, that one.")
@click.option("--lanes", type=int, multiple=True, metavar="INTEGER", help="May be repeated (default 1, 8 and 32).")
@config_options([UNITS[name] for name in MEASURED], skip=("lanes",))
@click.option("--liberty", metavar="FILE", help='Cell library: a .lib or .lib.gz, "generic" (default) or "osu018".')
@run_options.JOBS
@run_options.timeout()
@click.option("--no-breakdown", is_flag=True, help="Leave out areas by submodule, which take a run more for each unit.")
@run_options.NO_CACHE
@run_options.output_folder(FOLDER, "area.json, area.md, area.svg and the cache")
def command(
    unit: str | None,
    lanes: tuple[int, ...],
    liberty: str | None,
    jobs: int | None,
    timeout: float,
    no_breakdown: bool,
    no_cache: bool,
    output: Path,
    **fields: Any,
) -> int:
    """Map units to gates of a cell library: area, flip-flops, longest path, ratios to MXFP4 and to the symmetric unit.

    Without options of a config: all units of the project's table. With them: that unit, and those it is compared with.
    Exit status 1 when a run failed or took too long; the others are written.
    """
    from rich.console import Console

    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.synth import area
    from amxfp4.synth.cells import liberty as liberties
    from amxfp4.synth.tool import YOSYS, ToolError

    given = {key: value for key, value in fields.items() if value is not None}
    configs = configs_asked_for(unit, lanes or area.LANES, given)
    path = liberties.find(liberty)
    library = liberties.read(path)
    YOSYS.version()  # a missing yosys is said once
    measure = functools.partial(
        area.measure,
        library=path.resolve(),
        breakdown=not no_breakdown,
        timeout=timeout,
        cache=None if no_cache else output / "cache",
    )
    # The largest first, so that none is left over at the end.
    calls = {c.name: functools.partial(measure, c) for c in sorted(configs, key=lambda config: -config.lanes)}
    executor = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failures = run_all(calls, executor, Console(stderr=True), "synthesis", (ToolError,))
    if found:
        records = area.with_ratios(found[config.name] for config in configs if config.name in found)
        files = _write(records, output)
        console = Console(width=max(WIDTH, Console().width))
        _show(console, library.name, records)
        click.echo(f"written to {', '.join(str(file) for file in files)}")
    for failure in failures.values():
        click.echo(f"error: {failure}", err=True)
    if liberty is None and liberties.OSU018.is_file():
        click.echo(
            "Debian's osu018 library is installed; --liberty osu018 (make area LIBERTY=osu018) takes it", err=True
        )
    return 1 if failures else 0


def configs_asked_for(unit: str | None, lanes: "tuple[int, ...]", given: dict[str, Any]) -> "list[Config]":
    """The standard units, or the one asked for at each number of lanes, with those that they are compared with."""
    from amxfp4.synth import area

    if not given:
        configs = [c for c in area.standard_units(lanes) if unit in (None, area.unit_of(c).name)]
        if not configs:
            allowed = " and ".join(str(count) for count in area.QUANTIZER_LANES)
            raise UsageError(f"--lanes is {lanes[0]} with --unit {unit}; the table has it at {allowed} lanes")
    else:
        kind = UNITS[unit or "mac"]
        if "activation" in given and any(field.name == "weight" for field in kind.fields):
            given.setdefault("weight", given["activation"])
        configs = [kind.configure(given | {"lanes": count}) for count in lanes]
    return area.with_references(configs)


def _write(records: "list[Record]", folder: Path) -> list[Path]:
    import json

    from amxfp4.files import write_text
    from amxfp4.synth import tables as area_report

    files = [folder / "area.json", folder / "area.md"]
    write_text(files[0], json.dumps(records, indent=2) + "\n")
    write_text(files[1], area_report.markdown(records))
    if any(record["breakdown"] for record in records):
        files.append(folder / "area.svg")
        area_report.write_chart(records, files[-1])
    return files


def _show(console: "Console", library: str, records: "list[Record]") -> None:
    from rich import box
    from rich.table import Table

    from amxfp4.synth import tables as area_report

    for title, headings, rows in (
        ("MAC units", area_report.MAC_HEADINGS, area_report.mac_rows(records)),
        ("Quantisers", area_report.QUANTIZER_HEADINGS, area_report.quantizer_rows(records)),
    ):
        if not rows:
            continue
        table = Table(title=f"{title}, library {library}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in headings:
            table.add_column(
                _NARROW.get(heading, heading),
                justify="left" if heading in area_report.LEFT else "right",
                no_wrap=True,
            )
        for row in rows:
            table.add_row(*row)
        console.print(table)
