"""The project's own cell library, `generic.lib`: of no process, so that areas compare without a foundry's data.

Area is the number of transistors; one of n times the width counts n times. Delay is logical effort (Sutherland,
Sproull, Harris): a gate of drive X has delay `TAU * parasitic + RESISTANCE / X * load`, and an input has capacitance
`X * effort` in units of the smallest inverter's. Edges rise and fall alike, and the input slew has no influence. `TAU`
only sets the scale: 4.4 ps makes a fan-out-of-4 inverter 22 ps, about a 45 nm process.

Write the file anew with `python -m amxfp4.synth.cells.generic_liberty`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from amxfp4.synth.cells.liberty import GENERIC

TAU = 4.4  # ps: resistance times input capacitance of the smallest inverter
CAPACITANCE = 1.0  # fF: its input
RESISTANCE = TAU / CAPACITANCE  # ps/fF
# Tables are linear, so their points may be any; these span what occurs. ABC takes the slope between the first load and
# the last but one, so there must be three.
LOADS = (0.0, 50.0, 100.0)
SLEWS = (0.0, 1000.0)
# A 10 % to 90 % swing of an RC takes ln 9 of its time constant.
SWING = 2.2


@dataclass(frozen=True)
class Gate:
    """One function.

    Attributes:
        function: As liberty writes it.
        transistors: Of the input stage.
        output: Transistors of the output stage; 0 where there is only one stage.
        effort: Logical effort of each input.
        parasitic: Parasitic delay in TAU, up to and with the output stage's own.
        unate: Its timing_sense, as liberty has it.
        drives: The drives that it comes in.
    """

    function: str
    transistors: int
    output: int
    effort: dict[str, float]
    parasitic: float
    unate: str
    drives: tuple[int, ...] = (1, 2)


def _alike(pins: str, effort: float) -> dict[str, float]:
    return dict.fromkeys(pins.split(), effort)


NEGATIVE, POSITIVE, NEITHER = "negative_unate", "positive_unate", "non_unate"

# Efforts and parasitics with pull-up transistors twice as wide as pull-down ones, series transistors widened to match.
GATES: dict[str, Gate] = {
    "INV": Gate("!A", 2, 0, {"A": 1}, 1, NEGATIVE, (1, 2, 4, 8)),
    "NAND2": Gate("!(A & B)", 4, 0, _alike("A B", 4 / 3), 2, NEGATIVE, (1, 2, 4)),
    "NAND3": Gate("!(A & B & C)", 6, 0, _alike("A B C", 5 / 3), 3, NEGATIVE),
    "NAND4": Gate("!(A & B & C & D)", 8, 0, _alike("A B C D", 6 / 3), 4, NEGATIVE),
    "NOR2": Gate("!(A | B)", 4, 0, _alike("A B", 5 / 3), 2, NEGATIVE, (1, 2, 4)),
    "NOR3": Gate("!(A | B | C)", 6, 0, _alike("A B C", 7 / 3), 3, NEGATIVE),
    "NOR4": Gate("!(A | B | C | D)", 8, 0, _alike("A B C D", 9 / 3), 4, NEGATIVE),
    "AOI21": Gate("!((A & B) | C)", 6, 0, _alike("A B", 6 / 3) | {"C": 5 / 3}, 7 / 3, NEGATIVE, (1, 2, 4)),
    "OAI21": Gate("!((A | B) & C)", 6, 0, _alike("A B", 6 / 3) | {"C": 4 / 3}, 8 / 3, NEGATIVE, (1, 2, 4)),
    "AOI22": Gate("!((A & B) | (C & D))", 8, 0, _alike("A B C D", 6 / 3), 12 / 3, NEGATIVE),
    "OAI22": Gate("!((A | B) & (C | D))", 8, 0, _alike("A B C D", 6 / 3), 12 / 3, NEGATIVE),
    "AOI211": Gate("!((A & B) | C | D)", 8, 0, _alike("A B", 8 / 3) | _alike("C D", 7 / 3), 10 / 3, NEGATIVE),
    "OAI211": Gate("!((A | B) & C & D)", 8, 0, _alike("A B", 7 / 3) | _alike("C D", 5 / 3), 11 / 3, NEGATIVE),
    # Two stages: the first one's parasitic, what it drives, and the output inverter's 1.
    "BUF": Gate("A", 2, 2, {"A": 1}, 1 + 1 + 1, POSITIVE, (1, 2, 4, 8)),
    "AND2": Gate("A & B", 4, 2, _alike("A B", 4 / 3), 2 + 1 + 1, POSITIVE, (1, 2, 4)),
    "AND3": Gate("A & B & C", 6, 2, _alike("A B C", 5 / 3), 3 + 1 + 1, POSITIVE),
    "OR2": Gate("A | B", 4, 2, _alike("A B", 5 / 3), 2 + 1 + 1, POSITIVE, (1, 2, 4)),
    "OR3": Gate("A | B | C", 6, 2, _alike("A B C", 7 / 3), 3 + 1 + 1, POSITIVE),
    # A NOR2 into an AOI21, and a NAND2 into an OAI21.
    "XOR2": Gate("A ^ B", 4, 6, _alike("A B", 5 / 3 + 6 / 3), 2 + 5 / 3 + 7 / 3, NEITHER),
    "XNOR2": Gate("!(A ^ B)", 4, 6, _alike("A B", 4 / 3 + 6 / 3), 2 + 4 / 3 + 8 / 3, NEITHER),
    # An AOI22 and an inverter, and an inverter for the select: C chooses B.
    "MUX2": Gate("(A & !C) | (B & C)", 10, 2, _alike("A B", 6 / 3) | {"C": 6 / 3 + 1}, 4 + 1 + 1, NEITHER),
}

# Master and slave of a transmission-gate flip-flop, with its clock inverters; a latch and an AND2 for the clock gate.
FLIP_FLOP_TRANSISTORS = 24
CLOCK_GATE_TRANSISTORS = 18
CLOCK_TO_OUTPUT = 10.0  # in TAU
SETUP = 8.0  # in TAU
# What the clock moves within a flip-flop, in inputs of the smallest inverter: the two clock inverters' outputs, the
# second one's input, and eight transistors of transmission gates at a third each; within a clock gate half the gates.
FLIP_FLOP_CLOCK = 2 + 1 + 8 / 3
CLOCK_GATE_CLOCK = 2 + 1 + 4 / 3
MASTER = 3.0  # what data moves within a flip-flop while the clock is low: the master's two inverters and its feedback


def _row(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


_HEADER = f"""\
/* A generic cell library for comparing areas: of no process, and not for making chips.
 *
 * Written by amxfp4.synth.cells.generic_liberty, which has the derivation.
 * Area: number of transistors; a transistor of twice the width counts twice.
 * Delay: logical effort, {TAU} ps * parasitic + load * {RESISTANCE} ps/fF / drive; no influence of the input slew.
 * Input capacitance: {CAPACITANCE} fF * logical effort * drive. Slew: {SWING} RC. No wires.
 * Internal energy of a transition, fJ: half C V^2 at 1 V, C being the capacitance that a parasitic delay stands for.
 */
