"""Which units are measured together, and the ratios between them."""

from typing import Any

from amxfp4.hw.catalogue import standard
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import described
from amxfp4.synth.ratios import REFERENCES, with_ratios, with_references


def test_every_standard_unit_is_compared_with_standard_ones() -> None:
    """But for NVFP4's quantiser, whose MXFP4 rounds ties to even as NVFP4 does."""
    units = standard()
    names = [unit.name for unit in units]
    assert [unit.name for unit in with_references(units)] == [*names, "quantizer_mxfp4_l8_bf16_even_k16"]


def test_a_unit_brings_those_that_it_is_compared_with() -> None:
    names = [unit.name for unit in with_references([MacConfig("AMXFP4-E4M3", "AMXFP4", lanes=4)])]
    assert names == [
        "mac_amxfp4e4m3_x_amxfp4e5m2_l4_exact",
        "mac_mxfp4_x_mxfp4_l4_fp32",
        "mac_mxfp4_x_mxfp4_l4_window",
        "mac_mxfp4e4m3_x_mxfp4e5m2_l4_exact",
    ]
    names = [unit.name for unit in with_references([QuantizerConfig("AMXFP4", lanes=4, rounding="nearest-even")])]
    assert names == [
        "quantizer_amxfp4e5m2_l4_bf16_even",
        "quantizer_mxfp4_l4_bf16_even",
        "quantizer_mxfp4e5m2_l4_bf16_even",
        "mac_amxfp4e5m2_x_amxfp4e5m2_l4_exact",
    ]
    names = [unit.name for unit in with_references([ChainConfig(MacConfig("AMXFP4", "AMXFP4", lanes=1))])]
    assert names == [
        "chain_amxfp4e5m2_x_amxfp4e5m2_l1_exact_bf16",
        "chain_mxfp4_x_mxfp4_l1_fp32_bf16",
        "chain_mxfp4_x_mxfp4_l1_window_bf16",
        "chain_mxfp4e5m2_x_mxfp4e5m2_l1_exact_bf16",
    ]


def record(config: Any, size: float, library: str = "x") -> dict[str, Any]:
    return {**described(config), "library": library, "area": size, **dict.fromkeys(REFERENCES)}


def test_ratios() -> None:
    units = {
        MacConfig("MXFP4", "MXFP4"): 100.0,
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2"): 120.0,
        MacConfig("AMXFP4", "MXFP4-E5M2"): 150.0,
        MacConfig("AMXFP4", "AMXFP4"): 180.0,
        QuantizerConfig("MXFP4"): 40.0,
        QuantizerConfig("AMXFP4"): 90.0,
        ChainConfig(MacConfig("MXFP4", "MXFP4")): 150.0,
        ChainConfig(MacConfig("AMXFP4", "AMXFP4")): 300.0,
    }
    found = with_ratios(record(config, size) for config, size in units.items())
    ratios = [(r["ratio_to_mxfp4"], r["ratio_to_symmetric"], r["ratio_to_mac"]) for r in found]
    assert ratios == [
        (1.0, 1.0, None),
        (1.2, 1.0, None),
        (1.5, 1.25, None),
        (1.8, 1.5, None),
        (1.0, 1.0, 0.4),
        (2.25, None, 0.5),  # the symmetric quantiser is not among them
        (1.0, 1.0, None),
        (2.0, None, None),
    ]


def test_both_baselines() -> None:
    """MXFP4 with float32, and the smaller one with a window. A quantiser has no accumulator, and so one baseline."""
    units = {
        MacConfig("MXFP4", "MXFP4"): 100.0,
        MacConfig("MXFP4", "MXFP4", accumulator="window"): 80.0,
        MacConfig("AMXFP4", "AMXFP4"): 180.0,
        QuantizerConfig("AMXFP4"): 90.0,
    }
    found = with_ratios(record(config, size) for config, size in units.items())
    ratios = [(r["ratio_to_mxfp4"], r["ratio_to_window"]) for r in found]
    assert ratios == [(1.0, 1.25), (0.8, 1.0), (1.8, 2.25), (None, None)]


def test_ratios_stay_within_a_library() -> None:
    baseline, unit = MacConfig("MXFP4", "MXFP4"), MacConfig()
    found = with_ratios([record(baseline, 100.0, "x"), record(unit, 150.0, "y"), record(baseline, 50.0, "y")])
    assert [r["ratio_to_mxfp4"] for r in found] == [1.0, 3.0, 1.0]
    assert found[1]["ratio_to_symmetric"] is None


def test_other_figures_are_compared_likewise() -> None:
    """A record without a place for a ratio gets none, and one of an FPGA has no library."""
    records = [
        {**described(config), "luts": luts, "ratio_to_mxfp4": None}
        for config, luts in ((MacConfig("MXFP4", "MXFP4"), 1000), (MacConfig("AMXFP4", "MXFP4"), 1210))
    ]
    found = with_ratios(records, "luts")
    assert [r["ratio_to_mxfp4"] for r in found] == [1.0, 1.21]
    assert all("ratio_to_symmetric" not in r for r in found)
