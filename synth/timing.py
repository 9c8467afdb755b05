"""Static timing of a mapped netlist from a liberty's delay tables (NLDM): the longest register-to-register path.

Delays and slews are looked up by input slew and load, interpolated between table entries and extrapolated beyond them.
Rising and falling edges are kept apart; where edges meet, the latest arrival and the slowest slew win. A net's load is
the sum of its pins: no wires. The clock is ideal. ABC's own figure leaves out clock-to-output and setup and names no
registers; this one has both.

Times are in ps, capacitances in the library's unit.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from amxfp4.synth.cells import units
from amxfp4.synth.cells.liberty import Cell, Library
from amxfp4.synth.cells.liberty_text import Group
from amxfp4.synth.cells.tables import Table, read_table, templates

EDGES = ("rise", "fall")


@dataclass(frozen=True)
class Arc:
    """One timing arc from an input pin to an output.

    Attributes:
        pin: The input.
        causes: Output edge -> the input edges that cause it.
        delay: Output edge -> its delay.
        slew: Output edge -> its slew.
    """

    pin: str
    causes: dict[str, tuple[str, ...]]
    delay: dict[str, Table]
    slew: dict[str, Table]


@dataclass(frozen=True)
class TimedCell:
    """What timing needs of a cell.

    Attributes:
        capacitance: By input pin.
        outputs: The output pins.
        arcs: By output pin.
        setup: By data pin and data edge.
        is_sequential: Whether it is a register or a clock gate.
    """

    capacitance: dict[str, float]
    outputs: tuple[str, ...]
    arcs: dict[str, tuple[Arc, ...]]
    setup: dict[str, dict[str, Table]]
    is_sequential: bool


@dataclass(frozen=True)
class Step:
    """One point of a path.

    Attributes:
        name: The net or pin.
        cell: The cell that drives it; "input" for a port.
        edge: "rise" or "fall".
        arrival_ps: When the edge arrives.
    """

    name: str
    cell: str
    edge: str
    arrival_ps: float


@dataclass(frozen=True)
class TimingReport:
    """The longest path.

    Attributes:
        period_ps: The smallest clock period.
        path: From start to end.
        endpoints: End of a path -> the latest arrival there, setup included.
    """

    period_ps: float
    path: tuple[Step, ...]
    endpoints: dict[str, float]

    @property
    def start(self) -> str:
        return self.path[0].name if self.path else ""

    @property
    def end(self) -> str:
        return self.path[-1].name if self.path else ""


class TimingLibrary:
    """The timing view of a library; cells are read when first asked for."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._cells: dict[str, TimedCell] = {}

    @cached_property
    def ps(self) -> float:
        """How many ps the library's time unit is."""
        return units.picoseconds(self.library.group)

    @cached_property
    def templates(self) -> dict[str, Group]:
        """The templates of its tables."""
        return templates(self.library.group)

    def cell(self, name: str) -> TimedCell:
        if name not in self._cells:
            self._cells[name] = _timed_cell(self, self.library.cells[name])
        return self._cells[name]

    @property
    def fo4_ps(self) -> float:
        """Delay of an inverter that drives four of its own, fed by the same."""
        return self._fo4[0]

    @property
    def fo4_slew(self) -> float:
        """The slew of its edges, in the library's unit of time."""
        return self._fo4[1]

    @cached_property
    def _fo4(self) -> tuple[float, float]:
        cell = self.cell(self.library.inverter.name)
        load = 4 * next(iter(cell.capacitance.values()))
        arc = next((arc for arcs in cell.arcs.values() for arc in arcs if len(arc.delay) == len(EDGES)), None)
        if arc is None:
            raise self.library.inverter.group.lack("cell_rise with cell_fall", "delay tables (NLDM) are needed")
        slew = 0.0
        for _ in range(8):  # the slew settles within a few inverters
            slew = sum(arc.slew[edge].at(slew, load) for edge in EDGES) / 2
        return self.ps * sum(arc.delay[edge].at(slew, load) for edge in EDGES) / 2, slew


@functools.lru_cache(maxsize=8)
def timing_library(library: Library) -> TimingLibrary:
    """The timing view of a library, whose tables are read once."""
    return TimingLibrary(library)


def analyse(netlist: dict, top: str, library: Library, *, registers: bool = True) -> TimingReport:
    """Times a module.

    Args:
        netlist: Flat, as yosys' `write_json` has it.
        top: The module.
        library: Where its cells come from.
        registers: Whether clock-to-output and setup times count. Without them the path is that through logic alone;
            registers' slews are kept.
    """
    return _Analysis(netlist["modules"][top], timing_library(library), registers).report()


