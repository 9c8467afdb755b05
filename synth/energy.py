"""Energy of a mapped netlist from its toggles and its library's power tables.

| what toggles | what it costs |
|--------------|---------------|
| a net | half C V^2 for the pins that hang on it, without wires, and its driver's internal energy |
| an input pin that has internal energy, such as a flip-flop's clock | that energy |

Internal energies are averages over rise and fall, causes and states, at the slew of a fan-out-of-4 inverter and the
net's own load. The clock toggles twice per cycle. Behind a clock gate it toggles only in cycles that the gate lets
through. There are no glitches, no leakage and no clock tree: this is an estimate, for comparing units with each other.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from amxfp4.errors import UsageError
from amxfp4.synth.cells import units
from amxfp4.synth.cells.liberty import Cell, Library
from amxfp4.synth.cells.tables import Table, read_table, templates
from amxfp4.synth.mapped import MappedNetlist
from amxfp4.synth.timing import timing_library


@dataclass(frozen=True)
class Energy:
    """Femtojoules per cycle and stimulus.

    Attributes:
        logic: Nets and cells of the logic.
        registers: Outputs of registers.
        clock: The clock, with its gates and the registers' clock pins.
    """

    logic: float
    registers: float
    clock: float

    @property
    def total(self) -> float:
        return self.logic + self.registers + self.clock


def of_toggles(mapped: MappedNetlist, library: Library) -> Energy:
    """The energy of the toggles that a netlist has counted.

    Args:
        mapped: A netlist that has run.
        library: The library of its cells.

    Raises:
        UsageError: The library has no power tables.
        ValueError: No cycle was counted.
    """
    if not mapped.counted:
        raise ValueError("no cycle was counted; set `count` before running the netlist")
    power = _Power(library)
    loads = _loads(mapped, library)
    energy = {"logic": 0.0, "registers": 0.0, "clock": 0.0}
    clock_nets = _clock_toggles(mapped)
    for name, (cell, pins) in mapped.cells.items():
        kind = "registers" if cell.is_flip_flop else "clock" if cell.is_clock_gate else "logic"
        for pin, net in pins.items():
            if not isinstance(net, int):
                continue
            toggles = clock_nets.get(net, mapped.toggles[net])
            if not toggles:
                continue
            where = "clock" if net in clock_nets else kind
            if mapped.driver.get(net) == name:
                energy[where] += toggles * (power.output(cell, pin, loads[net]) + power.charge(loads[net]))
            else:
                energy[where] += toggles * power.input(cell, pin)
    for net in {bit for port in mapped.inputs for bit in mapped.ports[port]["bits"]}:
        energy["logic"] += mapped.toggles[net] * power.charge(loads[net])
    for net, toggles in clock_nets.items():
        if net not in mapped.driver:
            energy["clock"] += toggles * power.charge(loads[net])
    return Energy(**{kind: round(value / mapped.counted, 4) for kind, value in energy.items()})


def _clock_toggles(mapped: MappedNetlist) -> dict[int, int]:
    """Clock net -> toggles of all stimuli together."""
    found = dict.fromkeys(mapped.ports.get(mapped.clock, {"bits": []})["bits"], 2 * mapped.counted)
    for gate, ticks in mapped.ticks.items():
        cell, pins = mapped.cells[gate]
        found |= {net: 2 * ticks for pin in cell.outputs() if isinstance(net := pins[pin], int)}
    return found


def _loads(mapped: MappedNetlist, library: Library) -> dict[int, float]:
    """Net -> capacitance of the pins that it drives, in the library's unit; an output port is a register's input."""
    timed = timing_library(library)
    loads: dict[int, float] = defaultdict(float)
    for cell, pins in mapped.cells.values():
        for pin, capacitance in timed.cell(cell.name).capacitance.items():
            if isinstance(net := pins.get(pin), int):
                loads[net] += capacitance
    port = next(iter(timed.cell(library.flip_flop.name).capacitance.values()))
    for name in mapped.outputs:
        for bit in mapped.ports[name]["bits"]:
            loads[bit] += port
    return loads


class _Power:
    """Energies in fJ."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.templates = templates(library.group)
        self.unit = library.femtofarads * units.volts(library.group) ** 2
        """Of internal energy, in fJ: the unit of capacitance times that of voltage squared."""
        self.slew = timing_library(library).fo4_slew
        self._inputs: dict[tuple[str, str], float] = {}
        self._outputs: dict[tuple[str, str], list[Table]] = {}
        if not any(self._tables(cell, pin) for cell in (library.inverter, library.nand2) for pin in cell.outputs()):
            raise UsageError(f"library {library.name!r} has no internal_power; one with power tables is needed")
        if "nom_voltage" not in library.group.attributes:
            raise library.group.lack("nom_voltage", "the voltage of its tables is needed")
        self.volts = library.group.number("nom_voltage") * units.volts(library.group)

    def charge(self, load: float) -> float:
        """Half C V^2."""
        return 0.5 * load * self.library.femtofarads * self.volts**2

    def output(self, cell: Cell, pin: str, load: float) -> float:
        tables = self._tables(cell, pin)
        return self.unit * sum(table.at(self.slew, load) for table in tables) / max(len(tables), 1)

    def input(self, cell: Cell, pin: str) -> float:
        key = cell.name, pin
        if key not in self._inputs:
            tables = self._tables(cell, pin)
            average = sum(table.at(self.slew, 0.0) for table in tables) / max(len(tables), 1)
            self._inputs[key] = self.unit * average
        return self._inputs[key]

    def _tables(self, cell: Cell, pin: str) -> list[Table]:
        key = cell.name, pin
        if key not in self._outputs:
            group = next(group for group in cell.pins if group.name == pin)
            self._outputs[key] = [
                read_table(self.templates, table)
                for power in group.of_kind("internal_power")
                for table in power.groups
                if table.kind in ("rise_power", "fall_power", "power")
            ]
        return self._outputs[key]
