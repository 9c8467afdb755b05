"""A mapped netlist, run cycle by cycle for many stimuli at once.

What a cell does is taken from its library, so that this account of the mapped gates owes nothing to the tools that made
them. Every net is one Python integer with one bit per stimulus: a gate costs a few operations for all stimuli together.
There are no delays: a net changes at most once per cycle, and glitches are not seen.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from amxfp4.errors import UsageError
from amxfp4.synth.cells.expressions import python
from amxfp4.synth.cells.liberty import Cell, Library
from amxfp4.synth.cells.liberty_text import Group

Net = int | str
"""A bit as yosys' `write_json` has it: a number, or a constant "0", "1" or "x"."""
Evaluate = Callable[[dict[str, int], int], None]


class MappedNetlist:
    """A flat netlist of a library's cells, with one clock.

    Ports go by their Verilog names. A port's value is a list of integers: one per wire, from the least, with one bit
    per stimulus. Registers begin at 0.

    Args:
        netlist: As yosys' `write_json` has it.
        top: The module that is run.
        library: Where its cells come from.
        stimuli: How many run side by side.
        clock: The clock's port.

    Raises:
        UsageError: The library does not give a cell's function, or the clock passes through something else than gates.
        ValueError: A cell is not in the library.
    """

    def __init__(
        self, netlist: dict[str, Any], top: str, library: Library, stimuli: int = 1, clock: str = "clk"
    ) -> None:
        module = netlist["modules"][top]
        self.ports: dict[str, dict[str, Any]] = module["ports"]
        self.inputs = [n for n, port in self.ports.items() if port["direction"] == "input" and n != clock]
        self.outputs = [n for n, port in self.ports.items() if port["direction"] == "output"]
        self.clock = clock
        self.stimuli = stimuli
        self.ones = (1 << stimuli) - 1
        self.driver: dict[int, str] = {}
        """Net -> the cell that drives it."""
        self.cells: dict[str, tuple[Cell, dict[str, Net]]] = {}
        """Instance -> its cell, and the net at each pin."""
        for name, instance in module["cells"].items():
            if instance["type"] == "$scopeinfo":
                continue
            if instance["type"] not in library.cells:
                raise ValueError(f"{name!r} is a {instance['type']!r}; library {library.name!r} has no such cell")
            cell = library.cells[instance["type"]]
            pins = {pin: bits[0] for pin, bits in instance["connections"].items() if bits}
            self.cells[name] = cell, pins
            self.driver |= {pins[pin]: name for pin in cell.outputs() if isinstance(pins.get(pin), int)}
        self._registers = [name for name, (cell, _) in self.cells.items() if cell.is_flip_flop]
        self.toggles: Counter[int] = Counter()
        """Net -> changes from one cycle to the next, of all stimuli together, while `count` is set."""
        self.ticks: Counter[str] = Counter()
        """Clock gate -> cycles in which it lets the clock through, likewise."""
        self.counted = 0
        """Cycles counted, times stimuli."""
        self.count = False
        self._evaluate = self._compile_gates()
        self._advance = self._compile_registers()
        self.values: dict[str, int] = dict.fromkeys((_state(i) for i in range(len(self._registers))), 0)
        self.values |= {_text(bit): 0 for name in self.inputs for bit in self.ports[name]["bits"]}

    def randomise(self, seed: int) -> None:
        """Puts the registers into random states, others in each stimulus, as a chip powers up."""
        rng = random.Random(seed)
        self.values |= {_state(i): rng.getrandbits(self.stimuli) for i in range(len(self._registers))}

    def step(self, inputs: Mapping[str, list[int]]) -> dict[str, list[int]]:
        """Applies the inputs, reads the outputs, then lets the clock rise.

        Args:
            inputs: Value of each input port but the clock.

        Returns:
            Value of each output port.
        """
        before = dict(self.values) if self.count else {}
        for name in self.inputs:
            self.values.update(zip(map(_text, self.ports[name]["bits"]), inputs[name], strict=True))
        self._evaluate(self.values, self.ones)
        if self.count:
            self._count(before)
        found = {name: [self._value(bit) for bit in self.ports[name]["bits"]] for name in self.outputs}
        self._advance(self.values, self.ones)
        return found

    def _count(self, before: dict[str, int]) -> None:
        for name, value in self.values.items():
            if name[0] == "n" and (changed := value ^ before.get(name, value)):
                self.toggles[int(name[1:])] += changed.bit_count()
        for gate, (cell, _) in self.cells.items():
            if cell.is_clock_gate:
                self.ticks[gate] += eval(self._enable(gate), {"M": self.ones}, self.values).bit_count()
        self.counted += self.stimuli

    def _value(self, bit: Net) -> int:
        return self.values[_text(bit)] if isinstance(bit, int) else self.ones * (bit == "1")

    # -- from cells to Python ------------------------------------------------------------------------------------------

    def _compile_gates(self) -> Evaluate:
        """Every gate's output from inputs and register states, those that others need first."""
        formulas: dict[int, tuple[str, list[int]]] = {}
        for index, name in enumerate(self._registers):
            cell, pins = self.cells[name]
            states = dict(zip(_flip_flop(cell).names, (_state(index), f"(M ^ {_state(index)})"), strict=False))
            for pin in cell.outputs():
                if isinstance(pins.get(pin), int):
                    formulas[pins[pin]] = _expression(_pin(cell, pin), "function", states), []  # type: ignore[index]
        for cell, pins in self.cells.values():
            if cell.is_flip_flop or cell.is_clock_gate:
                continue
            names = {pin: _text(net) for pin, net in pins.items()}
            needs = [net for pin in cell.inputs() if isinstance(net := pins[pin], int)]
            for pin in cell.outputs():
                if isinstance(pins.get(pin), int):
                    formulas[pins[pin]] = _expression(_pin(cell, pin), "function", names), needs  # type: ignore[index]
        lines = [f"{_text(net)} = {formulas[net][0]}" for net in _ordered(formulas)]
        return _compiled(lines, [_text(net) for net in formulas])

    def _compile_registers(self) -> Evaluate:
        """Every register's next state. A register behind a clock gate follows only where the gate is enabled."""
        lines = []
        for index, name in enumerate(self._registers):
            cell, pins = self.cells[name]
            ff = _flip_flop(cell)
            names = {pin: _text(net) for pin, net in pins.items()}
            following = _expression(ff, "next_state", names)
            clock = ff.attributes.get("clocked_on", "").strip("() ")
            if clock not in pins:
                raise ff.refusal("clocked_on", clock, "a pin of the cell, not inverted, is needed")
            gate = self.driver.get(pins[clock])  # type: ignore[arg-type]
            if gate is not None:
                enable = self._enable(gate)
                following = f"(({following}) & {enable}) | ({_state(index)} & (M ^ {enable}))"
            lines.append(f"t{index} = {following}")
        states = [_state(index) for index in range(len(self._registers))]
        lines += [f"{state} = t{index}" for index, state in enumerate(states)]
        return _compiled(lines, states)

    def _enable(self, gate: str) -> str:
        """The enable of a clock gate, which its latch takes while the clock is low."""
        cell, pins = self.cells[gate]
        if not cell.is_clock_gate:
            raise UsageError(f"the clock passes through {gate!r}, a {cell.name!r}, which is no clock gate")
        enables = [p.name for p in cell.pins if p.attributes.get("clock_gate_enable_pin", "false").lower() == "true"]
        tests = [p.name for p in cell.pins if p.attributes.get("clock_gate_test_pin", "false").lower() == "true"]
        return "(" + " | ".join(_text(pins[pin]) for pin in (*enables, *tests) if pin in pins) + ")"