def latest(netlist: dict, top: str, library: Library, group: Callable[[str], str]) -> dict[str, float]:
    """The longest paths through logic, in ps, by groups of the cells that drive their ends.

    Args:
        netlist: Flat, as yosys' `write_json` has it.
        top: The module.
        library: Where its cells come from.
        group: From a cell's name to its group.
    """
    analysis = _Analysis(netlist["modules"][top], timing_library(library), registers=False)
    found: dict[str, float] = {}
    for time, _, net, _ in analysis.ends():
        if net in analysis.driver:
            key = group(analysis.driver[net][0])
            found[key] = max(found.get(key, 0.0), round(time * analysis.timing.ps, 1))
    return found


class _Analysis:
    def __init__(self, module: dict, timing: TimingLibrary, registers: bool) -> None:
        self.timing = timing
        self.registers = registers
        self.cells: dict[str, dict] = {
            name: cell for name, cell in module["cells"].items() if cell["type"] in timing.library.cells
        }
        self.names = _net_names(module)
        self.outputs = [
            bit for port in module["ports"].values() if port["direction"] == "output" for bit in port["bits"]
        ]
        inputs = [bit for port in module["ports"].values() if port["direction"] == "input" for bit in port["bits"]]
        self.driver: dict[int, tuple[str, str]] = {}
        self.load: dict[int, float] = defaultdict(float)
        for name, cell in self.cells.items():
            timed = timing.cell(cell["type"])
            for pin, bits in cell["connections"].items():
                if pin in timed.outputs:
                    self.driver[bits[0]] = (name, pin)
                else:
                    self.load[bits[0]] += timed.capacitance.get(pin, 0.0)
        register = timing.cell(timing.library.flip_flop.name)
        port_load = next(iter(register.capacitance.values()))
        for bit in self.outputs:
            self.load[bit] += port_load
        # net -> edge -> (arrival in library units, slew, the net and edge it came from)
        self.at: dict[object, dict[str, tuple[float, float, object, str]]] = {
            bit: dict.fromkeys(EDGES, (0.0, 0.0, None, "")) for bit in inputs
        }

        for name in self._order():
            self._propagate(name)

    def report(self) -> TimingReport:
        ends = sorted(self.ends(), key=lambda end: -end[0])
        endpoints: dict[str, float] = {}
        for time, label, _, _ in ends:
            endpoints.setdefault(label, round(time * self.timing.ps, 1))
        if not ends:
            return TimingReport(0.0, (), {})
        time, label, net, edge = ends[0]
        path = self._trace(net, edge)
        return TimingReport(
            round(time * self.timing.ps, 1),
            (*path, Step(label, "", edge, round(time * self.timing.ps, 1))),
            endpoints,
        )

    def _order(self) -> list[str]:
        """Registers first, then every cell behind all that drive it."""
        waiting: dict[str, int] = {}
        fed: dict[object, list[str]] = defaultdict(list)
        ready = []
        for name, cell in self.cells.items():
            timed = self.timing.cell(cell["type"])
            nets = [bits[0] for pin, bits in cell["connections"].items() if pin not in timed.outputs]
            nets = [] if timed.is_sequential else [net for net in nets if net in self.driver]
            waiting[name] = len(nets)
            for net in nets:
                fed[net].append(name)
            if not nets:
                ready.append(name)
        for name in ready:
            cell = self.cells[name]
            for pin in self.timing.cell(cell["type"]).outputs:
                for user in fed[cell["connections"].get(pin, [None])[0]]:
                    waiting[user] -= 1
                    if not waiting[user]:
                        ready.append(user)
        return ready

    def _propagate(self, name: str) -> None:
        cell = self.cells[name]
        timed = self.timing.cell(cell["type"])
        for output, arcs in timed.arcs.items():
            if output not in cell["connections"]:
                continue
            net = cell["connections"][output][0]
            found = self.at.setdefault(net, {})
            for arc in arcs:
                source = cell["connections"][arc.pin][0]
                before = dict.fromkeys(EDGES, (0.0, 0.0, None, "")) if timed.is_sequential else self.at.get(source)
                if before:
                    self._relax(found, arc, source if not timed.is_sequential else None, before, self.load[net])

    def _relax(self, found: dict, arc: Arc, source: object, before: dict, load: float) -> None:
        for edge, causes in arc.causes.items():
            for cause in causes:
                if cause not in before:
                    continue
                arrival, slew, _, _ = before[cause]
                if source is not None or self.registers:
                    arrival += arc.delay[edge].at(slew, load)
                slew = arc.slew[edge].at(slew, load)
                if edge not in found or arrival > found[edge][0]:
                    slowest = max(slew, found[edge][1]) if edge in found else slew
                    found[edge] = (arrival, slowest, source, cause)
                elif slew > found[edge][1]:
                    found[edge] = (found[edge][0], slew, *found[edge][2:])

    def ends(self) -> Iterable[tuple[float, str, object, str]]:
        for bit in self.outputs:
            for edge, (arrival, *_) in self.at.get(bit, {}).items():
                yield arrival, self.names.get(bit, str(bit)), bit, edge
        for name, cell in self.cells.items():
            timed = self.timing.cell(cell["type"])
            for pin, tables in timed.setup.items():
                net = cell["connections"][pin][0]
                for edge, (arrival, slew, _, _) in self.at.get(net, {}).items():
                    # A setup table is indexed by the data's and the clock's slew; the ideal clock's is 0.
                    setup = tables[edge].at(slew, 0.0) if self.registers and edge in tables else 0.0
                    yield arrival + setup, self._register(name), net, edge

    def _register(self, cell: str) -> str:
        """A register by the net that it drives, because that net has the designer's name."""
        connections = self.cells[cell]["connections"]
        outputs = self.timing.cell(self.cells[cell]["type"]).outputs
        named = (self.names[connections[pin][0]] for pin in outputs if connections.get(pin))
        return next(named, cell)

    def _trace(self, net: object, edge: str) -> list[Step]:
        steps = []
        while net is not None:
            arrival, _, source, cause = self.at[net][edge]
            cell = self.cells[self.driver[net][0]]["type"] if net in self.driver else "input"
            steps.append(Step(self.names.get(net, str(net)), cell, edge, round(arrival * self.timing.ps, 1)))
            net, edge = source, cause
        return steps[::-1]


