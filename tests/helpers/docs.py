"""Reads the pages of the documentation."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text()


def generated(name: str, place: str) -> str:
    """What stands between the comments `place` and `end of place` of a page."""
    found = re.search(rf"<!-- {place} -->\n\n(.*?)\n\n?<!-- end of {place} -->", page(name), re.DOTALL)
    assert found, f"docs/{name} has no {place}"
    return found[1]


def tables(text: str) -> list[list[list[str]]]:
    """The cells of each table: its heading, then its rows."""
    found = re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE)
    return [[_cells(line) for line in lines.splitlines() if not re.fullmatch(r"[|:\- ]+", line)] for lines in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]
