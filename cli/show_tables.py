"""Tables of units on the terminal."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amxfp4.synth.tables import Table

WIDTH = 100
"""What a title may take, whatever the terminal's width."""

_NARROW = {
    "block size": "block\nsize",
    "accumulator": "accu-\nmulator",
    "flip-flops": "flip-\nflops",
    "delay, ps": "delay,\nps",
    "Fmax, MHz": "Fmax,\nMHz",
    "GE/element": "GE/\nelement",
    "registers": "regis-\nters",
    "/ symmetric": "/ sym-\nmetric",
}


def show_tables(tables: "list[Table]", what: str) -> None:
    """Prints the tables as wide as they are: a narrower terminal breaks their lines, but nothing is cut.

    Args:
        tables: Their titles name the units.
        what: Ends each title: the library or the device.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table as Shown

    from amxfp4.synth.tables import WORDS

    for table in tables:
        shown = Shown(title=f"{table.title}, {what}", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in table.headings:
            narrow = _NARROW.get(heading, heading.replace(" in ", "\nin ").replace(" of ", "\nof "))
            shown.add_column(narrow, justify="left" if heading in WORDS else "right", overflow="fold")
        for row in table.rows:
            shown.add_row(*row)
        needed = Console(width=10 * WIDTH).measure(shown).maximum
        Console(width=max(WIDTH, Console().width, needed)).print(shown)
