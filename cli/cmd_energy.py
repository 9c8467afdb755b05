"""`amxfp4 energy`: what a MAC takes, estimated from the toggles of mapped gates while a layer runs through them."""

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from amxfp4.cli import run_options
from amxfp4.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amxfp4.hw.mac.config import MacConfig
    from amxfp4.hw.units import Unit
    from amxfp4.synth.record import Record
    from amxfp4.synth.tables import Columns, Table

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

    from amxfp4.cli.show_tables import show_tables
    from amxfp4.cli.side_by_side import processes, run_all
    from amxfp4.files import write_text
    from amxfp4.sim.layer.layer import layer_from_files, synthetic_layer
    from amxfp4.synth import layer_energy
    from amxfp4.synth.cells import liberty as liberties
    from amxfp4.synth.ratios import with_ratios
    from amxfp4.synth.tables import by_unit
    from amxfp4.synth.tool import YOSYS, ToolError

    if (activations is None) != (weights is None):
        given, missing = ("activations", "weights") if activations else ("weights", "activations")
        raise UsageError(f"--{given} was given without --{missing}; a layer takes both, or neither")
    configs = _configs(lanes or (8,))
    path = liberties.find(liberty)
    library = liberties.read(path)
    layer = layer_from_files(activations, weights) if activations and weights else synthetic_layer(seed)
    YOSYS.version()
    measure = functools.partial(layer_energy.measure_energy, layer, library=path.resolve(), timeout=timeout)
    calls = {config.name: functools.partial(measure, config) for config in configs}
    executor = processes(min(jobs or os.cpu_count() or 1, len(calls)))
    found, failures = run_all(calls, executor, Console(stderr=True), "energy", (ToolError,))
    records = with_ratios(found.values(), "energy_per_mac")
    if records:
        tables = by_unit(records, _figures)
        what = f"library {library.name}, {layer.what}"
        write_text(output / "energy.json", json.dumps(records, indent=2) + "\n")
        write_text(output / "energy.md", _markdown(what, tables))
        show_tables(tables, what)
        click.echo(f"written to {output / 'energy.json'}, {output / 'energy.md'}")
    for failure in failures.values():
        click.echo(f"error: {failure}", err=True)
    return 1 if failures or any(record["mismatches"] for record in records) else 0


def _configs(lanes: tuple[int, ...]) -> "list[MacConfig]":
    from amxfp4.hw.catalogue import PAIRS
    from amxfp4.hw.mac.config import MacConfig

    return [MacConfig(*pair, lanes=count) for count in dict.fromkeys(lanes) for pair in PAIRS]


def _figures(unit: "Unit", members: "list[Record]") -> "Columns":
    from amxfp4.synth.tables import ratio_columns

    def per_mac(part: str) -> "Callable[[Record], str]":
        return lambda record: f"{record[part] / record['lanes']:.0f}"

    return {
        "outputs": lambda record: f"{record['outputs']:,}",
        "wrong": lambda record: f"{record['mismatches']:,}",
        **{part: per_mac(part) for part in ("logic", "registers", "clock")},
        "fJ/MAC": lambda record: f"{record['energy_per_mac']:.0f}",
        **ratio_columns(unit, members),
    }


def _markdown(what: str, tables: "list[Table]") -> str:
    meaning = "All energies in fJ per MAC; `wrong` counts outputs that differ from the golden model.\n"
    lines = [line for table in tables for line in table.markdown()]
    return "\n".join((f"# Energy of a MAC, {what}", "", meaning, *lines, ""))
