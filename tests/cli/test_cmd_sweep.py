"""`amxfp4 sweep` as a user meets it."""

import csv
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from helpers import command_line
from helpers.command_line import check_refused

from amxfp4.synth import sweep
from amxfp4.synth.area import measure_area
from amxfp4.synth.record import config_of
from amxfp4.synth.tool import ToolError

call = partial(command_line.call, "sweep")

SMALL = ("--pair", "MXFP4", "--lanes", "1")


def fake(config: Any, library: Any, sources: str, failing: str = "", **options: Any) -> dict[str, Any]:
    """What `sweep.run` gives, at once."""
    if config.name == failing:
        raise ToolError(f"synthesis of {config.name!r} took longer than its budget")
    cost = {"area": 10.0 * config.lanes, "area_ge": 12.5 * config.lanes + config.front_registers}
    numbers = ("registers_ge", "flip_flops", "clock_gates", "delay_ps", "period_ps", "area_ge_per_mac")
    return {
        "name": config.name,
        "unit": "mac",
        "library": "amxfp4_generic",
        "config": config.as_dict(),
        **{
            key: getattr(config, key)
            for key in ("activation", "weight", "block_size", "lanes", "accumulator", "latency")
        },
        "ratio_to_mxfp4": None,
        "ratio_to_symmetric": None,
        "breakdown": None,
        **dict.fromkeys(numbers, 1),
        **cost,
    }


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Runs are fakes, in threads."""
    from concurrent.futures import ThreadPoolExecutor

    from amxfp4.cli import side_by_side

    monkeypatch.setattr(side_by_side, "processes", ThreadPoolExecutor)
    monkeypatch.setattr(sweep, "run", fake)
    return monkeypatch


def test_a_real_run_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (*SMALL, "--front-registers", "0", "--accumulator", "fp32", "--jobs", "1")
    assert call(*words) == 0
    captured = capsys.readouterr()
    assert "2 runs, 0 done before, 2 to do" in captured.err, "the unit, and the second baseline"
    record, window = json.loads(Path("build/sweep/sweep.json").read_text())
    assert record["name"] == "mac_mxfp4_x_mxfp4_l1_fp32"
    assert record["area_ge"] > record["registers_ge"] > 100
    assert record["ratio_to_mxfp4"] == record["ratio_to_symmetric"] == 1.0
    assert f"{min(r['area_ge'] for r in (record, window)):,.0f}" in captured.out
    assert call(*words) == 0
    assert "2 runs, 2 done before, 0 to do" in capsys.readouterr().err
    # The figures are those of `amxfp4 area`, whose cache the sweep has filled.
    again = measure_area(config_of(record), breakdown=False)
    assert again["cached"]
    assert again["area"] == record["area"]


def test_a_sweep_goes_on_where_it_was(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    name = "mac_amxfp4e5m2_x_mxfp4e5m2_l2_exact"
    words = ("--pair", "AMXFP4:MXFP4-E5M2", "--lanes", "1", "--lanes", "2", "--jobs", "2")
    quick.setattr(sweep, "run", partial(fake, failing=name))
    assert call(*words) == 1
    captured = capsys.readouterr()
    # Two accumulators, pipelines and numbers of lanes, and the units that ratios are taken to.
    assert "16 runs, 0 done before, 16 to do" in captured.err
    assert f"error: {name} in amxfp4_generic: synthesis of '{name}' took longer" in captured.err
    records = json.loads(Path("build/sweep/sweep.json").read_text())
    assert len(records) == 15
    assert name not in [record["name"] for record in records]
    assert next(r for r in records if r["lanes"] == 2 and r["activation"] == "MXFP4")["ratio_to_mxfp4"] == 1.0

    quick.setattr(sweep, "run", fake)
    assert call(*words) == 0
    assert "16 runs, 15 done before, 1 to do" in capsys.readouterr().err
    records = json.loads(Path("build/sweep/sweep.json").read_text())
    assert len(records) == 16
    with Path("build/sweep/sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [record["name"] for record in records]
    assert {row["front_registers"] for row in rows} == {"0", "1"}


def test_a_change_of_the_sources_starts_anew(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*SMALL) == 0
    quick.setattr(sweep, "fingerprint", lambda: "changed")
    assert call(*SMALL) == 0
    assert "4 runs, 0 done before, 4 to do" in capsys.readouterr().err


def test_the_table_has_the_smallest_unit(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*SMALL, "--lanes", "8") == 0
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if line.split()[:1] == ["MXFP4"]]
    assert [row[3:6] for row in rows] == [["1", "0", "12"], ["8", "0", "100"]]
    assert "…" not in shown


def test_the_table_keeps_block_sizes_apart(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*SMALL, "--block-size", "16", "--block-size", "32") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:2] for row in rows if row[:1] and row[0].startswith("MXFP4")] == [["MXFP4/16"] * 2, ["MXFP4"] * 2]


def test_the_list_runs_nothing(quick: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(*SMALL, "--front-registers", "0") == 0
    capsys.readouterr()
    assert call(*SMALL, "--list") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["done", "mac_mxfp4_x_mxfp4_l1_fp32", "in", "amxfp4_generic"],
        ["to", "do", "mac_mxfp4_x_mxfp4_l1_fp32_f1", "in", "amxfp4_generic"],
        ["done", "mac_mxfp4_x_mxfp4_l1_window", "in", "amxfp4_generic"],
        ["to", "do", "mac_mxfp4_x_mxfp4_l1_window_f1", "in", "amxfp4_generic"],
    ]


def test_on_a_cluster_whose_worker_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")
    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    killed = tmp_path / "killed"

    def run(config: Any, library: Any, sources: str, **options: Any) -> dict[str, Any]:
        assert "library (amxfp4_generic)" in library().read_text()
        if config.lanes == 4 and not killed.exists():
            killed.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)  # in the middle of a run
        return fake(config, library, sources, **options)

    monkeypatch.setattr(sweep, "run", run)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=":0", silence_logs=50
    ) as cluster:
        words = ("--pair", "MXFP4", "--scheduler", cluster.scheduler_address, "-o", "out")
        assert call(*words) == 0
    assert killed.exists()
    captured = capsys.readouterr()
    assert "24 runs, 0 done before, 24 to do" in captured.err
    records = json.loads(Path("out/sweep.json").read_text())
    assert sorted(record["lanes"] for record in records) == sorted([1, 2, 4, 8, 16, 32] * 4)
    lines = Path("out/results.jsonl").read_text().splitlines()
    assert len({json.loads(line)["key"] for line in lines}) == len(lines) == 24


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lanes", "3"], "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        (["--pair", "FP4"], "unknown block format 'FP4'"),
        (["--pair", "MXFP4", "--accumulator", "exact"], "take 'fp32'"),
        (["--liberty", "none.lib"], "none.lib"),
        (["--scheduler", "tcp://127.0.0.1:9", "--jobs", "2"], "--jobs 2 was given with --scheduler"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(call(*words), *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())
