"""Splitting a netlist's logic into the parts between registers, each to be mapped as slow and small as it may be.

Two gates belong to one part when one drives the other. Registers, clock gates and ports separate parts, so no path runs
through two of them: a part's timing is its own business.
"""

from __future__ import annotations

import copy

# A part smaller than this many gates is mapped together with the other small ones.
SMALL = 50
REST = "rest"


def split(netlist: dict, top: str) -> tuple[dict, dict[str, int]]:
    """Mark each gate of a netlist (yosys' `write_json`, read; yosys' own gates) with the part it belongs to.

    Returns the netlist with a `submod` attribute at each gate, and how many gates each part has.
    """
    marked = copy.deepcopy(netlist)
    cells = {name: cell for name, cell in marked["modules"][top]["cells"].items() if cell["type"].startswith("$_")}
    driver = {cell["connections"]["Y"][0]: name for name, cell in cells.items()}
    leader = {name: name for name in cells}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for name, cell in cells.items():
        for pin, bits in cell["connections"].items():
            if pin != "Y" and bits[0] in driver:
                leader[find(driver[bits[0]])] = find(name)
    members: dict[str, list[str]] = {}
    for name in cells:
        members.setdefault(find(name), []).append(name)
    parts: dict[str, int] = {}
    for group in sorted(members.values(), key=lambda group: (-len(group), group[0])):
        part = f"part{len(parts)}" if len(group) >= SMALL else REST
        parts[part] = parts.get(part, 0) + len(group)
        for name in group:
            cells[name]["attributes"]["submod"] = part
    return marked, parts
