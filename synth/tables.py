"""Records as tables: what all of them have in common, and putting them into a page of the documentation.

`python -m amxfp4.synth.tables build/area/area.md docs/results.md "area amxfp4_generic"` puts the tables that a command
wrote into the documentation.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from amxfp4.errors import UsageError
from amxfp4.files import read_text, write_text
from amxfp4.hw.references import BASELINE, STANDARD_BLOCK
from amxfp4.hw.units import UNITS, Unit
from amxfp4.synth.record import Record

Row = tuple[str, ...]

Columns = dict[str, Callable[[Record], str]]
"""Heading -> the cell of a record."""

WORDS = {option.name for unit in UNITS.values() for option in unit.options if option.kind is str} | {"unit"}
"""Headings of columns that hold words, not numbers."""


@dataclass(frozen=True)
class Table:
    """Units of one kind.

    Attributes:
        title: Their name in the plural.
        headings: One per column.
        rows: The cells of one unit each.
    """

    title: str
    headings: Row
    rows: list[Row]

    def markdown(self) -> list[str]:
        """The table's lines, without its title."""
        rule = tuple(":--" if heading in WORDS else "--:" for heading in self.headings)
        return [f"| {' | '.join(row)} |" for row in (self.headings, rule, *self.rows)]


def by_unit(records: Sequence[Record], figures: Callable[[Unit, list[Record]], Columns]) -> list[Table]:
    """A table for each kind of unit among the records.

    Args:
        records: Of any kinds.
        figures: The columns behind those that tell the units apart, for these units of one kind.
    """
    tables = []
    for unit, members in of_each_unit(records):
        columns = _identity(unit, members) | figures(unit, members)
        rows = [tuple(cell(record) for cell in columns.values()) for record in members]
        tables.append(Table(unit.title, tuple(columns), rows))
    return tables


def of_each_unit(records: Iterable[Record]) -> list[tuple[Unit, list[Record]]]:
    """The records of each kind of unit that is among them."""
    records = list(records)
    found = [(unit, [record for record in records if record["unit"] == unit.name]) for unit in UNITS.values()]
    return [(unit, members) for unit, members in found if members]


def _identity(unit: Unit, members: list[Record]) -> Columns:
    """The columns that tell the units apart; block size and choices are among them only where not the same as ever."""
    fields = unit.columns if _all_standard(members) else (*unit.columns, "block_size")
    fields = (*fields, *(field for field in unit.choices if any(_chosen(unit, field, record) for record in members)))
    return {field.replace("_", " "): partial(_field, field) for field in fields}


def _chosen(unit: Unit, field: str, record: Record) -> bool:
    """Whether a unit's field is not what it would be by default."""
    config = dict(record["config"])
    value = config.pop(field, None)
    return value is not None and bool(unit.configure(config).as_dict()[field] != value)


def _field(field: str, record: Record) -> str:
    return str(record["config"][field])


def ratio_columns(unit: Unit, members: list[Record]) -> Columns:
    """The columns of the ratios that these units have."""
    headings = {"ratio_to_mxfp4": baseline_heading(members)}
    if unit.windowed:
        headings["ratio_to_window"] = "/ window"
    headings["ratio_to_symmetric"] = "/ symmetric"
    if unit.fed_by:
        headings["ratio_to_mac"] = "/ MAC"
    there = {key: heading for key, heading in headings.items() if key in members[0]}
    return {heading: partial(_ratio, key) for key, heading in there.items()}


def _ratio(key: str, record: Record) -> str:
    ratio = record[key]
    return "-" if ratio is None else f"{ratio:.3f}"


def baseline_heading(members: list[Record]) -> str:
    """What the ratio to the baseline is called: MXFP4 is a standard only in blocks of 32."""
    if _all_standard(members):
        return f"/ {BASELINE}"
    sizes = {record["block_size"] for record in members}
    return f"/ {BASELINE} in blocks of {sizes.pop()}" if len(sizes) == 1 else f"/ {BASELINE} in the same blocks"


def _all_standard(members: list[Record]) -> bool:
    return all(record["block_size"] == STANDARD_BLOCK for record in members)


def insert(page: Path, place: str, text: str) -> None:
    """Puts tables into a page of the documentation, between its comments `PLACE` and `end of PLACE`.

    The title and what precedes the first table or heading stay out; headings go down a level.

    Args:
        page: A Markdown file.
        place: The name that the comments have.
        text: The tables, as a command wrote them.

    Raises:
        UsageError: The page does not have the comments.
    """
    begin, end = f"<!-- {place} -->\n", f"<!-- end of {place} -->\n"
    whole = read_text(page, "a page of the documentation")
    try:
        before, rest = whole.split(begin)
        _, after = rest.split(end)
    except ValueError:
        raise UsageError(f"{str(page)!r} has no lines {begin.strip()!r} and {end.strip()!r}; both are needed") from None
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith(("## ", "|"))), len(lines))
    tables = "\n".join(f"#{line}" if line.startswith("## ") else line for line in lines[first:]).strip()
    write_text(page, f"{before}{begin}\n{tables}\n\n{end}{after}")


def run_with(words: Sequence[str], count: int, taken: str, action: Callable[..., None]) -> None:
    """What running a module that writes into pages does: a mistake is one line on standard error and exit status 2.

    Args:
        words: Those of the command line.
        count: How many words it takes.
        taken: The same in words, and what each is.
        action: Takes the words.
    """
    try:
        if len(words) != count:
            raise UsageError(f"{len(words)} words were given; it takes {taken}")
        action(*words)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def main(words: Sequence[str]) -> None:
    """What running this module does, as `run_with` says.

    Args:
        words: The file with the tables, the page, and the place in it.
    """

    def put(file: str, page: str, place: str) -> None:
        insert(Path(page), place, read_text(Path(file), "a file of tables"))

    run_with(words, 3, "three: a file with tables, a page and a place", put)


if __name__ == "__main__":
    main(sys.argv[1:])
