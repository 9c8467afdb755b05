"""`amxfp4 energy` as a user meets it."""

import json
from pathlib import Path

import pytest
from helpers.command_line import check_refused, run


@pytest.mark.full
def test_the_table(tmp_path: Path) -> None:
    found = run("energy", "--lanes", "1", "--jobs", "2", "-o", str(tmp_path))
    assert found.status == 0, found.err
    records = json.loads((tmp_path / "energy.json").read_text())
    assert len(records) == 7
    assert all(record["mismatches"] == 0 and record["outputs"] > 100 for record in records)
    assert records[0]["ratio_to_mxfp4"] == 1
    assert all(0.5 < record["ratio_to_mxfp4"] < 5 for record in records)
    for record in records:
        assert f"{record['energy_per_mac']:.0f}" in found.out
    assert max(len(line) for line in found.out.splitlines() if "written" not in line) <= 100
    assert (tmp_path / "energy.md").read_text().count("\n| ") == 9


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lanes", "3"], "lanes is 3; allowed are 1, 2, 4, 8, 16, 32"),
        (["--liberty", "none.lib"], "liberty 'none.lib' does not exist"),
        (["--activations", "x.npy"], "--activations was given without --weights"),
        (["--activations", "x.npy", "--weights", "x.npy"], "there is no file 'x.npy'"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = run("energy", *words)
    check_refused(found.status, found.out, found.err, says)
    assert not list(tmp_path.iterdir())
