"""Plain liberty says the same in less of the format."""

import re
from pathlib import Path

import pytest
from helpers.liberties import TIMED, library

from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.liberty_text import Group, parse


def read(text: str, folder: Path) -> liberty.Library:
    path = folder / "x.lib"
    path.write_text(text, encoding="utf-8")
    return liberty.read(path)


def tree(group: Group) -> tuple:
    """All that a group says, in the order in which plain liberty has it."""
    inner = sorted(map(tree, group.groups), key=str)
    return group.kind, group.names, group.attributes, group.complex, group.earlier, inner


@pytest.mark.parametrize("text", [TIMED, liberty.GENERIC.read_text()], ids=["small", "generic"])
def test_it_says_the_same(text: str, tmp_path: Path) -> None:
    before = read(text, tmp_path)
    assert tree(parse(before.plain)) == tree(before.group)
    again = read(before.plain, tmp_path)
    assert again.plain == before.plain


def test_nothing_in_it_is_more_than_yosys_and_abc_read(tmp_path: Path) -> None:
    odd = """
      comment : "see http://x and /* this */ \\
        or \\"that\\"";
      fanout (1, 2); fanout (2, 3)
      cell (AND) { area : 6 pin (A, B) { direction : input } bundle (X) { members (C, D); direction : input; }
        pin (Y) { direction : output; function : "A B C D" } }
      cell (MEMORY) { area : 1; bus (A) { bus_type : t; direction : input; } }
    """
    plain = read(library(odd), tmp_path).plain
    assert not re.search(r"//|/\*|\\", plain)
    assert all(line.count('"') % 2 == 0 for line in plain.splitlines())
    assert "MEMORY" not in plain
    assert 0 < plain.index("fanout (1, 2);") < plain.index("fanout (2, 3);")
    (cell,) = (cell for cell in parse(plain).of_kind("cell") if cell.name == "AND")
    assert [pin.names for pin in cell.groups] == [("A",), ("B",), ("C",), ("D",), ("Y",)]
    assert all(re.search(r"[{};]$", line) for line in plain.splitlines())
