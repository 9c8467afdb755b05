"""`amxfp4 area` as a user meets it."""

import json
from pathlib import Path

import pytest
from helpers.command_line import Run, check_refused, run

from amxfp4.synth.cells import liberty

UNIT = "mac_mxfp4_x_mxfp4_l1_fp32_k8"
# The smallest unit there is, which is only compared with itself.
WORDS = ("area", "--activation", "MXFP4", "--block-size", "8", "--lanes", "1", "--jobs", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("area") / "new"


@pytest.fixture(scope="module")
def first(folder: Path) -> Run:
    """One real run."""
    return run(*WORDS, "-o", str(folder))


def test_a_table_and_three_files(first: Run, folder: Path) -> None:
    assert first.status == 0, first.err
    assert sorted(path.name for path in folder.iterdir()) == ["area.json", "area.md", "area.svg", "cache"]
    record, window = json.loads((folder / "area.json").read_text())
    assert window["name"] == UNIT.replace("fp32", "window")
    promised = "name activation weight lanes accumulator library area area_ge flip_flops delay_ps ratio_to_mxfp4"
    assert set(promised.split()) | {"ratio_to_symmetric", "breakdown"} <= set(record)
    assert (record["name"], record["library"]) == (UNIT, "amxfp4_generic")
    assert (record["ratio_to_mxfp4"], record["ratio_to_symmetric"], record["ratio_to_mac"]) == (1, 1, None)
    assert record["area"] == 4 * record["area_ge"] > 10_000
    assert record["delay_ps"] < record["period_ps"]
    assert {"pipeline", "pipeline.accumulator"} <= set(record["breakdown"])
    assert not record["cached"]
    (row,) = [line.split() for line in first.out.splitlines() if "fp32" in line]
    assert row[:7] == ["MXFP4", "MXFP4", "1", "fp32", "8", *[f"{record['area_ge']:,.0f}"] * 2]
    assert row[-3::2] == ["1.000", "1.000"], "to the two float32 units, which it is itself"
    assert max(len(line) for line in first.out.splitlines()) <= 100 + len(str(folder)) * 3
    assert "…" not in first.out
    assert f"written to {folder / 'area.json'}" in first.out


def test_a_finished_run_is_not_run_again(first: Run, folder: Path) -> None:
    kept = {path: path.stat().st_mtime_ns for path in (folder / "cache").iterdir()}
    assert len(kept) == 2, "the unit, and the second baseline"
    again = run(*WORDS, "-o", str(folder))
    assert (again.status, again.out) == (0, first.out)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert all(record["cached"] for record in json.loads((folder / "area.json").read_text()))


def test_a_run_over_its_budget_is_said_and_is_status_1(tmp_path: Path) -> None:
    found = run(*WORDS, "--timeout", "0.01", "-o", str(tmp_path / "new"))
    assert (found.status, found.out) == (1, "")
    assert f"error: synthesis of '{UNIT}' took longer than its budget of 0.01 s" in found.err
    assert "Traceback" not in found.err
    assert not list(tmp_path.iterdir())


@pytest.mark.full
def test_other_units_and_libraries(tmp_path: Path) -> None:
    """A quantiser brings the units that it is compared with; the Makefile's words for the smallest table work."""
    words = ("--unit", "quantizer", "--format", "MXFP4", "--lanes", "1", "--no-breakdown", "--no-cache")
    found = run("area", *words, "-o", str(tmp_path / "q"))
    assert found.status == 0
    records = json.loads((tmp_path / "q" / "area.json").read_text())
    assert [record["name"] for record in records] == ["quantizer_mxfp4_l1_bf16", "mac_mxfp4_x_mxfp4_l1_fp32"]
    assert 0 < records[0]["ratio_to_mac"] < 1
    assert not (tmp_path / "q" / "area.svg").exists()
    assert not (tmp_path / "q" / "cache").exists()


@pytest.mark.full
@pytest.mark.skipif(not liberty.OSU018.is_file(), reason="Debian's qflow-tech-osu018 is not installed")
def test_osu018(tmp_path: Path) -> None:
    found = run(*WORDS, "--liberty", "osu018", "-o", str(tmp_path / "new"))
    assert found.status == 0, found.err
    (record,) = json.loads((tmp_path / "new" / "area.json").read_text())
    assert (record["library"], record["area_unit"], record["clock_gates"]) == ("osu018_stdcells", "um^2", 0)
    assert record["area_ge"] == pytest.approx(record["area"] / 24, abs=0.01)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--liberty", "none.lib"], "liberty 'none.lib' does not exist"),
        (["--liberty", "wrong.lib"], "wrong.lib' is not a liberty file"),
        (["--liberty", "."], "cannot be read (Is a directory); give a .lib or .lib.gz file"),
        (["--lanes", "3"], "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        (["--lanes", "64", "--activation", "MXFP4"], "lanes is 64; allowed are 1, 2, 4, 8, 16, 32"),
        (["--lanes", "x"], "'x' is not a valid integer"),
        (["--unit", "adder"], "'adder' is not one of"),
        (["--activation", "FP4"], "unknown block format 'FP4'"),
        (["--format", "MXFP4"], "--format is not an option of a mac"),
        (["--lanes", "16", "--accumulator", "fp32"], "at most 8 lanes are allowed"),
        (["--jobs", "0"], "--jobs"),
        (["--timeout", "0"], "--timeout"),
        (["-o", "wrong.lib"], "wrong.lib"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.lib").write_text("module x; endmodule\n")
    found = run("area", *words)
    check_refused(found.status, found.out, found.err, says)
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.lib"]
