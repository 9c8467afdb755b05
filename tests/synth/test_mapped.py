"""Mapped netlists run like what they were mapped from."""

import random
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells import liberty
from amxfp4.synth.mapped import MappedNetlist

GENERIC = liberty.read(liberty.GENERIC)


def port(direction: str, *bits: int | str) -> dict:
    return {"direction": direction, "bits": list(bits)}


def cell(kind: str, **pins: int | str) -> dict:
    return {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}


def netlist(ports: dict, cells: dict) -> dict:
    return {"modules": {"top": {"ports": ports, "cells": cells, "netnames": {}}}}


def in_words(function: str) -> str:
    """A liberty function as Python's own words have it."""
    for sign, word in (("!", " not "), ("&", " and "), ("|", " or "), ("^", " != ")):
        function = function.replace(sign, word)
    return function.strip()


def test_every_gate_of_the_generic_library() -> None:
    for name, member in GENERIC.cells.items():
        if member.is_flip_flop or member.is_clock_gate:
            continue
        inputs = member.inputs()
        ports = {pin: port("input", 2 + i) for i, pin in enumerate(inputs)} | {"y": port("output", 10)}
        pins = {pin: 2 + i for i, pin in enumerate(inputs)} | {"Y": 10}
        mapped = MappedNetlist(netlist(ports, {"g": cell(name, **pins)}), "top", GENERIC, 16)
        stimuli = {pin: [sum((row >> i & 1) << row for row in range(16))] for i, pin in enumerate(inputs)}
        found = mapped.step(stimuli)["y"][0]
        function = member.function()
        assert function is not None
        for row in range(16):
            values = {pin: row >> i & 1 for i, pin in enumerate(inputs)}
            expected = eval(in_words(function), {}, values)
            assert found >> row & 1 == expected, (name, row)


COUNTER = netlist(
    {"clk": port("input", 2), "en": port("input", 3), "q": port("output", 4, "1"), "g": port("output", 4)},
    {
        "gate": cell("CLKGATE_X1", CK=2, E=3, GCK=5),
        "toggle": cell("INV_X1", A=4, Y=6),
        "register": cell("DFF_X1", CK=5, D=6, Q=4),
    },
)


def test_a_gated_register_waits_for_its_enable() -> None:
    mapped = MappedNetlist(COUNTER, "top", GENERIC, 2)
    seen = []
    for enable in (0b00, 0b01, 0b11, 0b10, 0b01):
        seen.append(mapped.step({"en": [enable]})["q"])
    assert [q[0] for q in seen] == [0b00, 0b00, 0b01, 0b10, 0b00]
    assert all(q[1] == 0b11 for q in seen)  # the constant, in both stimuli


def test_registers_that_feed_each_other_change_together() -> None:
    """A ring of two: each takes what the other had."""
    ring = netlist(
        {"clk": port("input", 2), "a": port("output", 3), "b": port("output", 4)},
        {"a": cell("DFF_X1", CK=2, D=4, Q=3), "b": cell("DFF_X1", CK=2, D=3, Q=4)},
    )
    mapped = MappedNetlist(ring, "top", GENERIC, 64)
    mapped.randomise(7)
    first, second, third = (mapped.step({}) for _ in range(3))
    assert (second["a"], second["b"]) == (first["b"], first["a"])
    assert third == first
    assert first["a"] != first["b"]


def test_gates_are_ordered_whatever_their_order_in_the_file() -> None:
    rng = random.Random(3)
    chain = {f"i{k}": cell("INV_X1", A=10 + k, Y=11 + k) for k in range(200)}
    names = list(chain)
    rng.shuffle(names)
    mapped = MappedNetlist(
        netlist({"a": port("input", 10), "y": port("output", 210)}, {name: chain[name] for name in names}),
        "top",
        GENERIC,
    )
    assert mapped.step({"a": [1]})["y"] == [1]
    assert mapped.step({"a": [0]})["y"] == [0]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"u": cell("SRAM", A=2, Y=3)}, "'u' is a 'SRAM'; library 'amxfp4_generic' has no such cell"),
        ({"u": cell("INV_X1", A=3, Y=4), "w": cell("INV_X1", A=4, Y=3)}, "combinational loop"),
        ({"u": cell("INV_X1", A=2, Y=4), "r": cell("DFF_X1", CK=4, D=2, Q=3)}, "through 'u', a 'INV_X1'"),
    ],
)
def test_what_cannot_be_run_is_refused(cells: dict, says: str) -> None:
    ports = {"a": port("input", 2), "y": port("output", 3)}
    with pytest.raises(ValueError, match=says):
        MappedNetlist(netlist(ports, cells), "top", GENERIC)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'function : "!A"',
            'function : "!Z"',
            "has '!Z' as function of pin 'Y' of cell 'INV_X1' .*an expression of A, Y",
        ),
        ('function : "!A"', 'function : "!(A"', r"has '!\(A' as function of pin 'Y'"),
        ('function : "!A";', "", "has no function in pin 'Y' of cell 'INV_X1'"),
        ("next_state", "previous_state", "has no next_state in ff 'IQ', 'IQN' of cell 'DFF_X1'"),
        ('clocked_on : "CK"', 'clocked_on : "!CK"', "has '!CK' as clocked_on of ff 'IQ', 'IQN' of cell 'DFF_X1'"),
        ("ff (IQ, IQN) {", "ff (I, N) { } ff (IQ, IQN) {", "has no single ff group in cell 'DFF_X1'"),
    ],
)
def test_cells_that_are_not_understood_are_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    text = GENERIC.text
    assert old in text
    path = tmp_path / "x.lib"
    path.write_text(text.replace(old, new, 1))
    library = liberty.read(path)
    with pytest.raises(UsageError, match=says):
        MappedNetlist(COUNTER, "top", library)
