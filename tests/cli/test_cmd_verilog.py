"""`amxfp4 verilog` as a user meets it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import command_line
from helpers.command_line import check_refused

from amxfp4.cli.config_options import explanations
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
    for unit in UNITS.values():
        texts = explanations(unit.config)
        assert all(texts.get(field.name) for field in unit.fields), unit.name
    assert call("--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "--maximum-registers INTEGER [quantizer, chain] Register ranks between the maxima of a beat" in shown
    assert "--lanes INTEGER [mac, chain] Element pairs a beat" in shown


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
        (["--standard", "--lanes", "8"], "--standard was given with --lanes; it allows only -o"),
        (["--standard", "--unit", "mac"], "--standard was given with --unit; it allows only -o"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(call(*words), *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())
