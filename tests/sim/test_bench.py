"""The cocotb benches on the matrix of configs, and what they say when something is wrong."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from amxfp4.hw.config import MacConfig
from amxfp4.sim.matrix import full, small
from amxfp4.sim.run import FULL_BEATS, BenchOptions, read_junit, run_bench

BASELINE = MacConfig("MXFP4", "MXFP4", lanes=8)


@pytest.mark.parametrize("config", small(), ids=lambda config: config.name)
def test_every_test_passes(config: MacConfig) -> None:
    outcome = run_bench(config)
    assert not outcome.failures, "\n".join(failure.report for failure in outcome.failures)
    assert len(outcome.passed) >= 17
    tests = ElementTree.parse(outcome.junit).getroot().iter("testcase")
    assert {case.get("classname") for case in tests} == {config.name}


@pytest.mark.full
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("config", full(), ids=lambda config: config.name)
def test_every_test_passes_on_every_config(config: MacConfig, seed: int) -> None:
    outcome = run_bench(config, BenchOptions(seed=seed, beats=FULL_BEATS), label=f"{config.name}_seed{seed}")
    assert not outcome.failures, "\n".join(failure.report for failure in outcome.failures)


def test_waves_are_written() -> None:
    options = BenchOptions(tests="random_start", waves=True)
    outcome = run_bench(BASELINE, options, label="waves")
    assert outcome.passed == ("random_start",)
    assert outcome.waves is not None
    text = outcome.waves.read_text()
    assert "$enddefinitions" in text
    assert "i__payload" in text


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
