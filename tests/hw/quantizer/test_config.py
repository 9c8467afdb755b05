"""What can be built, and what its config says of it."""

from typing import Any

import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig


@pytest.mark.parametrize(
    "arguments, text",
    (
        ({"format": "FP4"}, "unknown block format 'FP4'"),
        ({"lanes": 3}, "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        ({"lanes": True}, "lanes is True; allowed are 1, 2, 4, 8, 16, 32"),
        ({"lanes": 32, "block_size": 16}, "lanes is 32; at most block_size = 16 is allowed"),
        ({"block_size": 24}, "block_size is 24; allowed are 8, 16, 32, 64, 128"),
        ({"input": "float16"}, "input is 'float16'; allowed are bfloat16, float32"),
        ({"rounding": "up"}, "rounding is 'up'; allowed are nearest-away, nearest-even"),
        ({"maximum_registers": 2}, "maximum_registers is 2; allowed are 0, 1"),
        ({"tensor_scale": 1}, "tensor_scale is 1; allowed are False, True"),
        ({"format": "MXFP4", "tensor_scale": True}, "tensor_scale is True; MXFP4 allows only False"),
        ({"rule": "four-over-six"}, "rule is 'four-over-six'; a quantiser of AMXFP4-E5M2 has only the rule nearest"),
        ({"rule": "even"}, "rule 'even' is not one for AMXFP4-E5M2; it is one of nearest, four-over-six"),
        ({"format": "MXFP4", "rule": "nearest"}, "rule 'nearest' is not one for MXFP4; it is one of floor, even, ceil"),
    ),
)
def test_what_cannot_be_built(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as error:
        QuantizerConfig(**arguments)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_layouts() -> None:
    config = QuantizerConfig("AMXFP4", lanes=4, input="float32")
    assert [(name, field.offset, field.width) for name, field in config.beat_layout] == [
        ("elements", 0, 128),
        ("last", 128, 1),
    ]
    assert [(name, field.offset, field.width) for name, field in config.output_layout] == [
        ("codes", 0, 16),
        ("scales", 16, 14),
        ("last", 30, 1),
    ]


@pytest.mark.parametrize(
    "format, exponent, fraction",
    (("AMXFP4", 6, 5), ("AMXFP4-E4M3", 5, 6), ("MXFP4", 8, 3), ("MXFP4-UE5M3", 6, 6), ("AMXFP4-X2", 6, 6)),
)
def test_a_held_element_is_narrow(format: str, exponent: int, fraction: int) -> None:
    """The width does not depend on the input. Ties to even need one bit more."""
    for input in ("bfloat16", "float32"):
        config = QuantizerConfig(format, input=input)
        assert (config.exponent_bits, config.fraction_bits) == (exponent, fraction)
        assert QuantizerConfig(format, input=input, rounding="nearest-even").fraction_bits == fraction + 1


def test_a_maximum_of_another_rule_is_a_bit_wider() -> None:
    widths = [QuantizerConfig("MXFP4", input="float32", rule=rule).maximum_bits for rule in ("floor", "even", "ceil")]
    assert widths == [8, 9, 9]
    assert QuantizerConfig("MXFP4").rule == "floor" and QuantizerConfig("AMXFP4").rule == "nearest"


def test_a_maximum_that_may_be_halved_is_a_bit_wider() -> None:
    """The bit is sticky: a side that equals the limit is halved, and one that exceeds it by anything is not."""
    for format, rounding, bits in (
        ("AMXFP4-X2", "nearest-away", 13),
        ("AMXFP4-X2", "nearest-even", 13),
        ("MXFP4-UE5M3", "nearest-away", 12),
        ("MXFP4-UE5M3", "nearest-even", 13),
    ):
        assert QuantizerConfig(format, rounding=rounding).maximum_bits == bits


@pytest.mark.parametrize("format", BLOCK_FORMAT_NAMES)
def test_a_beat_is_a_macs_operand(format: str) -> None:
    """The fields of an output beat are those of the MAC unit's operand, in the same order."""
    quantizer, mac = QuantizerConfig(format), MacConfig(format, format)
    output = {name: field.shape for name, field in quantizer.output_layout if name != "last"}
    operand = {name[2:]: field.shape for name, field in mac.beat_layout if name.startswith("a_")}
    assert list(output.items()) == list(operand.items())


def test_a_tensors_scale_comes_with_each_beat_and_takes_a_cycle() -> None:
    config = QuantizerConfig("NVFP4", lanes=4)
    assert [(name, field.offset, field.width) for name, field in config.beat_layout] == [
        ("elements", 0, 64),
        ("reciprocal", 64, 32),
        ("last", 96, 1),
    ]
    plain = QuantizerConfig("NVFP4", lanes=4, tensor_scale=False)
    assert "reciprocal" not in dict(plain.beat_layout)
    assert (config.drain, config.held_beats) == (plain.drain + 1, plain.held_beats)
    assert not QuantizerConfig("AMXFP4-Z8").tensor_scale


@pytest.mark.parametrize("registers", (0, 1))
def test_latency(registers: int) -> None:
    config = QuantizerConfig(lanes=8, maximum_registers=registers)
    assert (config.held_beats, config.drain, config.latency) == (4 + registers, 2 + registers, 5 + registers)


def test_names_differ() -> None:
    configs = [
        QuantizerConfig(format, block_size, lanes, input, rounding, registers)
        for format in BLOCK_FORMAT_NAMES
        for block_size in (32, 64)
        for lanes in (4, 8)
        for input in ("bfloat16", "float32")
        for rounding in ("nearest-away", "nearest-even")
        for registers in (0, 1)
    ]
    configs += [QuantizerConfig("MXFP4", lanes=lanes, rule=rule) for lanes in (4, 8) for rule in ("even", "ceil")]
    configs += [QuantizerConfig("MXFP4", lanes=4, rounding="nearest-even", rule=rule) for rule in ("even", "ceil")]
    configs += [QuantizerConfig("NVFP4", tensor_scale=scaled) for scaled in (False, True)]
    configs += [QuantizerConfig("AMXFP4", lanes=2, tensor_scale=scaled) for scaled in (False, True)]
    names = {config.name for config in configs}
    assert len(names) == len(configs)
    assert all(name.isidentifier() and name.islower() for name in names)
    assert QuantizerConfig("AMXFP4").name == "quantizer_amxfp4e5m2_l8_bf16"


def test_a_config_comes_back_from_its_fields() -> None:
    config = QuantizerConfig("MXFP4-E4M3", 64, 16, "float32", "nearest-even")
    assert QuantizerConfig(**config.as_dict()) == config
