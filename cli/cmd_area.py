"""`amxfp4 area`: what the units cost in gates, and what asymmetry costs of it."""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.cli.asked_units import configs_asked_for, unit_options
from amxfp4.cli.config_options import given

if TYPE_CHECKING:
    from amxfp4.synth.record import Record

FOLDER = Path("build/area")


@click.command("area")
@unit_options
@click.option("--liberty", metavar="FILE", help='Cell library: a .lib or .lib.gz, "generic" (default) or "osu018".')
@run_options.JOBS
@run_options.timeout()
@click.option("--no-breakdown", is_flag=True, help="Leave out areas by submodule, which take one more run per unit.")
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

    Without options of a config: all standard units; of a kind that has none, its default at each number of lanes. With
    them: that unit, and those it is compared with. Exit status 1 when a run failed or took too long; the others are
    written.
    """
    from rich.console import Console

    from amxfp4.cli.show_tables import show_tables
    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.synth.area import measure_area
    from amxfp4.synth.area_tables import area_tables
    from amxfp4.synth.cells import liberty as liberties
    from amxfp4.synth.ratios import with_ratios
    from amxfp4.synth.tool import YOSYS, ToolError

    configs = configs_asked_for(unit, lanes, given(fields))
    path = liberties.find(liberty)
    library = liberties.read(path)
    YOSYS.version()  # a missing yosys is said once
    call = functools.partial(
        measure_area,
        library=path.resolve(),
        breakdown=not no_breakdown,
        timeout=timeout,
        cache=None if no_cache else output / "cache",
    )
    # The largest first, so that none is left over at the end.
    calls = {c.name: functools.partial(call, c) for c in sorted(configs, key=lambda config: -config.lanes)}
    executor = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failures = run_all(calls, executor, Console(stderr=True), "synthesis", (ToolError,))
    if found:
        records = with_ratios(found[config.name] for config in configs if config.name in found)
        files = _write(records, output)
        show_tables(area_tables(records), f"library {library.name}")
        click.echo(f"written to {', '.join(str(file) for file in files)}")
    for failure in failures.values():
        click.echo(f"error: {failure}", err=True)
    if liberty is None and liberties.OSU018.is_file():
        click.echo(
            "Debian's osu018 library is installed; --liberty osu018 (`make area LIBERTY=osu018`) takes it", err=True
        )
    return 1 if failures else 0


def _write(records: "list[Record]", folder: Path) -> list[Path]:
    import json

    from amxfp4.files import write_text
    from amxfp4.synth import area_tables

    files = [folder / "area.json", folder / "area.md"]
    write_text(files[0], json.dumps(records, indent=2) + "\n")
    write_text(files[1], area_tables.markdown(records))
    if any(record["breakdown"] for record in records):
        files.append(folder / "area.svg")
        area_tables.write_chart(records, files[-1])
    return files
