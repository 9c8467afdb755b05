"""`amxfp4 sweep`: the map of area and delay over lanes, formats, accumulators, pipelines and libraries."""

import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.cli.config_options import config_options, given
from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import UNITS

if TYPE_CHECKING:
    from rich.console import Console

    from amxfp4.hw.catalogue import Pair
    from amxfp4.synth.cells.liberty import Library
    from amxfp4.synth.record import Record
    from amxfp4.synth.sweep import Results

FOLDER = Path("build/sweep")
# Nothing is cut at this width when the output is no terminal, whose width would be unknown.
WIDTH = 100
PAIR = ("activation", "weight")


@click.command("sweep")
@click.option("--pair", "pairs", multiple=True, metavar="FORMAT[:WEIGHT]", help="Formats, the weights' behind a colon.")
@config_options([UNITS["mac"]], skip=PAIR, multiple=True)
@click.option("--liberty", "liberties", multiple=True, metavar="FILE", help='As for area: a file, "generic", "osu018".')
@click.option("--jobs", type=click.IntRange(1), help="Runs side by side on this machine (default: one per core).")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the Dask cluster whose scheduler is at tcp://host:port.")
@run_options.timeout()
@click.option("--list", "listed", is_flag=True, help="Only say which runs there are, and which are done.")
@run_options.output_folder(FOLDER, "results.jsonl, sweep.json and sweep.csv")
def command(
    pairs: tuple[str, ...],
    liberties: tuple[str, ...],
    jobs: int | None,
    scheduler: str | None,
    timeout: float,
    listed: bool,
    output: Path,
    **axes: tuple[Any, ...],
) -> int:
    """Measure every combination of formats, lanes, accumulators, pipelines and libraries that can be built.

    Every option of an axis may be repeated; without any, the project's pairs with all lanes, all accumulators, every
    pipeline and the generic library. Each run is kept as soon as it is done, so a sweep that was stopped goes on where
    it was. Exit status 1 when a run failed or took too long; it is tried again next time.
    """
    from rich.console import Console

    from amxfp4.hw.catalogue import PAIRS
    from amxfp4.synth import sweep
    from amxfp4.synth.cells import liberty
    from amxfp4.synth.ratios import with_ratios, with_references

    if scheduler and jobs:
        raise UsageError(
            f"--jobs {jobs} was given with --scheduler; how many runs a cluster does at once is its workers'"
        )
    asked = [_pair(pair) for pair in pairs] or list(PAIRS)
    configs = sweep.grid(asked, given(axes))
    # With the units that ratios are taken to.
    configs = [config for config in with_references(configs) if isinstance(config, MacConfig)]
    libraries = [liberty.read(liberty.find(name)) for name in dict.fromkeys(liberties or ("generic",))]
    runs = {
        f"{config.name} in {library.name}": (sweep.key(config, library), config, library)
        for library in libraries
        for config in sorted(configs, key=lambda config: -config.lanes)
    }
    with sweep.Results(output / "results.jsonl") as results:
        to_do = {name: run for name, run in runs.items() if run[0] not in results.records}
        click.echo(f"{len(runs)} runs, {len(runs) - len(to_do)} done before, {len(to_do)} to do", err=True)
        if listed:
            for name in runs:
                click.echo(f"{'to do' if name in to_do else 'done '}  {name}")
            return 0
        failed = _run(Console(stderr=True), results, to_do, scheduler, jobs, timeout, output) if to_do else {}
        done = [results.records[key] for key, _, _ in runs.values() if key in results.records]
    if done:
        records = with_ratios(done)
        files = _write(records, output)
        _show(records)
        click.echo(f"written to {', '.join(str(file) for file in files)}")
    for failure in failed.values():
        click.echo(f"error: {failure}", err=True)
    return 1 if failed else 0


def _pair(text: str) -> tuple[str, str]:
    activation, _, weight = text.partition(":")
    return activation, weight or activation


