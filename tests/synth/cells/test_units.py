"""Units of libraries: read, or refused."""

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells import units
from amxfp4.synth.cells.liberty_text import Group, parse


def library(text: str) -> Group:
    return parse(f"library (x) {{ {text} }}")


@pytest.mark.parametrize(
    ("text", "ps"),
    [('"1ns"', 1000), ("1ns", 1000), ('"100ps"', 100), ('"10ps"', 10), ('"1PS"', 1), ('"0.1 ns"', 100), ('"1us"', 1e6)],
)
def test_time(text: str, ps: float) -> None:
    assert units.picoseconds(library(f"time_unit : {text};")) == pytest.approx(ps)


@pytest.mark.parametrize(("text", "volts"), [('"1V"', 1), ('"1v"', 1), ("100mV", 0.1), ('"1mV"', 0.001)])
def test_voltage(text: str, volts: float) -> None:
    assert units.volts(library(f"voltage_unit : {text};")) == pytest.approx(volts)


def test_the_manuals_defaults() -> None:
    assert (units.picoseconds(library("")), units.volts(library(""))) == (1000, pytest.approx(1))


@pytest.mark.parametrize(
    ("text", "ff"), [("(1, pf)", 1000), ("(1,ff)", 1), ('("1","fF")', 1), ("(0.1, PF)", 100), ("(1.0000 , pf)", 1000)]
)
def test_capacitance(text: str, ff: float) -> None:
    assert units.femtofarads(library(f"capacitive_load_unit {text};")) == pytest.approx(ff)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("capacitive_load_unit (1, nf);", r"has '\(1, nf\)' as capacitive_load_unit of library 'x' \(line 1\)"),
        ("capacitive_load_unit (pf, 1);", r"has '\(pf, 1\)' as"),
        ("capacitive_load_unit (1);", r"has '\(1\)' as"),
        ("capacitive_load_unit ();", r"has '\(\)' as"),
        ("capacitive_load_unit (0, pf);", r"has '\(0, pf\)' as"),
        ("capacitive_load_unit (1,5, pf);", r"has '\(1, 5, pf\)' as"),
        ('capacitive_load_unit : "1pF";', "has '1pF' as"),
        ("", "has no capacitive_load_unit in library 'x'"),
    ],
)
def test_a_capacitance_that_is_not_understood(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says + r".*such as \(1, pf\) is needed, in ff or pf"):
        units.femtofarads(library(text))


@pytest.mark.parametrize("text", ["1 fortnight", "ns", "1", "0ns", "1,0ns", "1.2.3ns", "1 V", ""])
def test_a_time_that_is_not_understood(text: str) -> None:
    with pytest.raises(UsageError, match=rf"has '{text}' as time_unit of library 'x'.* such as 1ns is needed"):
        units.picoseconds(library(f'time_unit : "{text}";'))
    with pytest.raises(UsageError, match=r"as voltage_unit of library 'x'.* such as 1V is needed"):
        units.volts(library('voltage_unit : "1ns";'))
