"""The project's own library: in step with what writes it, and true to what its header says."""

import pytest

from amxfp4.synth.cells import generic_liberty, liberty
from amxfp4.synth.cells.generic_liberty import GATES, TAU
from amxfp4.synth.timing import TimingLibrary

LIBRARY = liberty.read(liberty.GENERIC)
TIMING = TimingLibrary(LIBRARY)


def test_the_file_is_what_the_module_writes() -> None:
    assert liberty.GENERIC.read_text() == generic_liberty.text(), "run python -m amxfp4.synth.cells.generic_liberty"


def test_the_header_says_what_it_is() -> None:
    head = liberty.GENERIC.read_text().split("*/")[0]
    for fact in ("generic", "of no process", "number of transistors", "logical effort", "No wires"):
        assert fact in head


@pytest.mark.parametrize(
    ("cell", "transistors"),
    [
        ("INV_X1", 2),
        ("INV_X4", 8),
        ("NAND2_X1", 4),
        ("NOR3_X1", 6),
        ("AOI21_X1", 6),
        ("AND2_X1", 6),  # NAND2 and inverter
        ("BUF_X4", 12),  # an inverter of half the drive before one of drive 4
        ("XOR2_X1", 10),  # NOR2 and AOI21
        ("MUX2_X1", 12),
        ("DFF_X1", 24),
        ("CLKGATE_X1", 18),
    ],
)
def test_areas_are_transistors(cell: str, transistors: int) -> None:
    assert LIBRARY.cells[cell].area == transistors


def test_the_gate_equivalent_is_four_transistors() -> None:
    assert (LIBRARY.nand2.name, LIBRARY.nand2.area, LIBRARY.area_unit) == ("NAND2_X1", 4, "transistors")


@pytest.mark.parametrize("drive", [1, 2, 4])
@pytest.mark.parametrize(("gate", "effort", "parasitic"), [("INV", 1, 1), ("NAND2", 4 / 3, 2), ("NOR2", 5 / 3, 2)])
def test_delays_are_logical_effort(gate: str, effort: float, parasitic: float, drive: int) -> None:
    """d = p + g h, where a gate drives h copies of itself."""
    cell = TIMING.cell(f"{gate}_X{drive}")
    pin = next(iter(cell.capacitance))
    assert cell.capacitance[pin] == pytest.approx(drive * effort, abs=1e-4)
    (arc, *_) = (arc for arc in cell.arcs["Y"] if arc.pin == pin)
    for fanout in (1, 4):
        for edge in ("rise", "fall"):
            delay = arc.delay[edge].at(123.0, fanout * cell.capacitance[pin])
            assert delay == pytest.approx(TAU * (parasitic + effort * fanout), rel=1e-3)


def test_a_fan_out_of_four_is_five_tau() -> None:
    assert TIMING.fo4_ps == pytest.approx(5 * TAU)


def test_no_cell_is_free() -> None:
    """Nothing is smaller than an inverter, nothing faster than one without load, and every gate is in the file."""
    names = {f"{name}_X{drive}" for name, gate in GATES.items() for drive in gate.drives}
    assert names | {"DFF_X1", "DFF_X2", "CLKGATE_X1"} == set(LIBRARY.cells)
    for name in names:
        assert LIBRARY.cells[name].area >= 2
        for arcs in TIMING.cell(name).arcs.values():
            assert all(arc.delay[edge].at(0, 0) >= TAU for arc in arcs for edge in ("rise", "fall"))


def test_tables_have_the_points_that_abc_needs() -> None:
    """It takes the slope between the first load and the last but one."""
    assert len(generic_liberty.LOADS) >= 3
