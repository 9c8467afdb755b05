"""Runs a component in bulk as gates, and part of the same inputs in Amaranth's simulator: both must agree."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from helpers.gates import Gates

SEED = int(os.environ.get("SEED", "1"))


def generator() -> np.random.Generator:
    """Random numbers from SEED, which a failing test shows."""
    print(f"SEED={SEED}")
    return np.random.default_rng(SEED)


def evaluate(component: wiring.Component, *, simulated: int = 60, **inputs: Any) -> dict[str, Any]:
    """Outputs of a combinational component for many input sets, `simulated` of which Amaranth's simulator checks."""
    gates = Gates(component)
    outputs = gates(**inputs)
    assert not gates.flip_flops, "this component has registers"
    flat_in, flat_out = gates.flat(inputs), gates.flat(outputs)
    count = max(len(values) for values in flat_in.values())

    async def bench(context: Any) -> None:
        for index in np.linspace(0, count - 1, min(simulated, count)).astype(int):
            for name, values in flat_in.items():
                context.set(_port(component, name), int(values[index % len(values)]))
            await context.delay(1e-9)
            for name, values in flat_out.items():
                assert context.get(_port(component, name)) == values[index], f"{name} of input set {index}"

    simulator = Simulator(component)
    simulator.add_testbench(bench)
    simulator.run()
    return outputs


def run(
    component: wiring.Component, steps: Iterable[dict[str, Any]], count: int, *, simulated: int | None = None
) -> list[dict[str, Any]]:
    """Outputs of a component with registers for `count` streams of inputs side by side, cycle by cycle.

    Registers that are not reset begin with random values. Amaranth's simulator runs stream 0, where they begin with 0,
    for the first `simulated` cycles (all of them unless given).
    """
    gates = Gates(component)
    gates.reset(count, np.random.default_rng(SEED))
    inputs, outputs = [], []
    for step in steps:
        inputs.append({name: int(values[0]) for name, values in gates.flat(step).items()})
        outputs.append(gates(**step))
    expected = [{name: int(values[0]) for name, values in gates.flat(output).items()} for output in outputs[:simulated]]

    async def bench(context: Any) -> None:
        for cycle, found in enumerate(expected):
            for name, value in inputs[cycle].items():
                context.set(_port(component, name), value)
            await context.delay(1e-9)
            for name, value in found.items():
                assert context.get(_port(component, name)) == value, f"{name} in cycle {cycle}"
            await context.tick()

    simulator = Simulator(component)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return outputs


def _port(component: wiring.Component, name: str) -> Value:
    port: Any = component
    for part in name.split("__"):
        port = getattr(port, part)
    return Value.cast(port)
