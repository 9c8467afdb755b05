"""The grid of a sweep, what a run is known by, and the file of finished runs."""

import errno
import json
import os
from pathlib import Path

import pytest
from helpers.report_samples import area_record

from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.synth import sweep
from amxfp4.synth.cells import liberty

PAIR = ("MXFP4", "MXFP4")
RUN = area_record(MacConfig(*PAIR, lanes=1))


def test_the_grid_has_every_config_that_can_be_built_once() -> None:
    configs = sweep.grid([PAIR, ("AMXFP4", "AMXFP4-E5M2")], {"lanes": (1, 8, 32)})
    assert len({config.name for config in configs}) == len(configs)
    expected = {
        MacConfig(activation, weight, lanes=lanes, accumulator=accumulator, front_registers=registers)
        for activation, weight in (PAIR, ("AMXFP4", "AMXFP4"))
        for lanes in (1, 8, 32)
        for accumulator in ("exact", "fp32", "window")
        for registers in (0, 1)
        if not (activation == "MXFP4" and accumulator == "exact")  # E8M0 has none
        if not (activation == "AMXFP4" and accumulator == "window")  # FP8 scales have the exact one
        if not (activation == "AMXFP4" and accumulator == "fp32" and lanes == 32)  # four terms a cycle
        if not (activation == "AMXFP4" and accumulator == "exact" and lanes == 1 and registers)  # no sums to register
    }
    assert set(configs) == expected


@pytest.mark.parametrize(
    ("pairs", "given", "says"),
    [
        ([PAIR], {"lanes": (1, 3)}, "lanes is 3"),
        ([PAIR], {"accumulator": ("exact",)}, "take 'fp32'"),
        ([PAIR, ("FP4", "FP4")], {}, "unknown block format 'FP4'"),
        ([PAIR], {"front_registers": (0, 7)}, "front_registers is 7"),
    ],
)
def test_a_value_with_which_nothing_can_be_built_is_refused(pairs: list, given: dict, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        sweep.grid(pairs, given)


def test_a_run_is_known_by_config_library_and_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    library = liberty.read(liberty.find("generic"))
    config = MacConfig(*PAIR, lanes=1)
    known = sweep.key(config, library)
    assert known == sweep.key(MacConfig(*PAIR, lanes=1), library)
    assert known != sweep.key(MacConfig(*PAIR, lanes=2), library)
    monkeypatch.setattr(sweep, "fingerprint", lambda: "other")
    assert known != sweep.key(config, library)


def test_other_sources_are_refused() -> None:
    with pytest.raises(sweep.WrongSourcesError, match="other"):
        sweep.run(MacConfig(*PAIR, lanes=1), Path("none.lib"), "other")


def line(key: str, **changed: object) -> str:
    return json.dumps({"key": key, **RUN, **changed}) + "\n"


def test_finished_runs_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    with sweep.Results(path) as results:
        assert results.records == {}
        results.add("a", RUN)
        results.add("b", RUN | {"area": 2.0})
    with sweep.Results(path) as results:
        assert results.records == {"a": {"key": "a", **RUN}, "b": {"key": "b", **RUN, "area": 2.0}}
    assert path.read_text() == line("a") + line("b", area=2.0)


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(line("a") + line("b")[:40])
    with sweep.Results(path) as results:
        assert list(results.records) == ["a"]
        results.add("c", RUN)
    assert path.read_text() == line("a") + line("c")


@pytest.mark.parametrize("changed", [{"area_ge": "12"}, {"lanes": 2}, {"config": {"lanse": 1}}, {"period_ps": None}])
def test_a_run_that_lacks_a_figure_counts_as_none(tmp_path: Path, changed: dict[str, object]) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(line("a", **changed) + line("b"))
    with sweep.Results(path) as results:
        assert list(results.records) == ["b"]


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with sweep.Results(tmp_path / "results.jsonl") as results:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(UsageError, match=r"results.jsonl': No space left on device; make room"):
            results.add("a", RUN)


def test_the_file_is_held_by_one_sweep(tmp_path: Path) -> None:
    with sweep.Results(tmp_path / "results.jsonl"), pytest.raises(UsageError, match="held by another sweep"):
        sweep.Results(tmp_path / "results.jsonl")
    with sweep.Results(tmp_path / "results.jsonl"):
        pass


@pytest.mark.parametrize("other", ["nonsense", "[1]", '{"name": "x"}', '{"key": 1}', "\xff", "NaN"])
def test_another_file_is_left_alone(tmp_path: Path, other: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(line("a") + other + "\n", encoding="latin-1")
    with pytest.raises(UsageError, match=r"line 2 of .* is no run of a sweep"):
        sweep.Results(path)
    assert path.read_text(encoding="latin-1").endswith(other + "\n")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write"):
        sweep.Results(tmp_path / "file" / "results.jsonl")
