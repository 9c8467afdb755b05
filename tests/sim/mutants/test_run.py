"""Faults in the RTL are caught, and a failure says all that is needed to look into it."""

import re
from pathlib import Path

import pytest

from amxfp4.sim.mutants.faults import MUTANTS
from amxfp4.sim.mutants.faults.configs import EXACT
from amxfp4.sim.mutants.faults.fault import Mutant, made
from amxfp4.sim.mutants.run import BEATS, StaleMutant, mutated_verilog, try_mutant
from amxfp4.sim.run import BenchOptions, run_bench

FEW = (
    "NaN not sticky",
    "no reset of a valid bit",
    "results a cycle late",
    "quantiser: gaps in the store do not close",
)
"""Mutants that run every time: one each of values, reset, cycles and flow. `make mutants` runs them all."""


def named(name: str) -> Mutant:
    return next(mutant for mutant in MUTANTS if mutant.name == name)


@pytest.mark.parametrize("name", FEW)
def test_a_mutant_is_caught(name: str) -> None:
    verdict = try_mutant(named(name), BenchOptions(beats=BEATS, stop=1))
    assert verdict.error is None
    assert verdict.caught_by is not None


@pytest.mark.full
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_is_caught(mutant: Mutant) -> None:
    verdict = try_mutant(mutant, BenchOptions(beats=BEATS, stop=1))
    assert verdict.error is None
    assert verdict.caught_by is not None


def test_a_failure_says_what_where_and_how_to_see_it_again() -> None:
    mutant = named("NaN not sticky")
    options = BenchOptions(seed=5, beats=BEATS, tests="nan_scale")
    outcome = run_bench(mutant.config, options, verilog=mutated_verilog(mutant), label="mutants/report")
    (failure,) = outcome.failures
    report = failure.report
    assert report.startswith(f"{mutant.config.name}, seed 5, test corner/case=nan_scale: ")
    assert "beats 0..11): expected 0x7fc00000 nan=1 overflow=0 in cycle" in report
    assert "nan=0 overflow=0 in cycle" in report
    again = report.splitlines()[-1]
    assert again.startswith("again with waves: WAVES=1 amxfp4 benches --unit mac --activation AMXFP4-E5M2 ")
    assert again.endswith(f" --seed 5 --beats {BEATS} --test corner/case=nan_scale")


def test_a_failure_of_a_quantiser_says_so_too() -> None:
    mutant = named("quantiser: the sign of elements lost")
    outcome = run_bench(
        mutant.config,
        BenchOptions(seed=5, beats=40, tests="back_to_back"),
        verilog=mutated_verilog(mutant),
        label="mutants/quantiser_report",
    )
    (failure,) = outcome.failures
    first, second, *_, again = failure.report.splitlines()
    assert first == f"{mutant.config.name}, seed 5, test back_to_back: {first.split()[-2]} differences"
    assert re.fullmatch(
        r"result \d+ \(random, block \d of \d, its beat \d, beats \d+\.\.\d+\): expected codes=[0-9a-f]{8}.* "
        r"in cycle \d+, found codes=[0-7]{8}.* in cycle \d+",
        second,
    )
    assert again.startswith("again with waves: WAVES=1 amxfp4 benches --unit quantizer --format AMXFP4-E5M2 ")
    assert again.endswith(" --seed 5 --beats 40 --test back_to_back")


def test_a_text_that_is_gone_is_reported() -> None:
    stale = made("stale", EXACT, ("mac/acc_exact.py", "no such text", ""))
    with pytest.raises(StaleMutant, match=r"0 times in hw/mac/acc_exact\.py"):
        mutated_verilog(stale)
    assert "exactly once" in str(try_mutant(stale, BenchOptions()).error)


def test_a_change_without_effect_is_reported() -> None:
    harmless = made("harmless", EXACT, ("mac/acc_exact.py", '"""Adds scaled terms', '"""Sums scaled terms'))
    with pytest.raises(StaleMutant, match="changes nothing"):
        mutated_verilog(harmless)


def test_a_mutant_that_survives_is_reported() -> None:
    # The only test that runs has no NaN in it.
    verdict = try_mutant(named("NaN not sticky"), BenchOptions(beats=8, tests="zero_blocks"))
    assert verdict.error is None
    assert verdict.caught_by is None
    assert not verdict.good


def test_a_simulator_that_is_killed_has_caught_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(verilog: str, top: str, **_: object) -> Path:
        executable = tmp_path / top
        executable.write_text("#!/bin/sh\nkill -9 $$\n")
        executable.chmod(0o755)
        return tmp_path

    monkeypatch.setattr("amxfp4.sim.run.build_bench", build)
    trial = try_mutant(MUTANTS[0], BenchOptions(build=tmp_path / "build"))
    assert trial.caught_by is None
    assert trial.error is not None and "killed by SIGKILL" in trial.error
