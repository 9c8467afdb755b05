"""One unit's record, and that a finished run is kept and found again."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.catalogue import standard
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.synth import area as module
from amxfp4.synth import flow
from amxfp4.synth.area import measure_area
from amxfp4.synth.cells import liberty
from amxfp4.synth.flow import SynthResult
from amxfp4.synth.record import config_of
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
    monkeypatch.setattr(flow, "synthesise", fake)
    monkeypatch.setattr(module, "verilog_text", text)
    return fake


# -- measuring -------------------------------------------------------------------------------------------------------


def test_a_record_has_what_it_promises(fake: Fake, tmp_path: Path) -> None:
    record = measure_area(TINY, cache=tmp_path)
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
        "ratio_to_window": None,
        "ratio_to_symmetric": None,
        "ratio_to_mac": None,
        "breakdown": {"": 1.0, "pipeline": 2.0, "pipeline.scale0": 3.0, "pipeline.scale1": 4.0},
        "seconds": 1.5,
        "cached": False,
    }
    assert config_of(record) == TINY


def test_a_quantisers_record(fake: Fake) -> None:
    config = QuantizerConfig("AMXFP4", 8, 2)
    record = measure_area(config, breakdown=False, cache=None)
    expected = ("quantizer", "AMXFP4-E5M2", None, None)
    assert (record["unit"], record["activation"], record["weight"], record["accumulator"]) == expected
    assert record["area_ge_per_mac"] == record["area_ge"] / 2
    assert record["breakdown"] is None
    assert config_of(record) == config


def test_a_chains_record(fake: Fake) -> None:
    config = ChainConfig(MacConfig("AMXFP4", "MXFP4-E5M2", 8, 2), input="float32")
    record = measure_area(config, breakdown=False, cache=None)
    expected = ("chain", "AMXFP4-E5M2", "MXFP4-E5M2", "exact")
    assert (record["unit"], record["activation"], record["weight"], record["accumulator"]) == expected
    assert record["latency"] == config.latency
    assert config_of(record) == config


def test_a_finished_run_is_found_again(fake: Fake, tmp_path: Path) -> None:
    first, second = measure_area(TINY, cache=tmp_path), measure_area(TINY, cache=tmp_path)
    assert fake.calls == [TINY.name]
    assert second["cached"]
    assert second | {"cached": False} == first


def test_without_a_cache_nothing_is_kept(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measure_area(TINY, cache=None)
    measure_area(TINY, cache=None)
    assert len(fake.calls) == 2
    assert not list(tmp_path.iterdir())


def test_any_other_input_is_another_run(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "other.lib"
    library.write_text(liberty.GENERIC.read_text().replace("area : 24", "area : 25"))
    measure_area(TINY, cache=tmp_path)
    for options in ({"target_ps": 900.0}, {"library": library}):
        measure_area(TINY, cache=tmp_path, **options)  # type: ignore[arg-type]
    for target, name, value in ((Tool, "version", lambda tool: "9"), (module, "_flow_digest", lambda: "other")):
        monkeypatch.setattr(target, name, value)
        measure_area(TINY, cache=tmp_path)
    text = module.verilog_text
    monkeypatch.setattr(module, "verilog_text", lambda component, name: text(component, "other"))
    measure_area(TINY, cache=tmp_path)
    assert len(fake.calls) == 6


def test_a_run_with_areas_by_submodule_serves_one_without(fake: Fake, tmp_path: Path) -> None:
    whole = measure_area(TINY, cache=tmp_path)
    less = measure_area(TINY, cache=tmp_path, breakdown=False)
    assert less == whole | {"breakdown": None, "cached": True}


def test_a_run_without_areas_by_submodule_does_not_serve_one_with(fake: Fake, tmp_path: Path) -> None:
    measure_area(TINY, cache=tmp_path, breakdown=False)
    assert measure_area(TINY, cache=tmp_path)["breakdown"]
    assert len(fake.calls) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "x", "result": 0}'])
def test_a_broken_cache_file_is_written_anew(text: str, fake: Fake, tmp_path: Path) -> None:
    measure_area(TINY, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(text)
    assert not measure_area(TINY, cache=tmp_path)["cached"]
    assert measure_area(TINY, cache=tmp_path)["cached"]


def test_the_timeout_is_passed_on_and_no_part_of_the_key(fake: Fake, tmp_path: Path) -> None:
    measure_area(TINY, cache=tmp_path, timeout=5)
    assert measure_area(TINY, cache=tmp_path, timeout=6)["cached"]


def test_a_failed_run_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **options: Any) -> SynthResult:
        raise ToolError("no")

    monkeypatch.setattr(flow, "synthesise", fails)
    with pytest.raises(ToolError, match="no"):
        measure_area(TINY, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        measure_area(TINY, tmp_path / "none.lib", cache=None)


def test_what_runs_elsewhere_can_be_sent_there() -> None:
    for config in standard(lanes=[8]):
        assert pickle.loads(pickle.dumps(config)) == config
    assert pickle.loads(pickle.dumps(measure_area)) is measure_area


def test_units_of_as_many_lanes_have_one_clock() -> None:
    """A longer one only where MXFP4's float32 accumulator has a single cycle: a block a beat."""
    for lanes in (1, 8, 16):
        assert {module.target_fo4(config) for config in standard(lanes=[lanes])} == {flow.TARGET_FO4}
    wide = [*standard("mac", [32]), ChainConfig(MacConfig(lanes=32))]
    assert {module.target_fo4(config) for config in wide} == {module.ONE_CYCLE_LOOP_FO4}
    assert {module.target_fo4(config) for config in standard("quantizer", [32])} == {flow.TARGET_FO4}
