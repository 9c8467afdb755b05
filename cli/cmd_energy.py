"""`amxfp4 energy`: what a MAC takes, estimated from the toggles of mapped gates while a layer runs through them."""

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from amxfp4.cli import run_options
from amxfp4.errors import UsageError

if TYPE_CHECKING:
    from amxfp4.hw.mac.config import MacConfig

FOLDER = Path("build/energy")


@click.command("energy")
@click.option("--activations", metavar="FILE", help="(tokens, inputs): x.npy, file.npz:key or file.safetensors:key.")
@click.option("--weights", metavar="FILE", help="(outputs, inputs), likewise. Without files: a synthetic layer.")
@click.option("--lanes", type=int, multiple=True, metavar="INTEGER", help="May be repeated (default 8).")
@click.option("--liberty", metavar="FILE", help='A .lib or .lib.gz with power tables, "generic" (default) or "osu018".')
@run_options.JOBS
@run_options.timeout()
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the synthetic layer.")
@run_options.output_folder(FOLDER, "energy.json and energy.md")
def command(
    activations: str | None,
    weights: str | None,
    lanes: tuple[int, ...],
    liberty: str | None,
    jobs: int | None,
    timeout: float,
    seed: int,
    output: Path,
) -> int:
    """Run a layer through the mapped gates of each unit, compare every output, and estimate the energy of a MAC.

    Counts toggles and weighs them by the library's internal energies and pin capacitances: no wires, no glitches, no
    leakage, no clock tree. The units are those of `amxfp4 area`, with their default accumulators. Exit status 1 when a
    run failed or an output differs.
    """
    from rich.console import Console

    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.files import write_text
    from amxfp4.sim.layer.layer import layer_from_files, synthetic_layer
    from amxfp4.synth import layer_energy
    from amxfp4.synth.cells import liberty as liberties
    from amxfp4.synth.tool import YOSYS, ToolError

    if (activations is None) != (weights is None):
        given, missing = ("activations", "weights") if activations else ("weights", "activations")
        raise UsageError(f"--{given} was given without --{missing}; a layer takes both, or neither")
    configs = _configs(lanes or (8,))
    path = liberties.find(liberty)
    library = liberties.read(path)
    layer = layer_from_files(activations, weights) if activations and weights else synthetic_layer(seed)
    YOSYS.version()
    measure = functools.partial(layer_energy.measure, layer, library=path.resolve(), timeout=timeout)
    calls = {config.name: functools.partial(measure, config) for config in configs}
    executor = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failures = run_all(calls, executor, Console(stderr=True), "energy", (ToolError,))
    records = layer_energy.with_ratios(list(found.values()))
    if records:
        rows = [_row(record) for record in records]
        title = f"Energy of a MAC, library {library.name}, {layer.what}"
        write_text(output / "energy.json", json.dumps(records, indent=2) + "\n")
        write_text(output / "energy.md", _markdown(title, rows))
        _show(title, rows)
        click.echo(f"written to {output / 'energy.json'}, {output / 'energy.md'}")
    for failure in failures.values():
        click.echo(f"error: {failure}", err=True)
    return 1 if failures or any(record["mismatches"] for record in records) else 0


def _configs(lanes: tuple[int, ...]) -> "list[MacConfig]":
    from amxfp4.hw.mac.config import MacConfig
    from amxfp4.synth.area import PAIRS

    return [MacConfig(*pair, lanes=count) for count in dict.fromkeys(lanes) for pair in PAIRS]


HEADINGS = ("activation", "weight", "lanes", "accumulator", "outputs", "wrong", "logic", "registers", "clock", "fJ/MAC")


def _row(record: dict[str, Any]) -> tuple[str, ...]:
    ratio = record["ratio_to_mxfp4"]
    return (
        record["activation"],
        record["weight"],
        str(record["lanes"]),
        record["accumulator"],
        f"{record['outputs']:,}",
        f"{record['mismatches']:,}",
        *(f"{record[part] / record['lanes']:.0f}" for part in ("logic", "registers", "clock")),
        f"{record['energy_per_mac']:.0f}",
        "-" if ratio is None else f"{ratio:.3f}",
    )


def _markdown(title: str, rows: list[tuple[str, ...]]) -> str:
    headings = (*HEADINGS, "/ MXFP4")
    rule = (":--" if heading in HEADINGS[:2] else "--:" for heading in headings)
    lines = [f"| {' | '.join(cells)} |" for cells in (headings, tuple(rule), *rows)]
    meaning = "All energies in fJ a MAC; `wrong` counts outputs that differ from the golden model.\n"
    return "\n".join((f"# {title}", "", meaning, *lines, ""))


def _show(title: str, rows: list[tuple[str, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in (*HEADINGS, "/ MXFP4"):
        name = {"accumulator": "accu-\nmulator", "registers": "regis-\nters"}.get(heading, heading)
        table.add_column(name, justify="left" if heading in HEADINGS[:2] else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=max(100, Console().width)).print(table)
