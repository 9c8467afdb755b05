"""`amxfp4 verilog` as a user meets it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import command_line
from helpers.command_line import check_refused

from amxfp4.hw.catalogue import standard
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import UNITS


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command line in an empty folder and returns its exit status."""
    monkeypatch.chdir(tmp_path)
    return partial(command_line.call, "verilog")


def manifest(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    assert f"module {document['top']}(" in path.read_text()
    return document


def test_a_mac(call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--activation", "MXFP4", "--lanes", "1", "-o", "unit.v") == 0
    document = manifest(tmp_path / "unit.v")
    assert (document["unit"], document["config"]["weight"], document["config"]["lanes"]) == ("MacUnit", "MXFP4", 1)
    assert capsys.readouterr().out == f"unit.v  unit.json  latency {document['latency']['cycles']}\n"


def test_a_quantizer(call: Callable[..., int], tmp_path: Path) -> None:
    words = ["--format", "MXFP4", "--lanes", "2", "--input", "float32", "--rounding", "nearest-even"]
    assert call("--unit", "quantizer", *words) == 0
    document = manifest(tmp_path / "build/verilog/quantizer_mxfp4_l2_fp32_even.v")
    assert document["unit"] == "Quantizer"
    assert document["ports"]["i__payload"]["fields"][0] == {
        "name": "elements", "offset": 0, "width": 64, "count": 2, "element_width": 32,
    }  # fmt: skip


def test_a_chain(call: Callable[..., int], tmp_path: Path) -> None:
    assert call("--unit", "chain", "--activation", "AMXFP4-X2", "--weight", "MXFP4-UE5M3", "--lanes", "1") == 0
    document = manifest(tmp_path / "build/verilog/chain_amxfp4x2_x_mxfp4ue5m3_l1_exact_bf16.v")
    streams = {
        name: [f["name"] for f in port["fields"]] for name, port in document["ports"].items() if "fields" in port
    }
    assert streams == {
        "a__payload": ["elements", "last"],
        "w__payload": ["w_codes", "w_scales"],
        "o__payload": ["value", "nan", "overflow"],
    }
    assert document["ports"]["w__ready"]["direction"] == "output"


def test_every_field_is_explained(call: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for unit in UNITS.values():
        for option in unit.options:
            assert option.spelling in shown
    assert "--maximum-registers INTEGER [quantizer, chain] Register ranks between the maxima of a beat" in shown
    assert "--lanes INTEGER [mac, chain] Element pairs per beat: 1, 2, 4, 8, 16 or 32 (default 8)." in shown
    assert "--activation TEXT [mac, chain] Block format of the activations (default AMXFP4)." in shown
    assert "--weight TEXT [mac, chain] Block format of the weights (default: that of the activations)." in shown


def test_an_explanation_writes_nothing(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--unit", "quantizer", "--lanes", "8", "--explain") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == UNITS["quantizer"].explain(QuantizerConfig(lanes=8))
    assert "drain: 3 cycles from a block's last beat to its first beat quantised" in lines
    assert not list(tmp_path.iterdir())
    assert call("--standard", "--explain") == 0
    shown = capsys.readouterr().out
    assert all(config.name in shown for config in standard())
    assert not list(tmp_path.iterdir())


def test_an_explanation_with_files(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--unit", "chain", "--activation", "MXFP4", "--lanes", "1", "--explain", "-o", "unit.v") == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    assert "quantizer_mxfp4_l1_bf16 feeds the activations of mac_mxfp4_x_mxfp4_l1_fp32" in first
    assert last.startswith("unit.v  unit.json")
    assert manifest(tmp_path / "unit.v")["unit"] == "Chain"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--unit", "adder"], "'adder' is not one of"),
        (
            ["--unit", "quantizer", "--activation", "MXFP4"],
            "--activation is not an option of a quantizer; it has",
        ),
        (["--format", "MXFP4"], "--format is not an option of a mac; it has --activation"),
        (["--unit", "quantizer", "--format", "FP4"], "unknown block format 'FP4'"),
        (["--unit", "quantizer", "--input", "float16"], "input is 'float16'; allowed are bfloat16, float32"),
        (["--unit", "quantizer", "--rounding", "up"], "rounding is 'up'"),
        (["--lanes", "3"], "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        (["--lanes", "many"], "'many' is not a valid integer"),
        (["-o", "unit.sv"], "a name that ends in .v is needed"),
        (["--standard", "--lanes", "8"], "--standard was given with --lanes; it allows only -o and --explain"),
        (["--standard", "--unit", "mac"], "--standard was given with --unit; it allows only -o and --explain"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(call(*words), *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())
