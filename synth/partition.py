"""Splitting a netlist's logic into the parts between registers, each to be mapped as slow and small as it may be.

Two gates belong to one part when one drives the other. Registers, clock gates and ports separate parts. So no path runs
through two parts, and each can be mapped and timed by itself.
"""

from __future__ import annotations

from typing import Any

# A part smaller than this many gates is mapped together with the other small ones.
SMALL = 50
REST = "rest"


def split(netlist: dict[str, Any], top: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Moves the gates of a flat netlist into a module for each part.

    Part `p` becomes instance and module `{top}_p`. Its ports are single bits: those driven within the part and read
    outside, and those read within and driven outside.

    Args:
        netlist: Of yosys' own gates, as its `write_json` has it.
        top: The module to divide.

    Returns:
        The new netlist, and how many gates each part has.
    """
    module = netlist["modules"][top]
    gates = {name: cell for name, cell in module["cells"].items() if cell["type"].startswith("$_")}
    others = {name: cell for name, cell in module["cells"].items() if name not in gates}
    driver = {cell["connections"]["Y"][0]: name for name, cell in gates.items()}
    parts = _parts(gates, driver)
    outside = {bit for port in module["ports"].values() for bit in port["bits"]}
    outside |= {bit for cell in others.values() for bits in cell["connections"].values() for bit in bits}
    modules = {}
    for part, names in parts.items():
        driven = {gates[name]["connections"]["Y"][0] for name in names}
        read = {bits[0] for name in names for pin, bits in gates[name]["connections"].items() if pin != "Y"}
        ports = dict.fromkeys(sorted(bit for bit in read - driven if isinstance(bit, int)), "input")
        ports |= dict.fromkeys(sorted(driven & outside), "output")
        name = f"{top}_{part}"
        modules[name] = {
            "attributes": {},
            "ports": {f"n{bit}": {"direction": direction, "bits": [bit]} for bit, direction in ports.items()},
            "cells": {name: gates[name] for name in names},
            "netnames": {},
        }
        others[name] = {
            "type": name,
            "port_directions": {f"n{bit}": direction for bit, direction in ports.items()},
            "connections": {f"n{bit}": [bit] for bit in ports},
            "parameters": {},
            "attributes": {},
        }
    modules[top] = module | {"cells": others}
    return netlist | {"modules": netlist["modules"] | modules}, {part: len(names) for part, names in parts.items()}


def _reads(gate: dict[str, Any]) -> list[int]:
    return [bits[0] for pin, bits in gate["connections"].items() if pin != "Y"]


def _parts(gates: dict[str, Any], driver: dict[int, str]) -> dict[str, list[str]]:
    """Part -> its gates: the largest first, those below `SMALL` together as `REST`."""
    leader = {name: name for name in gates}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for name, gate in gates.items():
        for bit in _reads(gate):
            if bit in driver:
                leader[find(driver[bit])] = find(name)
    members: dict[str, list[str]] = {}
    for name in gates:
        members.setdefault(find(name), []).append(name)
    parts: dict[str, list[str]] = {}
    for group in sorted(members.values(), key=lambda group: (-len(group), group[0])):
        part = f"part{len(parts)}" if len(group) >= SMALL else REST
        parts.setdefault(part, []).extend(group)
    return parts
