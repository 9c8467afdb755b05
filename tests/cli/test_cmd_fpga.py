"""`amxfp4 fpga` as a user meets it; place and route itself is in tests/synth/test_fpga.py."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import command_line
from helpers.command_line import check_refused

from amxfp4.cli import side_by_side
from amxfp4.hw.units import described
from amxfp4.synth import fpga, tool

call = partial(command_line.call, "fpga")


def fake(config: Any, failing: str = "", **options: Any) -> dict[str, Any]:
    """What `fpga.measure_fpga` gives, at once."""
    if config.name == failing:
        raise tool.ToolError(f"place and route of {config.name!r} took longer than its budget")
    return {
        **described(config),
        "ratio_to_mxfp4": None,
        "ratio_to_symmetric": None,
        "luts": 1234 * config.lanes,
        "carries": 80,
        "flip_flops": 321,
        "fmax_mhz": 61.25,
    }


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Runs are fakes, in threads."""
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(side_by_side, "processes", ThreadPoolExecutor)
    monkeypatch.setattr(fpga, "measure_fpga", fake)
    return monkeypatch


def test_the_table_of_all_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--lanes", "8") == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    records = json.loads(Path("build/fpga/fpga.json").read_text())
    macs = [record for record in records if record["unit"] == "mac"]
    assert {record["activation"] for record in macs} == {
        *("MXFP4", "MXFP4-E5M2", "AMXFP4-E5M2", "MXFP4-UE5M3", "AMXFP4-X2"),
        *("MXFP4-E4M3", "AMXFP4-Z8", "AMXFP4-Z", "NVFP4"),
    }
    assert {record["unit"] for record in records} == {"mac", "quantizer"}
    row = "| MXFP4 | MXFP4 | 8 | fp32 | 32 | 9,872 | 80 | 321 | 61.2 | 1.000 | 1.000 |"
    assert row in Path("build/fpga/fpga.md").read_text().splitlines()
    rows = [line.split() for line in shown.splitlines()]
    assert [row[4:6] for row in rows if row[:4] == ["MXFP4", "MXFP4", "8", "fp32"]] == [
        ["32", "9,872"],
        ["16", "9,872"],
    ]


def test_one_unit_comes_with_those_it_is_compared_with() -> None:
    assert call("--activation", "AMXFP4", "--weight", "MXFP4-E5M2", "--lanes", "1", "-o", "out") == 0
    names = [record["name"] for record in json.loads(Path("out/fpga.json").read_text())]
    assert names == [
        *("mac_amxfp4e5m2_x_mxfp4e5m2_l1_exact", "mac_mxfp4_x_mxfp4_l1_fp32"),
        *("mac_mxfp4_x_mxfp4_l1_window", "mac_mxfp4e5m2_x_mxfp4e5m2_l1_exact"),
    ]


def test_a_chain_comes_with_chains(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--unit", "chain", "--lanes", "1") == 0
    names = [record["name"] for record in json.loads(Path("build/fpga/fpga.json").read_text())]
    assert names == [
        "chain_amxfp4e5m2_x_amxfp4e5m2_l1_exact_bf16",
        "chain_mxfp4_x_mxfp4_l1_fp32_bf16",
        "chain_mxfp4_x_mxfp4_l1_window_bf16",
        "chain_mxfp4e5m2_x_mxfp4e5m2_l1_exact_bf16",
    ]
    assert "Chains, LFE5U-25F, speed grade 6" in capsys.readouterr().out
    row = "| MXFP4 | MXFP4 | bfloat16 | 1 | fp32 | 1,234 | 80 | 321 | 61.2 | 1.000 | 1.000 |"
    assert row in Path("build/fpga/fpga.md").read_text().splitlines()


def test_a_run_that_fails_costs_no_other(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = "mac_mxfp4_x_mxfp4_l1_fp32"
    quick.setattr(fpga, "measure_fpga", partial(fake, failing=name))
    assert call("--unit", "mac", "--lanes", "1") == 1
    assert f"error: place and route of '{name}' took longer than its budget" in capsys.readouterr().err
    records = json.loads(Path("build/fpga/fpga.json").read_text())
    assert len(records) == 23
    assert {record["ratio_to_mxfp4"] for record in records} == {None}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lanes", "3"], "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        (["--activation", "FP4"], "unknown block format 'FP4'"),
        (["--seed", "-1"], "--seed"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(call(*words), *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_is_one_line(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    quick.setattr(tool, "NEXTPNR_ECP5", tool.Tool("amxfp4-no-such-tool", "nothing:run", "fpga"))
    assert call("--lanes", "1") == 2
    assert capsys.readouterr().err == "error: amxfp4-no-such-tool is not installed; install the extra amxfp4[fpga]\n"
