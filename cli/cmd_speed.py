"""`amxfp4 speed`: the golden model's speed against NumPy's."""

from pathlib import Path

import click


@click.command("speed")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("build/speed/speed.json"),
    show_default=True,
    help="Where the figures go, as JSON.",
)
def command(output: Path) -> int:
    """Time golden quantize and matmul against np.sort and float32 @, and measure their peak memory.

    Exit status 1 when a ratio or a peak is over its limit.
    """
    from rich.console import Console
    from rich.table import Table

    from amxfp4.cli.speed import run_speed

    results = run_speed(output, progress=lambda line: click.echo(line, err=True))
    table = Table("case", "beside", "ratio", "limit", "peak memory", title="Golden model against NumPy, one run")
    for result in results:
        limit = f"{result.ratio_limit:g}"
        table.add_row(
            result.name,
            result.baseline,
            f"{result.ratio:.2f}",
            limit,
            f"{result.peak_bytes / 2**20:.0f} MiB",
            style=None if result.within_limits else "red",
        )
    Console().print(table)
    click.echo(f"written to {output}")
    return 0 if all(result.within_limits for result in results) else 1
