"""The benchmark on small sizes: what it writes, not how fast this machine is."""

import json
from pathlib import Path

import pytest

from amxfp4.cli import speed

SMALL = speed.Sizes(tensor=64, matrix=64, repeats=2)


def test_it_measures_every_case_and_writes_json(tmp_path: Path) -> None:
    lines: list[str] = []
    out = tmp_path / "speed" / "speed.json"
    results = speed.run_speed(out, lines.append, SMALL)
    assert [result.name for result in results] == list(speed.CASES)
    assert len(lines) == len(results)
    document = json.loads(out.read_text())
    assert document["sizes"] == {"tensor": 64, "matrix": 64, "repeats": 2}
    for written, result in zip(document["results"], results, strict=True):
        assert written["ratio"] == result.ratio == result.seconds / result.baseline_seconds > 0
        assert 1 << 20 < written["peak_bytes"] < speed.GIB
        assert written["within_limits"] is result.within_limits
    assert [path.name for path in out.parent.iterdir()] == ["speed.json"]


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("stopped")

    monkeypatch.setattr(speed, "_peak_bytes", fail)
    with pytest.raises(RuntimeError, match="stopped"):
        speed.run_speed(tmp_path / "speed.json", sizes=SMALL)
    assert not list(tmp_path.iterdir())


def test_limits() -> None:
    def result(ratio: float, peak: int) -> speed.SpeedResult:
        return speed.SpeedResult("name", "baseline", ratio, 1.0, ratio, 4.0, peak, 100)

    assert result(4.0, 100).within_limits
    assert not result(4.1, 100).within_limits
    assert not result(4.0, 101).within_limits


def test_larger_inputs_take_more_memory() -> None:
    small, large = (speed._peak_bytes("quantize AMXFP4", speed.Sizes(tensor=size)) for size in (64, 2048))
    assert large - small > 4 * 2048 * 2048
