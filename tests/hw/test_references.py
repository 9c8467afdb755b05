"""The units that a unit is compared with."""

import pytest

from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format
from amxfp4.hw import references
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import unit_of


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("MXFP4", "MXFP4"),
        ("AMXFP4-E8M0", "MXFP4"),
        ("AMXFP4", "MXFP4-E5M2"),
        ("AMXFP4-E4M3", "MXFP4-E4M3"),
        ("AMXFP4-X2", "MXFP4-UE5M3"),
        ("MXFP4-UE5M3", "MXFP4-UE5M3"),
        ("AMXFP4-Z8", "MXFP4-E4M3"),
        ("AMXFP4-Z", "MXFP4-E4M3"),
        ("NVFP4", "NVFP4"),
    ],
)
def test_the_symmetric_format_has_the_same_scale(name: str, single: str) -> None:
    assert references.symmetric_format(name) == single


def test_every_format_has_a_symmetric_one() -> None:
    for name in BLOCK_FORMAT_NAMES:
        found = block_format(references.symmetric_format(name))
        assert found.scale == block_format(name).scale and not found.two_sided


def test_of_a_mac() -> None:
    config = MacConfig("AMXFP4", "MXFP4-E5M2", 64, 4, "fp32")
    unit = unit_of(config)
    assert unit.baseline(config) == MacConfig("MXFP4", "MXFP4", 64, 4, "fp32")
    assert unit.symmetric(config) == MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 64, 4, "fp32")
    assert unit.fed_by is None


def test_nvfp4_lends_its_name_to_mac_units_in_its_blocks() -> None:
    """A MAC unit has the same netlist whether its format is called NVFP4 or MXFP4-E4M3."""
    symmetric = unit_of(MacConfig()).symmetric
    assert symmetric(MacConfig("AMXFP4-Z8/16", "AMXFP4-Z8/16")) == MacConfig("NVFP4", "NVFP4")
    assert symmetric(MacConfig("AMXFP4-Z8", "MXFP4-E4M3")) == MacConfig("MXFP4-E4M3", "MXFP4-E4M3")
    assert symmetric(MacConfig("NVFP4", "AMXFP4-X2")) == MacConfig("NVFP4", "MXFP4-UE5M3")
    quantizer = QuantizerConfig("AMXFP4-Z8", 16)
    assert unit_of(quantizer).symmetric(quantizer) == QuantizerConfig("MXFP4-E4M3", 16)
    assert references.mac_behind(QuantizerConfig("MXFP4-E4M3", 16)) == MacConfig("NVFP4", "NVFP4")


def test_of_a_quantizer() -> None:
    config = QuantizerConfig("AMXFP4", 16, 2, "float32", "nearest-even")
    unit = unit_of(config)
    assert unit.baseline(config) == QuantizerConfig("MXFP4", 16, 2, "float32", "nearest-even")
    assert unit.symmetric(config) == QuantizerConfig("MXFP4-E5M2", 16, 2, "float32", "nearest-even")
    rounded = QuantizerConfig("AMXFP4-E8M0", rule="even")
    assert unit.baseline(rounded) == QuantizerConfig("MXFP4")
    assert unit.symmetric(rounded) == QuantizerConfig("MXFP4", rule="even")
    assert unit.fed_by is not None
    assert unit.fed_by(config) == MacConfig("AMXFP4", "AMXFP4", 16, 2)


def test_of_a_chain() -> None:
    config = ChainConfig(MacConfig("AMXFP4-X2", "AMXFP4", 16, 2), "float32", "nearest-even")
    unit = unit_of(config)
    assert unit.baseline(config) == ChainConfig(MacConfig("MXFP4", "MXFP4", 16, 2), "float32", "nearest-even")
    symmetric = MacConfig("MXFP4-UE5M3", "MXFP4-E5M2", 16, 2, "exact")
    assert unit.symmetric(config) == ChainConfig(symmetric, "float32", "nearest-even")
    assert unit.fed_by is None
