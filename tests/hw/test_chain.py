"""A quantiser with a MAC unit behind it: its config. The bench in tests/sim compares what it computes."""

import pytest
from helpers.gates import Gates

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, ROUNDINGS
from amxfp4.hw.chain import Chain, ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer
from amxfp4.hw.units import UNITS


def test_it_is_a_quantizer_and_a_mac() -> None:
    config = ChainConfig(MacConfig("AMXFP4-X2", "MXFP4-UE5M3", 64, 16), input="float32", rounding="nearest-even")
    assert config.quantizer == QuantizerConfig("AMXFP4-X2", 64, 16, "float32", "nearest-even")
    assert config.latency == config.quantizer.latency + config.mac.latency
    assert config.maximum_registers == config.quantizer.maximum_registers == 1
    assert (config.lanes, config.block_size, config.beats_per_block) == (16, 64, 4)


def test_its_fields_are_the_macs_and_its_own_without_a_level_between() -> None:
    config = ChainConfig(MacConfig("MXFP4", "MXFP4-E4M3", lanes=2), input="float32")
    own = {"input": "float32", "rounding": "nearest-away", "maximum_registers": 0, "rule": "floor"}
    own |= {"tensor_scale": False}
    assert config.as_dict() == config.mac.as_dict() | own
    assert UNITS["chain"].configure(config.as_dict()) == config


@pytest.mark.parametrize("activation", BLOCK_FORMAT_NAMES)
def test_activations_are_quantised_as_by_a_quantiser_alone(activation: str) -> None:
    """Whatever is not asked for is the quantiser's own default, ties of NVFP4 among it."""
    mac = MacConfig(activation, activation, lanes=4)
    assert ChainConfig(mac).quantizer == QuantizerConfig(activation, mac.block_size, 4)


@pytest.mark.parametrize("weight", BLOCK_FORMAT_NAMES)
def test_weights_are_that_half_of_a_beat(weight: str) -> None:
    config = ChainConfig(MacConfig("AMXFP4", weight, lanes=4))
    halves = [name for name, _ in config.mac.beat_layout if name.startswith("w_")]
    assert [(name, field.shape) for name, field in config.weight_layout] == [
        (name, config.mac.beat_layout[name].shape) for name in halves
    ]


def test_it_has_no_registers_of_its_own() -> None:
    config = ChainConfig(MacConfig("AMXFP4-X2", "MXFP4", 8, 1))
    parts = Gates(Quantizer(config.quantizer)).flip_flops + Gates(MacUnit(config.mac)).flip_flops
    assert Gates(Chain(config)).flip_flops == parts


def test_names_differ() -> None:
    configs = [
        ChainConfig(MacConfig(activation, weight, block_size, lanes), input, rounding, registers)
        for activation, weight in (("AMXFP4", "AMXFP4"), ("AMXFP4", "MXFP4"), ("MXFP4", "MXFP4"))
        for block_size in (32, 64)
        for lanes in (4, 8)
        for input in ("bfloat16", "float32")
        for rounding in ROUNDINGS
        for registers in (0, 1)
    ]
    assert len({config.name for config in configs}) == len(configs)
    assert all(config.name.isidentifier() for config in configs)


@pytest.mark.parametrize(
    ("arguments", "says"),
    (
        ({"input": "float16"}, "input is 'float16'; allowed are bfloat16, float32"),
        ({"rounding": "up"}, "rounding is 'up'"),
        ({"maximum_registers": 2}, "maximum_registers is 2"),
        ({"mac": "AMXFP4"}, "mac is 'AMXFP4'; a MacConfig is needed"),
    ),
)
def test_what_cannot_be_built(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ChainConfig(**arguments)  # type: ignore[arg-type]
