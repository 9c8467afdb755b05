"""A liberty's tables over input slew and load (NLDM): delays, slews, constraints and energies."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from amxfp4.synth.cells.liberty_text import Group, number

_TEMPLATES = ("lu_table_template", "power_lut_template")
_SLEWS = ("input_net_transition", "input_transition_time", "constrained_pin_transition")
_LOAD = "total_output_net_capacitance"
# What `Table.at` calls load is, of a constraint, the clock's slew.
_SECOND = (_LOAD, "related_pin_transition")


@dataclass(frozen=True)
class Table:
    """A liberty table over one or two indices: input slew and load, or for a setup time data slew and clock slew.

    Attributes:
        first: Values of the first index.
        second: Values of the second index; a single one where there is none.
        values: A row for each value of the first index.
        load_first: Whether the first index is the load, or the clock's slew.
    """

    first: tuple[float, ...]
    second: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]
    load_first: bool

    def at(self, slew: float, load: float) -> float:
        """The bilinear value at a slew and a load (both in the library's units)."""
        x, y = (load, slew) if self.load_first else (slew, load)
        i, u = _position(self.first, x)
        j, v = _position(self.second, y)
        rows = self.values[i : i + 2] if len(self.first) > 1 else (self.values[0],) * 2
        low, high = (row[j] + v * (row[j + 1] - row[j]) if len(self.second) > 1 else row[0] for row in rows)
        return low + u * (high - low)


def _position(index: tuple[float, ...], x: float) -> tuple[int, float]:
    """The interval of `index` to interpolate in, and where in it; outside, the first or last interval is extended."""
    if len(index) < 2:
        return 0, 0.0
    i = min(max(bisect.bisect_right(index, x) - 1, 0), len(index) - 2)
    return i, (x - index[i]) / (index[i + 1] - index[i])


def templates(library: Group) -> dict[str, Group]:
    """The templates of a library's tables, by name."""
    return {group.name: group for group in library.groups if group.kind in _TEMPLATES}


def read_table(templates: dict[str, Group], group: Group) -> Table:
    """Reads a table.

    Args:
        templates: Those of its library. What a table says itself counts more. Without one the first index is the slew.
        group: The table.

    Raises:
        UsageError: It has other variables than a slew and a load, indices that do not rise, a text that is no number,
            or another count of values than its indices ask for.
    """
    template = templates.get(group.name)
    variables = [template.attributes.get(f"variable_{i}", "") for i in (1, 2, 3)] if template else []
    for key, variable in enumerate(variables, 1):
        if variable and (key > 2 or variable not in (*_SLEWS, *_SECOND)):
            assert template is not None
            raise template.refusal(f"variable_{key}", variable, f"tables over a slew and {_LOAD} are needed")
    if "index_3" in group.complex:
        raise group.refusal("index_3", ", ".join(group.complex["index_3"]), "tables over one or two indices are needed")
    first, second = (_index(key, group, template) for key in ("index_1", "index_2"))
    if "values" not in group.complex:
        raise group.lack("values", "a table needs them")
    values = _numbers(group, "values")
    width = len(second)
    if len(values) != len(first) * width:
        raise group.refusal(
            "values", f"{len(values)} numbers", f"its indices of {len(first)} and {width} need {len(first) * width}"
        )
    rows = tuple(values[i : i + width] for i in range(0, len(values), width))
    return Table(first, second, rows, load_first=bool(variables) and variables[0] in _SECOND)


def _index(key: str, group: Group, template: Group | None) -> tuple[float, ...]:
    source = group if group.complex.get(key) else template
    if source is None or not source.complex.get(key):
        return (0.0,)
    found = _numbers(source, key)
    if not found or any(b <= a for a, b in itertools.pairwise(found)):
        raise source.refusal(key, ", ".join(source.complex[key]), "numbers that rise are needed")
    return found


def _numbers(group: Group, key: str) -> tuple[float, ...]:
    return tuple(_number(group, key, text) for text in _words(group.complex[key]))


def _words(texts: Iterable[str]) -> list[str]:
    return [word for text in texts for word in re.split(r"[\s,]+", text) if word]


def _number(group: Group, key: str, text: str) -> float:
    found = number(text)
    if found is None:
        raise group.refusal(key, text, "numbers such as 1.5 are needed")
    return found
