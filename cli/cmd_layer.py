"""`amxfp4 layer`: a layer through the simulated RTL, every output held to the golden model."""

from typing import TYPE_CHECKING, Any, Literal

import click

from amxfp4.cli.config_options import config_options, given
from amxfp4.errors import UsageError
from amxfp4.hw.units import UNITS

if TYPE_CHECKING:
    from rich.console import Console

    from amxfp4.hw.mac.config import MacConfig
    from amxfp4.sim.layer.layer import Layer
    from amxfp4.sim.layer.run import LayerResult

MAC = UNITS["mac"]


@click.command("layer")
@click.option("--activations", metavar="FILE", help="(tokens, inputs): x.npy, file.npz:key or file.safetensors:key.")
@click.option("--weights", metavar="FILE", help="(outputs, inputs), likewise. Without files: a synthetic layer.")
@config_options(
    [MAC], skip=("accumulator_bits",), spellings={"activation": ("--format",), "weight": ("--weight-format",)}
)
@click.option(
    "--rounding",
    type=click.Choice(["nearest-away", "nearest-even"]),
    default="nearest-away",
    show_default=True,
    help="What ties do when the layer is quantised.",
)
@click.option(
    "--quantize-in-hardware",
    "in_hardware",
    is_flag=True,
    help="Floats go through quantiser and MAC unit in one netlist.",
)
@click.option("--outputs", type=click.IntRange(1), help="Run no more outputs than this, of the first tokens.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the synthetic layer.")
def command(
    activations: str | None,
    weights: str | None,
    rounding: Literal["nearest-away", "nearest-even"],
    in_hardware: bool,
    outputs: int | None,
    seed: int,
    **fields: Any,
) -> int:
    """Quantise a layer, run it through the simulated RTL and compare every output with the golden model.

    Weights are quantised beforehand, and activations too unless --quantize-in-hardware is given. Runs the unit asked
    for and the MXFP4 baseline with as many lanes. --format is the block format of both operands, unless --weight gives
    the weights another. Exit status 1 when any output differs.
    """
    from rich.console import Console

    from amxfp4.hw.references import mac_baseline
    from amxfp4.sim.layer.layer import layer_from_files, synthetic_layer
    from amxfp4.sim.layer.run import chain_for

    unit: MacConfig = MAC.configure(given(fields))
    baseline = mac_baseline(unit)
    if (activations is None) != (weights is None):
        there, missing = ("activations", "weights") if activations else ("weights", "activations")
        raise UsageError(f"--{there} was given without --{missing}; a layer takes both, or neither")
    layer = layer_from_files(activations, weights) if activations and weights else synthetic_layer(seed)
    part = layer.first(outputs) if outputs else layer
    console = Console()
    _introduce(console, layer, part)
    if in_hardware:
        kind = chain_for(unit, part, rounding).input
        console.print(
            f"activations reach the netlist as {kind}, and its quantiser makes blocks of them", highlight=False
        )
    configs = [unit] if unit == baseline else [unit, baseline]
    results = _run(console, part, configs, rounding, in_hardware)
    _show(console, results)
    return 0 if all(result.comparison.good for result in results) else 1


def _introduce(console: "Console", layer: "Layer", part: "Layer") -> None:
    (tokens, inputs), features = part.activations.shape, len(part.weights)
    console.print(
        f"{layer.what}: {tokens} tokens x {inputs} inputs x {features} outputs = {part.outputs:,} outputs",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for name, count in part.not_finite.items():
        if count:
            all_values = getattr(part, name).size
            console.print(
                f"{count:,} of {all_values:,} {name} are NaN or infinite: what they reach is NaN", highlight=False
            )
    if part is not layer:
        console.print(
            f"limited to {part.outputs:,} of the layer's {layer.outputs:,} outputs: the first {tokens} of "
            f"{len(layer.activations)} tokens, {features} of {len(layer.weights)} outputs each",
            highlight=False,
            soft_wrap=True,
        )


def _run(
    console: "Console",
    layer: "Layer",
    configs: "list[MacConfig]",
    rounding: Literal["nearest-away", "nearest-even"],
    in_hardware: bool,
) -> "list[LayerResult]":
    from rich.progress import (
        BarColumn,
        Progress,
        TaskID,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from amxfp4.sim.layer.run import run_layer

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    results = []
    with Progress(*columns, console=console) as progress:
        for config in configs:
            name = f"{_title(config)} ({config.accumulator})"
            task = progress.add_task(f"{name}: building", total=layer.outputs)

            def advance(done: int, task: TaskID = task, name: str = name) -> None:
                progress.update(task, advance=done, description=name)

            results.append(run_layer(layer, config, rounding=rounding, in_hardware=in_hardware, progress=advance))
    return results


def _title(config: "MacConfig", between: str = " x ") -> str:
    same = config.activation == config.weight
    return config.activation if same else f"{config.activation}{between}{config.weight}"


def _show(console: "Console", results: "list[LayerResult]") -> None:
    from rich import box
    from rich.table import Table

    # Narrow enough for 80 columns, where nothing may be cut short.
    title = f"Simulated RTL against the golden model, {results[0].config.lanes} lanes"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("unit", no_wrap=True)
    table.add_column("accu-\nmulator", no_wrap=True)
    for heading in ("outputs\ncompared", "mis-\nmatches", "cycles", "MACs per\ncycle", "utili-\nsation", "SQNR,\ndB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        compared = result.comparison
        wrong = f"{compared.mismatches + compared.extra:,}"
        table.add_row(
            _title(result.config, " x\n"),
            str(result.config.accumulator),
            f"{compared.outputs:,}",
            wrong if compared.good else f"[red]{wrong}[/red]",
            f"{compared.cycles:,}",
            f"{result.macs_per_cycle:.3f}",
            f"{result.utilisation:.2%}",
            "-" if result.sqnr is None else f"{result.sqnr:.2f}",
        )
    console.print(table)
    for result in results:
        if result.not_finite:
            rest = "SQNR is of the rest" if result.sqnr is not None else "so there is no SQNR"
            console.print(
                f"{_title(result.config)}: {result.not_finite:,} of {result.comparison.outputs:,} outputs are NaN or "
                f"infinite, here or in float32; {rest}",
                highlight=False,
                soft_wrap=True,
            )
        for miss in result.comparison.examples:
            console.print(
                f"{_title(result.config)}, output {miss.index}: expected {miss.expected:#x} in cycle "
                f"{miss.expected_cycle}, found {miss.found:#x} in cycle {miss.found_cycle}",
                highlight=False,
                soft_wrap=True,
            )
