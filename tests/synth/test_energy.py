"""Energies worked out by hand."""

from pathlib import Path

import pytest
from helpers.cell_netlists import netlist

from amxfp4.errors import UsageError
from amxfp4.synth import energy
from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.generic_liberty import CLOCK_GATE_CLOCK, FLIP_FLOP_CLOCK, MASTER
from amxfp4.synth.mapped import MappedNetlist

GENERIC = liberty.read(liberty.GENERIC)


INVERTER = netlist(
    {"a": ("input", 2), "y": ("output", 4)}, {"one": ("INV_X1", {"A": 2, "Y": 3}), "two": ("INV_X4", {"A": 3, "Y": 4})}
)


def test_toggles_through_two_inverters() -> None:
    """Half C V^2 at 1 V and 1 fF: the input's pin, the net between with its driver, the output with its."""
    mapped = MappedNetlist(INVERTER, "top", GENERIC, 2)
    mapped.step({"a": [0b00]})
    mapped.count = True
    for value in (0b01, 0b01, 0b10, 0b10):  # three toggles in all, in four cycles of two stimuli
        mapped.step({"a": [value]})
    assert mapped.toggles == {2: 3, 3: 3, 4: 3}
    assert mapped.counted == 8
    found = energy.of_toggles(mapped, GENERIC)
    toggle = 0.5 * (1 + (4 + 1) + (1 + 4))
    assert (found.registers, found.clock) == (0, 0)
    assert found.logic == pytest.approx(3 * toggle / 8, abs=1e-3)


GATED = netlist(
    {"clk": ("input", 2), "en": ("input", 3), "d": ("input", 4), "q": ("output", 6)},
    {"gate": ("CLKGATE_X1", {"CK": 2, "E": 3, "GCK": 5}), "flop": ("DFF_X1", {"CK": 5, "D": 4, "Q": 6})},
)


@pytest.mark.parametrize("enabled", [0, 1])
def test_a_gated_clock_costs_when_it_passes(enabled: int) -> None:
    mapped = MappedNetlist(GATED, "top", GENERIC, 1)
    mapped.step({"en": [enabled], "d": [0]})
    mapped.count = True
    for _ in range(5):
        mapped.step({"en": [enabled], "d": [0]})
    assert mapped.ticks["gate"] == 5 * enabled
    found = energy.of_toggles(mapped, GENERIC)
    before = 0.5 * (1 + CLOCK_GATE_CLOCK)  # the clock's own net: the gate's pin, and what that moves within
    behind = 0.5 * (1 + 4 + FLIP_FLOP_CLOCK)  # the gate's output and the flip-flop's pin, likewise
    assert found.clock == pytest.approx(2 * (before + enabled * behind), abs=1e-3)
    assert (found.logic, found.registers) == (0, 0)


def test_a_register_that_toggles() -> None:
    mapped = MappedNetlist(GATED, "top", GENERIC, 1)
    mapped.step({"en": [1], "d": [1]})
    mapped.step({"en": [1], "d": [0]})
    mapped.count = True
    for value in (1, 0, 1, 0):
        mapped.step({"en": [1], "d": [value]})
    assert (mapped.toggles[4], mapped.toggles[6]) == (4, 4)
    found = energy.of_toggles(mapped, GENERIC)
    assert found.registers == pytest.approx(0.5 * (MASTER + (MASTER + 1) + 1), abs=1e-3)  # D, Q and the port on it
    assert found.logic == pytest.approx(0.5, abs=1e-3)  # the input port drives D's pin
    assert found.total == pytest.approx(found.logic + found.registers + found.clock)


def test_what_is_not_counted_costs_nothing() -> None:
    mapped = MappedNetlist(INVERTER, "top", GENERIC, 1)
    mapped.step({"a": [1]})
    assert not mapped.toggles
    with pytest.raises(ValueError, match="no cycle was counted"):
        energy.of_toggles(mapped, GENERIC)


def test_a_library_without_power_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.lib"
    path.write_text(liberty.GENERIC.read_text().replace("internal_power ()", "no_power ()"))
    library = liberty.read(path)
    mapped = MappedNetlist(INVERTER, "top", library, 1)
    mapped.count = True
    mapped.step({"a": [1]})
    with pytest.raises(UsageError, match="library 'amxfp4_generic' has no internal_power"):
        energy.of_toggles(mapped, library)


def test_a_library_without_a_voltage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.lib"
    path.write_text(liberty.GENERIC.read_text().replace("nom_voltage : 1.0;", ""))
    with pytest.raises(UsageError, match="has no nom_voltage in library 'amxfp4_generic'"):
        energy._Power(liberty.read(path))


def test_a_unit_of_voltage_counts_squared(tmp_path: Path) -> None:
    """1 V is 1000 mV: the same charge, and internal energies in a unit that is a millionth."""
    path = tmp_path / "x.lib"
    text = liberty.GENERIC.read_text().replace('"1V"', '"1mV"').replace("nom_voltage : 1.0;", "nom_voltage : 1000;")
    path.write_text(text)
    found, expected = energy._Power(liberty.read(path)), energy._Power(GENERIC)
    assert found.charge(3.0) == pytest.approx(expected.charge(3.0))
    assert found.output(GENERIC.inverter, "Y", 3.0) == pytest.approx(1e-6 * expected.output(GENERIC.inverter, "Y", 3.0))


def test_nangate45(shared: Path) -> None:
    """An inverter that drives four of its own, in a 45 nm process: about a femtojoule a toggle."""
    library = liberty.read(shared / "lib" / "nangate45_typ.lib.gz")
    cells = {"drive": ("INV_X1", {"A": 2, "ZN": 3})} | {f"l{i}": ("INV_X1", {"A": 3, "ZN": 4 + i}) for i in range(4)}
    mapped = MappedNetlist(netlist({"a": ("input", 2), "y": ("output", 4)}, cells), "top", library, 1)
    mapped.step({"a": [0]})
    mapped.count = True
    mapped.step({"a": [1]})
    mapped.toggles = type(mapped.toggles)({3: 1})
    assert 2 < energy.of_toggles(mapped, library).logic < 8