def _run(
    console: "Console",
    results: "Results",
    to_do: "dict[str, tuple[str, MacConfig, Library]]",
    scheduler: str | None,
    jobs: int | None,
    timeout: float,
    output: Path,
) -> dict[str, str]:
    """Adds each result to the file.

    Returns:
        A sentence for each run that failed.
    """
    import tempfile
    from contextlib import ExitStack
    from functools import partial

    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.synth import cluster, sweep
    from amxfp4.synth.area import CACHE
    from amxfp4.synth.tool import ToolError

    errors: tuple[type[Exception], ...] = (ToolError,)
    libraries = {library.digest: library for _, _, library in to_do.values()}
    with ExitStack() as stack:
        if scheduler:
            client = stack.enter_context(cluster.connect(scheduler))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amxfp4-sweep-")))
            where: dict[str, Any] = {d: cluster.upload(client, lib, folder) for d, lib in libraries.items()}
            executor, cache = cluster.executor(client), None
            errors += cluster.errors()
        else:
            where = {d: lib.path.resolve() for d, lib in libraries.items()}
            executor, cache = processes(min(jobs or os.cpu_count() or 1, len(to_do))), CACHE.resolve()
        sources = sweep.fingerprint()
        calls = {
            name: partial(sweep.run, config, where[library.digest], sources, timeout=timeout, cache=cache)
            for name, (_, config, library) in to_do.items()
        }
        _, failed = run_all(
            calls, executor, console, "sweep", errors, lambda name, record: results.add(to_do[name][0], record)
        )
    return failed


COLUMNS = (
    *("name", "library", "activation", "weight", "block_size", "lanes", "accumulator", "latency", "area_ge"),
    *("area_ge_per_mac", "registers_ge", "flip_flops", "clock_gates", "delay_ps", "period_ps"),
    *("ratio_to_mxfp4", "ratio_to_window", "ratio_to_symmetric"),
)


def _write(records: "list[Record]", folder: Path) -> list[Path]:
    import csv
    import json

    from amxfp4.files import replacing, write_text

    files = [folder / "sweep.json", folder / "sweep.csv"]
    write_text(files[0], json.dumps(records, indent=2) + "\n")
    others = [f.name for f in fields(MacConfig) if f.name not in COLUMNS]
    with replacing(files[1]) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow((*COLUMNS, *others))
        writer.writerows([*(r.get(c) for c in COLUMNS), *(r["config"][c] for c in others)] for r in records)
    return files


def _show(records: "list[Record]") -> None:
    """The smallest unit of each pair at each number of lanes; the files have all."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from amxfp4.report.pairs import pair_of

    console = Console() if Console().is_terminal else Console(width=WIDTH)
    for library in dict.fromkeys(record["library"] for record in records):
        smallest: dict[tuple[Pair, int], Record] = {}
        for record in sorted((r for r in records if r["library"] == library), key=lambda r: r["area_ge"]):
            smallest.setdefault((pair_of(record), record["lanes"]), record)
        title = f"The smallest unit of each pair and number of lanes, library {library}"
        table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in ("activation", "weight", "accu-\nmulator"):
            table.add_column(heading, overflow="fold")
        headings = (
            "lanes",
            "front\nreg.",
            "GE",
            "GE per\nlane",
            "period,\nps",
            "latency",
            "/\nMXFP4",
            "/ win-\ndow",
            "/ sym-\nmetric",
        )
        for heading in headings:
            table.add_column(heading, justify="right", overflow="fold")
        pairs = list(dict.fromkeys(map(pair_of, records)))
        for record in sorted(smallest.values(), key=lambda r: (r["lanes"], pairs.index(pair_of(r)))):
            ratios = (record["ratio_to_mxfp4"], record.get("ratio_to_window"), record["ratio_to_symmetric"])
            table.add_row(
                *pair_of(record),
                record["accumulator"],
                str(record["lanes"]),
                str(record["config"]["front_registers"]),
                f"{record['area_ge']:,.0f}",
                f"{record['area_ge_per_mac']:,.0f}",
                f"{record['period_ps']:,.0f}",
                str(record["latency"]),
                *("-" if ratio is None else f"{ratio:.3f}" for ratio in ratios),
            )
        console.print(table)
