"""The benchmark on small sizes: what it writes, not how fast this machine is."""

import json
from pathlib import Path

import pytest

from amxfp4 import bench

SMALL = bench.Sizes(tensor=64, matrix=64, repeats=2)


def test_it_measures_every_case_and_writes_json(tmp_path: Path) -> None:
    lines: list[str] = []
    out = tmp_path / "bench" / "bench.json"
    results = bench.run_bench(out, lines.append, SMALL)
    assert [result.name for result in results] == list(bench.CASES)
    assert len(lines) == len(results)
    document = json.loads(out.read_text())
    assert document["sizes"] == {"tensor": 64, "matrix": 64, "repeats": 2}
    for written, result in zip(document["results"], results, strict=True):
        assert written["ratio"] == result.ratio == result.seconds / result.baseline_seconds > 0
        assert 1 << 20 < written["peak_bytes"] < bench.GIB
        assert written["within_limits"] is result.within_limits
    assert [path.name for path in out.parent.iterdir()] == ["bench.json"]


def test_a_run_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("stopped")

    monkeypatch.setattr(bench, "_peak_bytes", fail)
    with pytest.raises(RuntimeError, match="stopped"):
        bench.run_bench(tmp_path / "bench.json", sizes=SMALL)
    assert not list(tmp_path.iterdir())


def test_limits() -> None:
    def result(ratio: float, peak: int) -> bench.Result:
        return bench.Result("name", "baseline", ratio, 1.0, ratio, 4.0, peak, 100)

    assert result(4.0, 100).within_limits
    assert not result(4.1, 100).within_limits
    assert not result(4.0, 101).within_limits


def test_larger_inputs_take_more_memory() -> None:
    small, large = (bench._peak_bytes("quantize AMXFP4", bench.Sizes(tensor=size)) for size in (64, 2048))
    assert large - small > 4 * 2048 * 2048