def _pin(cell: Cell, name: str) -> Group:
    return next(group for group in cell.pins if group.name == name)


def _flip_flop(cell: Cell) -> Group:
    found = list(cell.group.of_kind("ff"))
    if len(found) != 1:
        raise cell.group.lack("single ff group", "a register with one state is needed")
    return found[0]


def _expression(group: Group, attribute: str, names: Mapping[str, str]) -> str:
    """An attribute's boolean expression in Python."""
    text = group.attributes.get(attribute)
    if text is None:
        raise group.lack(attribute, "what the cell computes is needed")
    try:
        return python(text, names, "M")
    except (ValueError, KeyError):
        raise group.refusal(attribute, text, f"an expression of {', '.join(names)} is needed") from None


def _text(net: Net) -> str:
    return f"n{net}" if isinstance(net, int) else ("M" if net == "1" else "0")


def _state(index: int) -> str:
    return f"s{index}"


def _ordered(formulas: Mapping[int, tuple[str, list[int]]]) -> list[int]:
    """The nets, each behind all that it needs."""
    order: dict[int, None] = {}
    for net in formulas:
        stack = [net]
        while stack:
            pending = [n for n in formulas[stack[-1]][1] if n in formulas and n not in order]
            if not pending:
                order[stack.pop()] = None
                continue
            if len(stack) > 8 * len(formulas):  # a cell has no more inputs than that
                raise ValueError("the netlist has a combinational loop")
            stack += pending
    return list(order)


def _compiled(lines: list[str], kept: list[str]) -> Evaluate:
    """A function of the values by name, and all ones, that runs the lines and keeps the names given."""
    defined = {line.split(" = ")[0] for line in lines}
    used = {word for line in lines for word in re.findall(r"[nst]\d+", line.split(" = ", 1)[1])}
    # Inputs come from outside, and so do states, which are rewritten last.
    outside = sorted(word for word in used if word not in defined or word[0] == "s")
    body = [f"{word} = v[{word!r}]" for word in outside] + lines
    body.append("v.update({" + ", ".join(f"{name!r}: {name}" for name in kept) + "})")
    scope: dict[str, Any] = {}
    exec("def run(v, M):\n" + "\n".join(f" {line}" for line in body), scope)
    run: Evaluate = scope["run"]
    return run
