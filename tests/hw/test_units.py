"""The units there are: which config makes which, what their options may be, and how records describe them."""

import pytest
from amaranth.hdl import Fragment
from amaranth.lib.wiring import In

from amxfp4.errors import UsageError
from amxfp4.hw.chain import Chain, ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer
from amxfp4.hw.units import UNITS, described, inputs, unit_of

CONFIGS: list[Config] = [MacConfig(lanes=2), QuantizerConfig(lanes=2), ChainConfig(lanes=2)]
KINDS = {"mac": MacUnit, "quantizer": Quantizer, "chain": Chain}


def test_every_unit_by_name() -> None:
    assert list(UNITS) == list(KINDS)
    for config, (name, component) in zip(CONFIGS, KINDS.items(), strict=True):
        unit = unit_of(config)
        assert (unit.name, unit.component) == (name, component)
        assert unit is UNITS[name]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_inputs_are_the_components_own(config: Config) -> None:
    """All streams that come in, in their order."""
    component = unit_of(config).component(config)
    Fragment.get(component, None)  # elaborated, or Amaranth complains
    members = component.signature.members
    streams = tuple(name for name, member in members.items() if member.flow == In)
    assert inputs(config) == streams
    assert [name for name in members if name not in streams] == ["o"]


def test_weights_are_as_activations_unless_given() -> None:
    configure = UNITS["mac"].configure
    assert configure({"activation": "AMXFP4-X2", "lanes": 4}) == MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=4)
    assert configure({"activation": "AMXFP4-X2", "weight": "MXFP4"}) == MacConfig("AMXFP4-X2", "MXFP4")
    assert configure({"weight": "MXFP4"}) == MacConfig(weight="MXFP4")
    assert configure({}) == MacConfig()


def test_options_of_other_units_are_refused() -> None:
    with pytest.raises(UsageError, match=r"--accumulator-bits is not an option of a quantizer; it has --format, --bl"):
        UNITS["quantizer"].configure({"accumulator_bits": 96})
    with pytest.raises(UsageError, match="--format is not an option of a mac"):
        UNITS["mac"].configure({"format": "MXFP4"})


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_described(config: Config) -> None:
    record = described(config)
    assert record["name"] == config.name and record["latency"] == config.latency
    assert UNITS[record["unit"]].config(**record["config"]) == config
    assert (record["block_size"], record["lanes"]) == (32, 2)
    assert record["activation"] == "AMXFP4-E5M2"
    nothing = isinstance(config, QuantizerConfig)
    assert (record["weight"] is None, record["accumulator"] is None) == (nothing, nothing)


def test_standard_units_are_named_once() -> None:
    names = [config.name for unit in UNITS.values() for config in unit.standard()]
    assert len(set(names)) == len(names) > 20
