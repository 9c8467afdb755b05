"""The descriptors of units: options, configs from them, and what a record says."""

import pytest
from amaranth.hdl import Fragment
from amaranth.lib.wiring import In

from amxfp4.errors import UsageError
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import UNITS, Unit, described, unit_of

ALL = pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))


@ALL
def test_a_config_from_its_own_fields(unit: Unit) -> None:
    config = unit.config()
    assert unit_of(config) is unit
    assert unit.configure({}) == config
    assert unit.configure(config.as_dict()) == config
    assert [option.name for option in unit.options] == list(config.as_dict())


@ALL
def test_inputs_are_the_components_own(unit: Unit) -> None:
    """All streams that come in, in their order."""
    component = unit.component(unit.config())
    Fragment.get(component, None)  # Amaranth warns of components that nothing is made of
    members = component.signature.members
    streams = tuple(name for name, member in members.items() if member.flow == In)
    assert unit.inputs == streams
    assert [name for name in members if name not in streams] == ["o"]


@ALL
def test_every_option_is_a_sentence_and_has_a_type(unit: Unit) -> None:
    for option in unit.options:
        assert option.help[0].isupper() and option.help.endswith("."), option
        value = unit.config().as_dict()[option.name]
        assert value is None or type(value) is option.kind
        assert option.default is None or type(option.default) is option.kind


@ALL
def test_a_table_tells_units_apart(unit: Unit) -> None:
    assert set(unit.columns) <= set(unit.config().as_dict())
    assert "lanes" in unit.columns


@ALL
def test_references_are_units_of_the_same_kind_or_what_it_feeds(unit: Unit) -> None:
    config = unit.config()
    kinds = [unit_of(reference) for reference in unit.references(config)]
    # A quantiser has no accumulator, and so one baseline, and the MAC unit that it feeds.
    assert kinds == ([unit, unit, UNITS["mac"]] if unit.name == "quantizer" else [unit, unit, unit])
    for reference in (unit.baseline, unit.windowed or unit.baseline, unit.symmetric):
        assert reference(reference(config)) == reference(config), "its own reference"


@ALL
def test_an_explanation_names_the_unit_and_its_latency(unit: Unit) -> None:
    config = unit.config()
    lines = unit.explain(config)
    assert lines[0].startswith(config.name)
    assert f"{config.latency} cycles" in " ".join(lines)
    assert all(len(line) < 250 and line == line.strip() for line in lines)


def test_options_of_a_chain_are_the_macs_and_its_own() -> None:
    names = [option.name for option in UNITS["chain"].options]
    assert names == [option.name for option in UNITS["mac"].options] + [
        *("input", "rounding", "maximum_registers", "rule", "tensor_scale"),
    ]
    given = {"activation": "MXFP4", "lanes": 2, "input": "float32"}
    assert UNITS["chain"].configure(given) == ChainConfig(MacConfig("MXFP4", "MXFP4", lanes=2), "float32")


def test_weights_have_the_activations_format_unless_given() -> None:
    assert UNITS["mac"].configure({"activation": "MXFP4"}) == MacConfig("MXFP4", "MXFP4")
    assert UNITS["mac"].configure({"weight": "MXFP4"}) == MacConfig("AMXFP4", "MXFP4")


def test_another_units_field_is_refused() -> None:
    says = "--accumulator-bits is not an option of a quantizer; it has --format, --block-size"
    with pytest.raises(UsageError, match=says):
        UNITS["quantizer"].configure({"accumulator_bits": 3})


def test_what_a_record_says_of_a_unit() -> None:
    config = QuantizerConfig("MXFP4", 16, 2)
    assert described(config) == {
        "name": config.name,
        "unit": "quantizer",
        "activation": "MXFP4",
        "weight": None,
        "block_size": 16,
        "lanes": 2,
        "accumulator": None,
        "latency": config.latency,
        "config": config.as_dict(),
    }
    chain = described(ChainConfig(MacConfig("MXFP4", "MXFP4-E5M2")))
    assert (chain["unit"], chain["activation"], chain["weight"], chain["accumulator"]) == (
        *("chain", "MXFP4", "MXFP4-E5M2", "fp32"),
    )
