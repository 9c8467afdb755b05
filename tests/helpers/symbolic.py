"""A combinational component's gates over z3 bit-vectors, and floats as exact integers: what proofs are made of."""

from typing import Any

import z3
from amaranth.lib import wiring

from helpers.gates import Gates

FRACTION_BITS = 23
EXPONENT_BITS = 8
LEAST_EXPONENT = -149
"""Every float32 is a multiple of 2 to this power."""
EXACT_BITS = 320
"""Room for every float32 and every threshold in units of 2^`UNIT`."""
UNIT = LEAST_EXPONENT - 1
"""One below, as a float's significand is shifted by its exponent field, which is at least 1."""


class SymbolicGates(Gates):
    """Outputs as expressions over symbolic inputs."""

    def expressions(self, **inputs: Any) -> dict[str, Any]:
        """Each output as a bit-vector; inputs are bit-vectors of their ports' widths."""
        values: dict[int, Any] = {}
        for name, value in inputs.items():
            bits = self._ports[name]["bits"]
            assert value.size() == len(bits), f"{name} has {len(bits)} bits"
            values |= {net: z3.Extract(index, index, value) for index, net in enumerate(bits)}
        one = z3.BitVecVal(1, 1)
        self._evaluate(values, one)
        outputs = {}
        for name, port in self._ports.items():
            if port["direction"] == "output":
                bits = [values[net] if isinstance(net, int) else z3.BitVecVal(int(net), 1) for net in port["bits"]]
                outputs[name] = z3.Concat(*reversed(bits)) if len(bits) > 1 else bits[0]
        return outputs


def expressions(component: wiring.Component, **inputs: Any) -> dict[str, Any]:
    """Outputs of a combinational component as expressions over its inputs."""
    return SymbolicGates(component).expressions(**inputs)


def wide(value: Any) -> Any:
    """A bit-vector, zero extended to `EXACT_BITS`."""
    return z3.ZeroExt(EXACT_BITS - value.size(), value)


def floating(fraction: Any, field: Any) -> tuple[Any, Any]:
    """Significand and exponent of a float whose field 0 means no hidden bit and the weight of field 1."""
    subnormal = field == 0
    hidden = z3.If(subnormal, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))
    return wide(z3.Concat(hidden, fraction)), wide(z3.If(subnormal, z3.BitVecVal(1, field.size()), field))


def float32_magnitude(bits: Any) -> Any:
    """|x| of a finite float32 as an exact integer in units of 2^`UNIT`: significand x 2^field."""
    significand, field = floating(z3.Extract(FRACTION_BITS - 1, 0, bits), z3.Extract(30, FRACTION_BITS, bits))
    return significand << field


def is_finite(bits: Any) -> Any:
    return z3.Extract(30, FRACTION_BITS, bits) != (1 << EXPONENT_BITS) - 1


def blind(bits: Any, at: int) -> Any:
    """The same bits but one, which reads as zero: what a netlist with a missing wire would see."""
    return bits & ~z3.BitVecVal(1 << at, bits.size())
