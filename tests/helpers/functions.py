"""A function of signals as a combinational component."""

from collections.abc import Callable, Mapping
from typing import Any

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class FunctionOf(wiring.Component):
    """Ports: `inputs` with their widths; `y`, `width` bits, what `function` makes of a module and them."""

    def __init__(self, inputs: Mapping[str, int], width: int, function: Callable[..., Any]) -> None:
        self.names, self.function = tuple(inputs), function
        super().__init__({**{name: In(bits) for name, bits in inputs.items()}, "y": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        found = self.function(m, *(getattr(self, name) for name in self.names))
        value = Cat(*found) if isinstance(found, tuple) else Value.cast(found)
        assert len(value) == len(self.y), f"{len(value)} bits come out"
        m.d.comb += self.y.eq(value)
        return m
