"""Small liberties to read, change and break."""

HEADER = """
  time_unit : "1ps";
  voltage_unit : "1V";
  nom_voltage : 1.0;
  capacitive_load_unit (1, ff);
"""
INVERTER = """  cell (INV) { area : 2; pin (A) { direction : input; capacitance : 1.5; }
    pin (Y) { direction : output; function : "A'"; } }
"""
NAND = """  cell (NAND) { area : 4; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!A | !B"; } }
"""
BUFFER = """  cell (BUF) { area : 3; pin (A) { direction : input; } pin (Y) { direction : output; function : "A"; } }
"""
FLOP = """  cell (FLOP) { area : 20; ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }
    pin (D) { direction : input; } pin (CK) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
"""


def library(more: str = "", header: str = HEADER, cells: str = INVERTER + NAND + BUFFER + FLOP) -> str:
    """A library that can be read, and more within it."""
    return f"library (small) {{{header}{cells}{more}}}\n"


ARC = """timing () { related_pin : "A"; timing_sense : negative_unate;
      cell_rise (t) { values ("1, 2", "3, 4"); } cell_fall (t) { index_1 ("1, 2"); values ("1, 2, \\
        3, 4"); }
      rise_transition (scalar) { values ("1"); } fall_transition (scalar) { values (1); } }
    internal_power () { related_pin : "A"; rise_power (scalar) { values ("0.5"); } }"""
TIMED = library(
    """  /* a template { */
  lu_table_template (t) { variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("0, 1"); index_2 ("0, 10"); }
  input_voltage (cmos) { vil : 0.3 * VDD; vimax : VDD + 0.5; }
  cell (GATE) { area : 7; clock_gating_integrated_cell : latch_posedge;
    statetable ("CK E", "Q") { table : "L L : - : L"; }
    pin (CK) { direction : input; } pin (E) { direction : input; } pin (GCK) { direction : output; } } // last
""",
    cells=(INVERTER + NAND + BUFFER).replace("function", f"{ARC} function") + FLOP,
)
"""One with tables, a clock gate, an expression, comments and a continued line."""
