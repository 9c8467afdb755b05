"""A library written anew in the plainest liberty, for tools that read less of the format than its manual allows.

ABC takes the `//` of a quoted address for a comment, and yosys and ABC take `pin (A, B)` for one pin. So they get each
pin in a group of its own, every statement with its semicolon, no comment and no line that is continued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from amxfp4.synth.cells.liberty_text import Group

_PINS = ("pin", "bus", "bundle")
_BARE = re.compile(r"[\w.+-]+")


def write_plain(library: Group, cells: Iterable[tuple[Group, Iterable[Group]]]) -> str:
    """A library in plain liberty.

    Args:
        library: All of it.
        cells: Those that are written, each with its pins.
    """
    lines = [_head(library), *_attributes(library)]
    for group in library.groups:
        if group.kind not in ("cell", "scaled_cell"):
            lines += _group(group)
    for cell, pins in cells:
        lines.append(_head(cell))
        lines += _attributes(cell)
        for group in (*(group for group in cell.groups if group.kind not in _PINS), *pins):
            lines += _group(group)
        lines.append("}")
    return "\n".join((*lines, "}", ""))


def _group(group: Group) -> Iterator[str]:
    yield _head(group)
    yield from _attributes(group)
    for inner in group.groups:
        yield from _group(inner)
    yield "}"


def _head(group: Group) -> str:
    return f"{group.kind} ({', '.join(map(_quoted, group.names))}) {{"


def _attributes(group: Group) -> Iterator[str]:
    for key, value in group.attributes.items():
        yield f"{key} : {_quoted(value)};"
    for key, values in (*group.earlier, *group.complex.items()):
        yield f"{key} ({', '.join(map(_quoted, values))});"


def _quoted(text: str) -> str:
    """A text as a name where it is one, otherwise in quotation marks, which a tool could not read within."""
    if _BARE.fullmatch(text) and text.isascii():
        return text
    return '"' + re.sub(r'["\\\s]|//|/\*|\*/', " ", text) + '"'
