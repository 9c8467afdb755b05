"""`amxfp4 structures`: the structures that MAC units have, and which configs get them."""

from pathlib import Path

import click


@click.command("structures")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file in place of the screen.")
def command(output: Path | None) -> None:
    """List the structures of all MAC units that can be built, as a table in Markdown.

    `amxfp4 verilog --explain` says which structure one config gets, and why.
    """
    from amxfp4.files import write_text
    from amxfp4.hw.structures import structures_table

    table = structures_table()
    if output is None:
        click.echo(table, nl=False)
    else:
        write_text(output, table)
        click.echo(f"written to {output}")
