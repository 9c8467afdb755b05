"""The cocotb benches on the matrix of configs, and what they say when something is wrong."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from amxfp4.cli import cmd_benches
from amxfp4.errors import UsageError
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import UNITS, described
from amxfp4.sim import run
from amxfp4.sim.run import BEATS, BenchOptions, Outcome, read_junit, run_bench
from amxfp4.sim.units import full, kit_of, quick, small

BASELINE = MacConfig("MXFP4", "MXFP4", lanes=1)

QUICK = [config for unit in UNITS for config in quick(unit)]
SMALL = [config for unit in UNITS for config in small(unit) if config not in QUICK]


def named(config: Config) -> str:
    return config.name


def group_of(config: Config) -> str:
    """The unit and its formats."""
    unit = described(config)
    return " ".join(str(unit[field]) for field in ("unit", "activation", "weight") if unit[field])


def check(config: Config, options: BenchOptions, label: str | None = None) -> None:
    outcome = run_bench(config, options, label=label)
    assert not outcome.failures, "\n".join(failure.report for failure in outcome.failures)
    corners = {f"corner/case={name}" for name in kit_of(config).corners}
    assert len(corners) >= 10
    others = {"random_start", "back_to_back", "reset_in_mid_block", "thousand_blocks"}
    others |= {f"stalls_{of}" for of in ("on_both_ends", "of_the_driver", "of_the_taker")}
    assert set(outcome.passed) == corners | others
    tests = ElementTree.parse(outcome.junit).getroot().iter("testcase")
    assert {case.get("classname") for case in tests} == {label or config.name}


@pytest.mark.parametrize("config", QUICK, ids=named)
def test_every_test_passes(config: Config) -> None:
    check(config, BenchOptions(beats=400))


@pytest.mark.full
@pytest.mark.parametrize("config", SMALL, ids=named)
def test_every_test_passes_on_the_others(config: Config) -> None:
    check(config, BenchOptions())


@pytest.mark.full
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("group", sorted({group_of(config) for unit in UNITS for config in full(unit)}))
def test_every_test_passes_on_every_config(group: str, seed: int) -> None:
    """A test for all units of one kind and one pair of formats, as thousands of tests would take long to collect."""
    failed = []
    for config in (config for unit in UNITS for config in full(unit) if group_of(config) == group):
        try:
            check(config, BenchOptions(seed=seed, beats=BEATS["full"]), f"{config.name}_seed{seed}")
        except AssertionError as failure:
            failed.append(f"{config.name}: {failure}")
    assert not failed, "\n".join(failed)


def test_waves_are_written() -> None:
    options = BenchOptions(tests="random_start", waves=True)
    outcome = run_bench(BASELINE, options, label="waves")
    assert outcome.passed == ("random_start",)
    assert outcome.waves is not None
    text = outcome.waves.read_text()
    assert "$enddefinitions" in text
    assert "i__payload" in text


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[Config]:
    """The configs that a command line runs."""
    asked: list[Config] = []
    monkeypatch.setattr(cmd_benches, "run_and_show", lambda configs, options, jobs: asked.extend(configs) or 0)
    cmd_benches.command.main(list(words), standalone_mode=False)
    return asked


def test_the_configs_that_a_command_line_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(monkeypatch) == [config for unit in UNITS for config in small(unit)]
    assert call(monkeypatch, "--unit", "quantizer") == small("quantizer")
    assert call(monkeypatch, "--matrix", "full", "--unit", "mac") == full("mac")
    assert call(monkeypatch, "--unit", "mac", "--activation", "MXFP4") == [MacConfig("MXFP4", "MXFP4")]
    for config in QUICK:
        words = run.command_for(config, BenchOptions()).split()
        place = words.index("benches") + 1
        assert call(monkeypatch, *words[place:]) == [config]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--lanes", "8"], "--lanes was given without --unit; it is one of mac, quantizer, chain"),
        (["--matrix", "full", "--unit", "mac", "--lanes", "8"], "--matrix full was given with --lanes"),
        (["--unit", "quantizer", "--accumulator", "exact"], "--accumulator is not an option of a quantizer"),
    ],
)
def test_a_wrong_command_line(monkeypatch: pytest.MonkeyPatch, words: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        call(monkeypatch, *words)


def test_outcomes_of_a_matrix_come_as_they_are_there() -> None:
    seen: list[Outcome] = []
    options = BenchOptions(beats=8, tests="zero")
    outcomes = run.run_matrix([BASELINE, *quick("quantizer")[:1]], options, jobs=1, done=seen.append)
    assert outcomes == seen
    assert all(outcome.passed and not outcome.failures for outcome in outcomes)


def test_no_test_is_a_failure() -> None:
    with pytest.raises(RuntimeError, match=r"no test ran|cannot be read"):
        run_bench(BASELINE, BenchOptions(tests="there_is_no_such_test"), label="no_test")


def test_a_report_without_tests_is_a_failure(tmp_path: Path) -> None:
    report = tmp_path / "empty.xml"
    report.write_text("<testsuites name='results'><testsuite name='all'/></testsuites>")
    with pytest.raises(RuntimeError, match="no test ran on it"):
        read_junit(report, "it", report)
    with pytest.raises(RuntimeError, match="cannot be read"):
        read_junit(report.with_name("missing.xml"), "it", report)