library (amxfp4_generic) {{
  define (area_unit, library, string);
  area_unit : "transistors";
  technology (cmos);
  delay_model : table_lookup;
  time_unit : "1ps";
  voltage_unit : "1V";
  current_unit : "1mA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  nom_process : 1.0;
  nom_temperature : 25.0;
  nom_voltage : 1.0;
  slew_lower_threshold_pct_rise : 10.0;
  slew_lower_threshold_pct_fall : 10.0;
  slew_upper_threshold_pct_rise : 90.0;
  slew_upper_threshold_pct_fall : 90.0;
  input_threshold_pct_rise : 50.0;
  input_threshold_pct_fall : 50.0;
  output_threshold_pct_rise : 50.0;
  output_threshold_pct_fall : 50.0;
  default_max_transition : {SLEWS[-1]};
  lu_table_template (linear) {{
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("{_row(SLEWS)}");
    index_2 ("{_row(LOADS)}");
  }}
  lu_table_template (constraint) {{
    variable_1 : related_pin_transition;
    variable_2 : constrained_pin_transition;
    index_1 ("{_row(SLEWS)}");
    index_2 ("{_row(SLEWS)}");
  }}
"""


def text() -> str:
    """The whole library."""
    cells = [_gate(name, gate, drive) for name, gate in GATES.items() for drive in gate.drives]
    cells += [_flip_flop(drive) for drive in (1, 2)] + [_clock_gate()]
    return _HEADER + "".join(cells) + "}\n"


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _gate(name: str, gate: Gate, drive: int) -> str:
    # A wide output stage is fed by a first stage that grows half as fast, but never below the smallest.
    first = drive if not gate.output else max(1, drive // 2)
    area = gate.transistors * first + gate.output * drive
    parasitic = gate.parasitic + (drive / first - 1 if gate.output else 0)
    pins = "".join(_input(pin, first * effort) for pin, effort in gate.effort.items())
    arcs = "".join(_arc(pin, parasitic, drive, f"timing_sense : {gate.unate};") for pin in gate.effort)
    arcs += "".join(_power(parasitic * drive, pin) for pin in gate.effort)
    return _cell(f"{name}_X{drive}", area, "", pins + _output("Y", f'function : "{gate.function}";', drive, arcs))


def _flip_flop(drive: int) -> str:
    area = FLIP_FLOP_TRANSISTORS + 2 * (drive - 1)
    constraints = _constraint("setup_rising", SETUP) + _constraint("hold_rising", 0)
    pins = _input("D", 1, constraints + _power(MASTER))
    pins += _input("CK", 1, _power(FLIP_FLOP_CLOCK), attributes="clock : true;")
    arc = _arc("CK", CLOCK_TO_OUTPUT, drive, "timing_type : rising_edge; timing_sense : non_unate;")
    arc += _power(MASTER + drive, "CK")  # the slave, and the output stage's parasitic
    state = '    ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }\n'
    return _cell(f"DFF_X{drive}", area, state, pins + _output("Q", 'function : "IQ";', drive, arc))


def _clock_gate() -> str:
    pins = _input("E", 1, _constraint("setup_rising", SETUP), "clock_gate_enable_pin : true;")
    pins += _input("CK", 1, _power(CLOCK_GATE_CLOCK), "clock : true; clock_gate_clock_pin : true;")
    arc = _arc("CK", 4, 1, f"timing_sense : {POSITIVE};") + _power(4, "CK")
    pins += _output("GCK", 'clock_gate_out_pin : true; state_function : "CK * IQ";', 1, arc)
    state = (
        '    statetable ("CK E", "IQ") { table : "L L : - : L , L H : - : H , H - : - : N"; }\n'
        "    clock_gating_integrated_cell : latch_posedge;\n"
    )
    pins += "    pin (IQ) { direction : internal; internal_node : IQ; }\n"
    return _cell("CLKGATE_X1", CLOCK_GATE_TRANSISTORS, state, pins)


def _cell(name: str, area: int, state: str, pins: str) -> str:
    return f"  cell ({name}) {{\n    area : {area};\n{state}{pins}  }}\n"


def _input(name: str, effort: float, timing: str = "", attributes: str = "") -> str:
    capacitance = f"direction : input; capacitance : {_number(CAPACITANCE * effort)};"
    inside = " ".join(part for part in (capacitance, attributes) if part)
    return f"    pin ({name}) {{ {inside}" + (f"\n{timing}    }}\n" if timing else " }\n")


def _output(name: str, attributes: str, drive: int, arcs: str) -> str:
    limit = f"max_capacitance : {_number(LOADS[-1] / 2 * drive)};"
    return f"    pin ({name}) {{ direction : output; {limit} {attributes}\n{arcs}    }}\n"


def _arc(pin: str, parasitic: float, drive: int, attributes: str) -> str:
    delay = _values([TAU * parasitic + RESISTANCE / drive * load for load in LOADS])
    slew = _values([SWING * (TAU * 1 + RESISTANCE / drive * load) for load in LOADS])
    tables = [f"{kind} (linear) {{ {delay} }}" for kind in ("cell_rise", "cell_fall")]
    tables += [f"{kind} (linear) {{ {slew} }}" for kind in ("rise_transition", "fall_transition")]
    return _timing(pin, attributes, tables)


def _constraint(kind: str, time: float) -> str:
    values = _values([TAU * time] * 2)
    tables = [f"{edge}_constraint (constraint) {{ {values} }}" for edge in ("rise", "fall")]
    return _timing("CK", f"timing_type : {kind};", tables)


def _power(capacitance: float, related: str = "") -> str:
    """Energy of a transition: half C V^2, in fJ as the voltage is 1 V."""
    energy = _number(CAPACITANCE * capacitance / 2)
    pin = f'related_pin : "{related}"; ' if related else ""
    tables = " ".join(f'{edge}_power (scalar) {{ values ("{energy}"); }}' for edge in ("rise", "fall"))
    return f"      internal_power () {{ {pin}{tables} }}\n"


def _values(row: list[float]) -> str:
    numbers = ", ".join(_number(value) for value in row)
    return f'values ("{numbers}", "{numbers}");'


def _timing(pin: str, attributes: str, tables: list[str]) -> str:
    def lines() -> Iterator[str]:
        yield f'      timing () {{ related_pin : "{pin}"; {attributes}'
        yield from (f"        {table}" for table in tables)
        yield "      }"

    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    GENERIC.write_text(text(), encoding="utf-8")
