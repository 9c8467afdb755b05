"""The units of a library. One that is not understood is refused: a guess would give figures that look right."""

from __future__ import annotations

import re

from amxfp4.synth.cells.liberty_text import Group, number

_PREFIXES = {"f": 1e-3, "p": 1.0, "n": 1e3, "u": 1e6, "m": 1e9, "": 1e12}
"""In units of 1e-12."""


def picoseconds(library: Group) -> float:
    """How many ps a library's unit of time is. The manual has 1 ns where a library says nothing."""
    return _scaled(library, "time_unit", "1ns", "s", "such as 1ns")


def volts(library: Group) -> float:
    """How many V a library's unit of voltage is. The manual has 1 V where a library says nothing."""
    return _scaled(library, "voltage_unit", "1V", "v", "such as 1V") * 1e-12


def femtofarads(library: Group) -> float:
    """How many fF a library's unit of capacitance is, for which the manual has no default."""
    attribute, needed = "capacitive_load_unit", "such as (1, pf) is needed, in ff or pf"
    values = library.complex.get(attribute, ())
    if attribute in library.attributes:  # some write it with a colon, which ABC does not read
        raise library.refusal(attribute, library.attributes[attribute], f"a unit {needed}")
    if attribute not in library.complex:
        raise library.lack(attribute, f"one {needed}")
    value = number(values[0]) if len(values) == 2 else None
    factor = {"ff": 1.0, "pf": 1e3}.get(values[-1].lower()) if values else None
    if value is None or value <= 0 or factor is None:
        raise library.refusal(attribute, f"({', '.join(values)})", f"a unit {needed}")
    return value * factor


def _scaled(library: Group, attribute: str, default: str, unit: str, example: str) -> float:
    text = library.attributes.get(attribute, default)
    match = re.fullmatch(r"\s*([0-9.]+)\s*([fpnum]?)" + unit + r"\s*", text.lower())
    value = number(match[1]) if match else None
    if match is None or not value:
        raise library.refusal(attribute, text, f"a unit {example} is needed")
    return value * _PREFIXES[match[2]]