def _net_names(module: dict) -> dict[object, str]:
    """The best name of each net: the designer's before a tool's, then the shortest."""
    names: dict[object, str] = {}
    ranked = sorted(module["netnames"].items(), key=lambda item: (item[1].get("hide_name", 0), len(item[0]), item[0]))
    for name, net in ranked:
        for i, bit in enumerate(net["bits"]):
            names.setdefault(bit, f"{name}[{i}]" if len(net["bits"]) > 1 else name)
    return names


_SENSES: dict[str, dict[str, tuple[str, ...]]] = {
    "positive_unate": {"rise": ("rise",), "fall": ("fall",)},
    "negative_unate": {"rise": ("fall",), "fall": ("rise",)},
    "non_unate": {"rise": EDGES, "fall": EDGES},
}


def _timed_cell(timing: TimingLibrary, cell: Cell) -> TimedCell:
    sequential = any(group.kind in ("ff", "latch") for group in cell.group.groups) or cell.is_clock_gate
    default = timing.library.group.number("default_input_pin_cap")
    capacitance, outputs = {}, []
    arcs: dict[str, tuple[Arc, ...]] = {}
    setup: dict[str, dict[str, Table]] = {}
    for pin in cell.pins:
        if pin.attributes.get("direction") == "output":
            outputs.append(pin.name)
            arcs[pin.name] = tuple(_arcs(timing, pin, sequential))
            if not arcs[pin.name] and "function" in pin.attributes and cell.inputs() and not cell.is_sequential:
                raise pin.lack("timing with cell_rise or cell_fall and transitions", "delay tables (NLDM) are needed")
        elif pin.attributes.get("direction") == "input":
            capacitance[pin.name] = pin.number("capacitance", default)
            for group in pin.of_kind("timing"):
                if group.attributes.get("timing_type") == "setup_rising":
                    tables = ((edge, next(group.of_kind(f"{edge}_constraint"), None)) for edge in EDGES)
                    setup[pin.name] = {edge: read_table(timing.templates, table) for edge, table in tables if table}
    return TimedCell(capacitance, tuple(outputs), arcs, setup, sequential)


def _arcs(timing: TimingLibrary, pin: Group, sequential: bool) -> Iterable[Arc]:
    for group in pin.of_kind("timing"):
        edges = _edges(group.attributes.get("timing_type", "combinational"), sequential)
        tables = {table.kind: table for table in group.groups}
        edges = tuple(edge for edge in edges if {f"cell_{edge}", f"{edge}_transition"} <= tables.keys())
        if not edges:
            continue
        sense = group.attributes.get("timing_sense", "non_unate")
        if sense not in _SENSES:
            raise group.refusal("timing_sense", sense, f"one of {', '.join(_SENSES)} is needed")
        # The clock's rise causes both edges of a register.
        causes = {edge: ("rise",) if sequential else _SENSES[sense][edge] for edge in edges}
        delay = {edge: read_table(timing.templates, tables[f"cell_{edge}"]) for edge in edges}
        slew = {edge: read_table(timing.templates, tables[f"{edge}_transition"]) for edge in edges}
        related = group.attributes.get("related_pin", "").split()
        if not related:
            raise group.lack("related_pin", "the input of its delays is needed")
        for name in related:
            yield Arc(name, causes, delay, slew)


def _edges(kind: str, sequential: bool) -> tuple[str, ...]:
    """The output edges that a timing type has delays of, as far as this account follows it."""
    if sequential:
        return EDGES if kind == "rising_edge" else ()
    return {"combinational": EDGES, "combinational_rise": ("rise",), "combinational_fall": ("fall",)}.get(kind, ())
