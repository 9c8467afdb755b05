"""Pins, one by one, whichever way a library groups them."""

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells.liberty_text import Group, parse
from amxfp4.synth.cells.pins import pins_of


def pins(text: str) -> dict[str, Group]:
    (cell,) = parse(f"library (x) {{ cell (C) {{ {text} }} }}").groups
    return {pin.name: pin for pin in pins_of(cell)}


def test_several_names_are_several_pins() -> None:
    found = pins('pin (A, "B[0]" C) { direction : input; timing () { } } pin (Y) { direction : output; }')
    assert list(found) == ["A", "B[0]", "C", "Y"]
    assert [found[name].attributes for name in ("A", "B[0]", "C")] == [{"direction": "input"}] * 3
    assert all(len(found[name].groups) == 1 for name in ("A", "B[0]", "C"))


def test_what_is_said_of_a_pin_twice_is_joined() -> None:
    found = pins("pin (A, B) { direction : input; capacitance : 1; } pin (A) { capacitance : 2; }")
    assert found["A"].attributes == {"direction": "input", "capacitance": "2"}
    assert found["B"].attributes == {"direction": "input", "capacitance": "1"}


@pytest.mark.parametrize("members", ["members (x1, x2);", 'members ("x1 x2");'])
def test_a_bundles_members(members: str) -> None:
    found = pins(f"bundle (X) {{ {members} direction : input; pin (x2) {{ capacitance : 2; }} }}")
    assert found["x1"].attributes == {"direction": "input"}
    assert found["x2"].attributes == {"direction": "input", "capacitance": "2"}
    assert list(found) == ["x1", "x2"]
    assert not found["x1"].complex and not found["x1"].groups


def test_a_bus_stays_whole() -> None:
    found = pins("bus (A) { bus_type : t; direction : input; pin (A[1]) { capacitance : 2; } }")
    assert list(found) == ["A", "A[1]"]


def test_test_cells_power_pins_and_the_like_are_no_pins() -> None:
    assert list(pins("test_cell () { pin (T) { } } pg_pin (VDD) { } pin (A) { }")) == ["A"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("pin () { }", "has no name in pin of cell 'C'"), ("bundle (X) { }", "has no members in bundle 'X' of cell 'C'")],
)
def test_a_pin_without_a_name_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        pins(text)
