"""Which units are measured, how one is kept, and what they are compared with."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.synth import area
from amxfp4.synth import flow as synth
from amxfp4.synth.area import baseline_of, by_part, fed_by, measure, standard_units, symmetric_of, with_ratios
from amxfp4.synth.cells import liberty
from amxfp4.synth.flow import SynthResult
from amxfp4.synth.timing import Step, TimingReport
from amxfp4.synth.tool import Tool, ToolError

TINY = MacConfig("MXFP4", "MXFP4", 8, 1)


class Fake:
    """In place of synthesis: counts its calls; the area is the length of the Verilog."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, verilog: str, top: str, library: Any, hierarchy: bool, **options: Any) -> SynthResult:
        self.calls.append(top)
        path = (Step("a", "input", "rise", 0.0), Step("b", "", "rise", 900.0))
        size = float(len(verilog))
        return SynthResult(
            area=4 * size,
            area_unit="transistors",
            area_ge=size,
            area_registers_ge=100.0,
            flip_flops=7,
            clock_gates=2,
            delay_ps=800.0,
            timing=TimingReport(900.0, path, {"b": 900.0}),
            cells={"NAND2_X1": 3},
            parts={},
            breakdown_ge={"": 1.0, "pipeline": 2.0, "pipeline.scale0": 3.0, "pipeline.scale1": 4.0}
            if hierarchy
            else {},
            seconds=1.5,
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """With Verilog that is quickly made."""

    def text(component: Any, name: str) -> str:
        component._MustUse__used = True
        return f"module {name}; endmodule"

    fake = Fake()
    monkeypatch.setattr(synth, "synthesise", fake)
    monkeypatch.setattr(area, "verilog_text", text)
    return fake


# -- which units -----------------------------------------------------------------------------------------------------


def test_the_table_has_every_pair_at_every_number_of_lanes() -> None:
    units = standard_units()
    assert len({unit.name for unit in units}) == len(units)
    macs = [unit for unit in units if isinstance(unit, MacConfig)]
    for lanes in (1, 8, 32):
        for pair in area.PAIRS:
            accumulators = [m.accumulator for m in macs if (m.activation, m.weight, m.lanes) == (*pair, lanes)]
            expected = ["fp32"] if pair == ("MXFP4", "MXFP4") else ["exact", "fp32"]
            if pair[0] == "AMXFP4-E5M2" and lanes == 32:
                expected = ["exact"]  # two or four float32 additions do not fit into a block's one beat
            assert accumulators == expected, (pair, lanes)
    quantizers = [(unit.format, unit.lanes) for unit in units if isinstance(unit, QuantizerConfig)]
    assert {("MXFP4", 8), ("AMXFP4-E5M2", 8), ("MXFP4", 32), ("AMXFP4-E5M2", 32)} <= set(quantizers)


def test_every_unit_of_the_table_is_compared_within_the_table() -> None:
    units = standard_units()
    assert [unit.name for unit in area.with_references(units)] == [unit.name for unit in units]


def test_a_unit_brings_those_that_it_is_compared_with() -> None:
    names = [unit.name for unit in area.with_references([MacConfig("AMXFP4-E4M3", "AMXFP4", lanes=4)])]
    assert names == [
        "mac_amxfp4e4m3_x_amxfp4e5m2_l4_exact",
        "mac_mxfp4_x_mxfp4_l4_fp32",
        "mac_mxfp4e4m3_x_mxfp4e5m2_l4_exact",
    ]
    names = [unit.name for unit in area.with_references([QuantizerConfig("AMXFP4", lanes=4, rounding="nearest-even")])]
    assert names == [
        "quantizer_amxfp4e5m2_l4_bf16_even",
        "quantizer_mxfp4_l4_bf16_even",
        "quantizer_mxfp4e5m2_l4_bf16_even",
        "mac_amxfp4e5m2_x_amxfp4e5m2_l4_exact",
    ]


@pytest.mark.parametrize("lanes", [0, 3, 64])
def test_wrong_lanes_are_refused(lanes: int) -> None:
    with pytest.raises(UsageError, match=f"lanes is {lanes}; allowed are 1, 2, 4, 8, 16, 32"):
        standard_units([lanes])


@pytest.mark.parametrize(
    ("name", "single"),
    [
        ("MXFP4", "MXFP4"),
        ("AMXFP4-E8M0", "MXFP4"),
        ("AMXFP4", "MXFP4-E5M2"),
        ("AMXFP4-E4M3", "MXFP4-E4M3"),
        ("AMXFP4-X2", "MXFP4-UE5M3"),
        ("MXFP4-UE5M3", "MXFP4-UE5M3"),
    ],
)
def test_the_symmetric_format_has_the_same_scale(name: str, single: str) -> None:
    assert area.symmetric(name) == single


def test_what_a_unit_is_compared_with() -> None:
    unit = MacConfig("AMXFP4", "MXFP4-E5M2", 64, 4, "fp32")
    assert baseline_of(unit) == MacConfig("MXFP4", "MXFP4", 64, 4, "fp32")
    assert symmetric_of(unit) == MacConfig("MXFP4-E5M2", "MXFP4-E5M2", 64, 4, "fp32")
    assert fed_by(unit) is None
    quantizer = QuantizerConfig("AMXFP4", 16, 2, "float32", "nearest-even")
    assert baseline_of(quantizer) == QuantizerConfig("MXFP4", 16, 2, "float32", "nearest-even")
    assert symmetric_of(quantizer) == QuantizerConfig("MXFP4-E5M2", 16, 2, "float32", "nearest-even")
    assert fed_by(quantizer) == MacConfig("AMXFP4", "AMXFP4", 16, 2)


# -- measuring -------------------------------------------------------------------------------------------------------


def test_a_record_has_what_it_promises(fake: Fake, tmp_path: Path) -> None:
    record = measure(TINY, cache=tmp_path)
    json.dumps(record)
    size = record["area_ge"]
    assert record == {
        "name": "mac_mxfp4_x_mxfp4_l1_fp32_k8",
        "unit": "mac",
        "activation": "MXFP4",
        "weight": "MXFP4",
        "block_size": 8,
        "lanes": 1,
        "accumulator": "fp32",
        "latency": TINY.latency,
        "config": TINY.as_dict(),
        "library": "amxfp4_generic",
        "area": 4 * size,
        "area_unit": "transistors",
        "area_ge": size,
        "registers_ge": 100.0,
        "area_ge_per_mac": size,
        "flip_flops": 7,
        "clock_gates": 2,
        "cells": {"NAND2_X1": 3},
        "delay_ps": 800.0,
        "period_ps": 900.0,
        "critical_path": ["a", "b"],
        "target_ps": 1000.0,
        "ratio_to_mxfp4": None,
        "ratio_to_symmetric": None,
        "ratio_to_mac": None,
        "breakdown": {"": 1.0, "pipeline": 2.0, "pipeline.scale0": 3.0, "pipeline.scale1": 4.0},
        "seconds": 1.5,
        "cached": False,
    }
    assert area.config_of(record) == TINY


def test_a_quantisers_record(fake: Fake) -> None:
    config = QuantizerConfig("AMXFP4", 8, 2)
    record = measure(config, breakdown=False, cache=None)
    expected = ("quantizer", "AMXFP4-E5M2", None, None)
    assert (record["unit"], record["activation"], record["weight"], record["accumulator"]) == expected
    assert record["area_ge_per_mac"] == record["area_ge"] / 2
    assert record["breakdown"] is None
    assert area.config_of(record) == config


def test_a_finished_run_is_found_again(fake: Fake, tmp_path: Path) -> None:
    first, second = measure(TINY, cache=tmp_path), measure(TINY, cache=tmp_path)
    assert fake.calls == [TINY.name]
    assert second["cached"]
    assert second | {"cached": False} == first


def test_without_a_cache_nothing_is_kept(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measure(TINY, cache=None)
    measure(TINY, cache=None)
    assert len(fake.calls) == 2
    assert not list(tmp_path.iterdir())


def test_any_other_input_is_another_run(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "other.lib"
    library.write_text(liberty.GENERIC.read_text().replace("area : 24", "area : 25"))
    measure(TINY, cache=tmp_path)
    for options in ({"target_ps": 900.0}, {"library": library}):
        measure(TINY, cache=tmp_path, **options)  # type: ignore[arg-type]
    for module, name, value in ((Tool, "version", lambda tool: "9"), (area, "_flow_digest", lambda: "other")):
        monkeypatch.setattr(module, name, value)
        measure(TINY, cache=tmp_path)
    text = area.verilog_text
    monkeypatch.setattr(area, "verilog_text", lambda component, name: text(component, "other"))
    measure(TINY, cache=tmp_path)
    assert len(fake.calls) == 6


def test_a_run_with_areas_by_submodule_serves_one_without(fake: Fake, tmp_path: Path) -> None:
    whole = measure(TINY, cache=tmp_path)
    less = measure(TINY, cache=tmp_path, breakdown=False)
    assert less == whole | {"breakdown": None, "cached": True}


def test_a_run_without_areas_by_submodule_does_not_serve_one_with(fake: Fake, tmp_path: Path) -> None:
    measure(TINY, cache=tmp_path, breakdown=False)
    assert measure(TINY, cache=tmp_path)["breakdown"]
    assert len(fake.calls) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "x", "result": 0}'])
def test_a_broken_cache_file_is_written_anew(text: str, fake: Fake, tmp_path: Path) -> None:
    measure(TINY, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert not measure(TINY, cache=tmp_path)["cached"]
    assert measure(TINY, cache=tmp_path)["cached"]


def test_the_timeout_is_passed_on_and_no_part_of_the_key(fake: Fake, tmp_path: Path) -> None:
    measure(TINY, cache=tmp_path, timeout=5)
    assert measure(TINY, cache=tmp_path, timeout=6)["cached"]


def test_a_failed_run_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **options: Any) -> SynthResult:
        raise ToolError("no")

    monkeypatch.setattr(synth, "synthesise", fails)
    with pytest.raises(ToolError, match="no"):
        measure(TINY, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        measure(TINY, tmp_path / "none.lib", cache=None)


def test_what_runs_elsewhere_can_be_sent_there() -> None:
    for config in standard_units([8]):
        assert pickle.loads(pickle.dumps(config)) == config
    assert pickle.loads(pickle.dumps(measure)) is measure


# -- comparing -------------------------------------------------------------------------------------------------------


def record(config: Any, size: float, library: str = "x") -> dict[str, Any]:
    fields = config.as_dict()
    return {"name": config.name, "unit": area.unit_of(config).name, "config": fields, "library": library, "area": size}


def test_ratios() -> None:
    units = {
        MacConfig("MXFP4", "MXFP4"): 100.0,
        MacConfig("MXFP4-E5M2", "MXFP4-E5M2"): 120.0,
        MacConfig("AMXFP4", "MXFP4-E5M2"): 150.0,
        MacConfig("AMXFP4", "AMXFP4"): 180.0,
        QuantizerConfig("MXFP4"): 40.0,
        QuantizerConfig("AMXFP4"): 90.0,
    }
    found = with_ratios([record(config, size) for config, size in units.items()])
    ratios = [(r["ratio_to_mxfp4"], r["ratio_to_symmetric"], r["ratio_to_mac"]) for r in found]
    assert ratios == [
        (1.0, 1.0, None),
        (1.2, 1.0, None),
        (1.5, 1.25, None),
        (1.8, 1.5, None),
        (1.0, 1.0, 0.4),
        (2.25, None, 0.5),  # the symmetric quantiser is not among them
    ]


def test_ratios_stay_within_a_library() -> None:
    baseline, unit = MacConfig("MXFP4", "MXFP4"), MacConfig()
    found = with_ratios([record(baseline, 100.0, "x"), record(unit, 150.0, "y"), record(baseline, 50.0, "y")])
    assert [r["ratio_to_mxfp4"] for r in found] == [1.0, 3.0, 1.0]
    assert found[1]["ratio_to_symmetric"] is None


def test_the_breakdown_by_submodule() -> None:
    breakdown = {
        "": 1.0,
        "pipeline": 2.0,
        "pipeline.scale0": 3.0,
        "pipeline.scale1": 4.0,
        "pipeline.product$": 5.0,
        "pipeline.accumulator": 6.0,
        "pipeline.accumulator.rounder": 7.0,
        "pipeline.rounder": 8.0,
        "pipeline.rounder.leading": 9.0,
        "pipeline.sums.tree0": 10.0,
    }
    parts = by_part({"breakdown": breakdown})
    assert parts == {"pipeline": 3.0, "scale": 7.0, "product": 5.0, "accumulator": 6.0, "rounder": 24.0, "sums": 10.0}
    assert sum(parts.values()) == sum(breakdown.values())
    assert by_part({"breakdown": None}) == {}


def test_units_of_as_many_lanes_have_one_clock() -> None:
    """A longer one only where MXFP4's float32 accumulator has a single cycle: a block a beat."""
    for lanes in (1, 8, 16):
        assert {area.target_fo4(config) for config in area.standard_units([lanes])} == {synth.TARGET_FO4}
    wide = {area.target_fo4(config) for config in area.standard_units([32]) if isinstance(config, MacConfig)}
    assert wide == {area.ONE_CYCLE_LOOP_FO4}
