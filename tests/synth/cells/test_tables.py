"""Tables of libraries: read in every form that the manual allows, or refused."""

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells.liberty_text import parse
from amxfp4.synth.cells.tables import Table, read_table, templates

TEMPLATES = """
  lu_table_template (slew_first) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0, 10"); index_2 ("0, 1, 3"); }
  power_lut_template (load_first) { variable_1 : total_output_net_capacitance; variable_2 : "input_transition_time";
    index_1 ("0, 1, 3"); index_2 ("0, 10"); }
  lu_table_template (load_only) { variable_1 : total_output_net_capacitance; index_1 ("0, 1, 3"); }
  lu_table_template (data_first) { variable_1 : constrained_pin_transition; variable_2 : related_pin_transition;
    index_1 ("0, 10"); index_2 ("0, 1, 3"); }
  lu_table_template (clock_first) { variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("0, 1, 3"); index_2 ("0, 10"); }
  lu_table_template (wire) { variable_1 : output_net_length; index_1 ("0, 1"); }
  lu_table_template (three) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    variable_3 : related_out_total_output_net_capacitance; index_1 ("0, 1"); index_2 ("0, 1"); index_3 ("0, 1"); }
  lu_table_template (falling) { variable_1 : input_net_transition; index_1 ("1, 0"); }
"""
ROWS = '"0, 1, 3", "10, 11, 13"'


def read(table: str) -> Table:
    library = parse(f"library (x) {{ {TEMPLATES} cell (A) {{\n cell_rise {table} }} }}")
    (cell,) = library.of_kind("cell")
    return read_table(templates(library), cell.groups[0])


@pytest.mark.parametrize(
    "table",
    [
        f"(slew_first) {{ values ({ROWS}); }}",
        '(slew_first) { values ("0, 1, 3, 10, 11, 13"); }',
        '(slew_first) { values ("0 1 3\n 10,11 13"); }',
        "(slew_first) { values (0, 1, 3, 10, 11, 13) }",
        f'(slew_first) {{ index_1 ("0, 10"); index_2 ("0", "1", "3"); values ({ROWS}); }}',
        f"(unknown) {{ index_1 (0, 10); index_2 (0, 1, 3); values ({ROWS}); }}",
        f'("slew_first") {{ values ({ROWS}); }}',
        '(load_first) { values ("0, 10", "1, 11", "3, 13"); }',
    ],
)
def test_a_table_of_slew_and_load(table: str) -> None:
    found = read(table)
    assert found.at(5.0, 2.0) == pytest.approx(7.0)
    assert found.at(20.0, 0.5) == pytest.approx(20.5)


@pytest.mark.parametrize(
    "table", [f"(data_first) {{ values ({ROWS}); }}", '(clock_first) { values ("0, 10", "1, 11", "3, 13"); }']
)
def test_a_setup_table_has_the_data_s_slew_and_the_clock_s(table: str) -> None:
    assert read(table).at(5.0, 2.0) == pytest.approx(7.0)


def test_an_index_of_its_own_counts_more() -> None:
    assert read(f'(slew_first) {{ index_1 ("0, 20"); values ({ROWS}); }}').at(10.0, 0.0) == pytest.approx(5.0)


def test_tables_of_one_index_or_none() -> None:
    assert read('(load_only) { values ("0, 1, 3"); }').at(100.0, 2.0) == pytest.approx(2.0)
    assert read('(scalar) { values ("7"); }').at(100.0, 2.0) == 7


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            '(slew_first) { values ("0, 1, 3, 10, 11"); }',
            "has '5 numbers' as values of cell_rise 'slew_first' of cell 'A'",
        ),
        ('(scalar) { values ("1, 2"); }', "its indices of 1 and 1 need 1"),
        ("(scalar) { }", "has no values in cell_rise 'scalar' of cell 'A'"),
        ('(scalar) { values ("1,5"); }', "has '2 numbers' as values"),
        ('(scalar) { values ("x"); }', r"has 'x' as values of cell_rise 'scalar' of cell 'A' \(line 16\)"),
        ('(scalar) { values ("nan"); }', "has 'nan' as values"),
        ('(wire) { values ("1, 2"); }', "has 'output_net_length' as variable_1 of lu_table_template 'wire'"),
        ('(three) { values ("1, 2, 3, 4, 5, 6, 7, 8"); }', "as variable_3 of lu_table_template 'three'"),
        ('(x) { index_3 ("1, 2"); values ("1, 2"); }', "has '1, 2' as index_3"),
        ('(falling) { values ("1, 2"); }', "has '1, 0' as index_1 of lu_table_template 'falling'.*numbers that rise"),
        ('(x) { index_1 ("1, 1"); values ("1, 2"); }', "has '1, 1' as index_1 of cell_rise 'x'"),
        ('(x) { index_1 (""); values ("1"); }', "has '' as index_1 of cell_rise 'x'"),
    ],
)
def test_what_is_no_table_is_refused(table: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(table)
