"""The grid of a sweep, what a run is known by, and the file of finished runs."""

import json
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.synth import sweep
from amxfp4.synth.cells import liberty

PAIR = ("MXFP4", "MXFP4")


def test_the_grid_has_every_config_that_can_be_built_once() -> None:
    configs = sweep.grid([PAIR, ("AMXFP4", "AMXFP4-E5M2")], {"lanes": (1, 8, 32)})
    assert len({config.name for config in configs}) == len(configs)
    expected = {
        MacConfig(activation, weight, lanes=lanes, accumulator=accumulator, front_registers=registers)
        for activation, weight in (PAIR, ("AMXFP4", "AMXFP4"))
        for lanes in (1, 8, 32)
        for accumulator in ("exact", "fp32")
        for registers in (0, 1)
        if not (activation == "MXFP4" and accumulator == "exact")  # E8M0 has none
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


def test_finished_runs_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    with sweep.Results(path) as results:
        assert results.records == {}
        results.add("a", {"area": 1})
        results.add("b", {"area": 2})
    with sweep.Results(path) as results:
        assert results.records == {"a": {"key": "a", "area": 1}, "b": {"key": "b", "area": 2}}
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a"}\n{"key": "b", "ar')
    with sweep.Results(path) as results:
        assert list(results.records) == ["a"]
        results.add("c", {})
    assert path.read_text() == '{"key": "a"}\n{"key": "c"}\n'


def test_the_file_is_held_by_one_sweep(tmp_path: Path) -> None:
    with sweep.Results(tmp_path / "results.jsonl"), pytest.raises(UsageError, match="held by another sweep"):
        sweep.Results(tmp_path / "results.jsonl")
    with sweep.Results(tmp_path / "results.jsonl"):
        pass


@pytest.mark.parametrize("line", ["nonsense", "[1]", '{"name": "x"}'])
def test_another_file_is_left_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text('{"key": "a"}\n' + line + "\n")
    with pytest.raises(UsageError, match=r"line 2 of .* is no run of a sweep"):
        sweep.Results(path)
    assert path.read_text().endswith(line + "\n")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write"):
        sweep.Results(tmp_path / "file" / "results.jsonl")
