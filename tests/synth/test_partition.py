"""Logic falls into the parts between registers."""

from typing import Any

from amxfp4.synth import partition as stages
from amxfp4.synth.partition import REST, SMALL, split

Cells = dict[str, Any]


def gate(kind: str, y: int, **pins: int | str) -> dict[str, Any]:
    return {"type": kind, "connections": {pin: [net] for pin, net in pins.items()} | {"Y": [y]}}


def chain(name: str, start: int, length: int) -> Cells:
    """Inverters one behind the other, from net `start` to net `start + length`."""
    return {f"{name}{i}": gate("$_NOT_", start + i + 1, A=start + i) for i in range(length)}


def netlist(ports: dict[str, tuple[str, list[int]]], cells: Cells) -> dict[str, Any]:
    top = {
        "ports": {name: {"direction": direction, "bits": bits} for name, (direction, bits) in ports.items()},
        "cells": cells,
        "netnames": {},
    }
    return {"creator": "x", "modules": {"top": top}}


# A long chain, a register, a longer chain; and one gate by itself that reads the first chain's input and a constant.
LONG, LONGER = SMALL, SMALL + 10
TWO = netlist(
    {"a": ("input", [100]), "y": ("output", [1000 + LONGER]), "z": ("output", [5])},
    chain("first", 100, LONG)
    | {"register": {"type": "DFF_X1", "connections": {"CK": [2], "D": [100 + LONG], "Q": [1000]}}}
    | chain("second", 1000, LONGER)
    | {"alone": gate("$_AND_", 5, A=100, B="1")},
)


def test_registers_separate_parts_and_the_largest_comes_first() -> None:
    _, parts = split(TWO, "top")
    assert parts == {"part0": LONGER, "part1": LONG, REST: 1}


def test_gates_move_into_modules_and_registers_stay() -> None:
    divided, parts = split(TWO, "top")
    modules = divided["modules"]
    assert set(modules) == {"top", *(f"top_{part}" for part in parts)}
    assert set(modules["top"]["cells"]) == {"register", *(f"top_{part}" for part in parts)}
    moved = {name for part in parts for name in modules[f"top_{part}"]["cells"]}
    assert moved == set(TWO["modules"]["top"]["cells"]) - {"register"}
    assert divided["creator"] == "x"


def test_ports_are_the_nets_that_cross() -> None:
    modules = split(TWO, "top")[0]["modules"]
    first = modules["top_part1"]["ports"]
    assert first == {
        "n100": {"direction": "input", "bits": [100]},
        f"n{100 + LONG}": {"direction": "output", "bits": [100 + LONG]},
    }
    assert set(modules[f"top_{REST}"]["ports"]) == {"n100", "n5"}  # no port for the constant
    instance = modules["top"]["cells"]["top_part1"]
    assert instance["connections"] == {name: port["bits"] for name, port in first.items()}


def test_gates_that_share_an_input_are_not_one_part_for_that() -> None:
    cells = chain("p", 100, SMALL) | {"q0": gate("$_NOT_", 301, A=100)} | chain("q", 301, SMALL)
    _, parts = split(netlist({"a": ("input", [100]), "y": ("output", [100 + SMALL, 301 + SMALL])}, cells), "top")
    assert sorted(parts.values()) == [SMALL, SMALL]


def test_gates_that_meet_are_one_part() -> None:
    cells = chain("p", 100, SMALL) | chain("q", 300, SMALL) | {"meet": gate("$_AND_", 9, A=100 + SMALL, B=300 + SMALL)}
    _, parts = split(netlist({"a": ("input", [100, 300]), "y": ("output", [9])}, cells), "top")
    assert parts == {"part0": 2 * SMALL + 1}


def test_small_parts_are_mapped_together() -> None:
    cells = chain("p", 100, 3) | chain("q", 200, 4)
    _, parts = split(netlist({"a": ("input", [100, 200]), "y": ("output", [103, 204])}, cells), "top")
    assert parts == {REST: 7}


def test_the_netlist_given_is_left_alone() -> None:
    before = set(TWO["modules"]["top"]["cells"])
    split(TWO, "top")
    assert set(TWO["modules"]["top"]["cells"]) == before
    assert set(TWO["modules"]) == {"top"}


def test_logic_without_gates() -> None:
    divided, parts = split(netlist({"a": ("input", [2]), "y": ("output", [2])}, {}), "top")
    assert parts == {}
    assert set(divided["modules"]) == {"top"}
    assert stages.REST not in parts
