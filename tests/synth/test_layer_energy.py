"""A layer through mapped gates: every output compared, a fault noticed."""

import numpy as np
import pytest

from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.layer.layer import Layer, synthetic_layer
from amxfp4.synth import energy, flow, layer_energy
from amxfp4.synth.cells import liberty
from amxfp4.synth.mapped import MappedNetlist

SMALL = Layer("small", np.random.default_rng(1).normal(size=(9, 64)), np.random.default_rng(2).normal(size=(20, 64)))


def test_a_sample_is_even() -> None:
    part = layer_energy.sample(SMALL, 16)
    assert part.activations.shape == (4, 64)
    assert part.weights.shape == (4, 64)
    assert (part.activations[0] == SMALL.activations[0]).all()
    assert (part.activations[-1] == SMALL.activations[-1]).all()
    assert layer_energy.sample(synthetic_layer(1), 128).outputs == 121
    assert layer_energy.sample(SMALL, 10**6).outputs == 180


def test_wires_have_a_bit_for_each_stimulus() -> None:
    words = np.array([[1, 0], [3, 0], [0, 1]], np.uint32)
    assert layer_energy.wires(words, 34) == [0b011, 0b010, *[0] * 30, 0b100, 0]


@pytest.mark.full
@pytest.mark.parametrize("config", [MacConfig("MXFP4", "MXFP4", 8, 1), MacConfig("AMXFP4", "AMXFP4", 32, 8)])
def test_a_layer_through_the_gates(config: MacConfig) -> None:
    layer = Layer("small", SMALL.activations.astype(np.float32), SMALL.weights.astype(np.float32))
    record = layer_energy.measure_energy(layer, config)
    assert record["mismatches"] == 0
    assert record["outputs"] > 100
    assert record["cycles"] == 64 // config.lanes
    total = record["logic"] + record["registers"] + record["clock"]
    assert record["energy_per_mac"] == pytest.approx(total / config.lanes, abs=1e-3)
    assert min(record["logic"], record["registers"], record["clock"]) > 1


@pytest.mark.full
def test_a_wrong_gate_gives_wrong_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One exclusive-or is exchanged for its opposite."""
    original = MappedNetlist.__init__

    def broken(self: MappedNetlist, netlist: dict, top: str, library: liberty.Library, stimuli: int) -> None:
        cells = netlist["modules"][top]["cells"]
        for cell in [cell for cell in cells.values() if cell["type"] == "XOR2_X1"][:1]:
            cell["type"] = "XNOR2_X1"
        original(self, netlist, top, library, stimuli)

    monkeypatch.setattr(MappedNetlist, "__init__", broken)
    layer = Layer("small", SMALL.activations.astype(np.float32), SMALL.weights.astype(np.float32))
    assert layer_energy.measure_energy(layer, MacConfig("MXFP4", "MXFP4", 8, 1))["mismatches"] > 0


def test_what_it_stands_on() -> None:
    """The generic library has power tables, so the command works with no other."""
    library = liberty.read(liberty.GENERIC)
    assert energy._Power(library).charge(2.0) == 1.0
    assert flow.default_target_ps(library) == 1000
