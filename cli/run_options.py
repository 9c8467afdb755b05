"""Command line options that commands of long runs have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]

JOBS: Option = click.option("--jobs", type=click.IntRange(1), help="Runs side by side (default: one per core).")
NO_CACHE: Option = click.option("--no-cache", is_flag=True, help="Run everything anew, and keep nothing.")


def timeout(help: str = "Seconds per run of yosys.") -> Option:
    """`--timeout`: seconds, half an hour unless given."""
    kind = click.FloatRange(0, min_open=True)
    return click.option("--timeout", type=kind, default=1800.0, show_default=True, help=help)


def output_folder(default: Path, files: str) -> Option:
    """`-o`, `--output`: the folder that `files` are written to."""
    kind = click.Path(file_okay=False, path_type=Path)
    help = f"Folder for {files}."
    return click.option("-o", "--output", type=kind, default=default, show_default=True, help=help)
