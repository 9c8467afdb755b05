"""Builds and runs the benches: one config, or many side by side."""

import json
import logging
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from amxfp4.errors import RunError, ending
from amxfp4.hw.config import Config
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import unit_verilog
from amxfp4.sim.verilate import BUILD, build_bench
from amxfp4.workers import Workers

BENCH = "amxfp4.sim.bench"
BEATS = {"small": 1500, "full": 12000}
"""Beats of a random test on each matrix of configs."""
DEFAULT_SEED = 1


@dataclass(frozen=True)
class Failure:
    """A test that failed.

    Attributes:
        test: its name.
        report: what the test said: config, seed, beat, expected, found, and how to run the test again.
    """

    test: str
    report: str


@dataclass(frozen=True)
class Outcome:
    """What became of a bench on one config.

    Attributes:
        name: the config's name.
        seed: the seed of everything random.
        passed: names of the tests that passed.
        failures: the tests that did not pass.
        junit: the JUnit XML file.
        waves: the VCD file, or None when none was asked for.
        built_in, run_in: seconds that building and running took.
    """

    name: str
    seed: int
    passed: tuple[str, ...]
    failures: tuple[Failure, ...]
    junit: Path
    waves: Path | None
    built_in: float
    run_in: float


@dataclass(frozen=True)
class BenchOptions:
    """How to run a bench.

    Attributes:
        seed: the seed of everything random. The same seed gives the same run.
        beats: beats of a random test.
        tests: a regular expression that selects tests by name; empty for all.
        stop: how many failures end a run; 0 for no limit.
        waves: whether to write a VCD file.
        build: folder for builds and reports.
    """

    seed: int = DEFAULT_SEED
    beats: int = BEATS["small"]
    tests: str = ""
    stop: int = 0
    waves: bool = False
    build: Path = BUILD


def run_bench(
    config: Config,
    options: BenchOptions = BenchOptions(),
    *,
    verilog: str | None = None,
    label: str | None = None,
) -> Outcome:
    """Builds and runs the bench on one config, and reads what came of it.

    Args:
        config: the config that the bench expects.
        options: how to run the bench.
        verilog: the unit to test, with top module `config.name`. None: the config's own.
        label: the name of the report. None: the config's name.

    Raises:
        BuildError: the Verilog could not be built.
        RunError: the simulation died, or ran no test.
    """
    started = time.monotonic()
    text = verilog if verilog is not None else unit_verilog(config)
    folder = build_bench(text, config.name, build=options.build, waves=options.waves).resolve()
    built = time.monotonic()
    label = label or config.name
    work = (options.build / "runs" / label).resolve()
    junit = (options.build / f"{label}.xml").resolve()
    log = work / "simulation.log"
    work.mkdir(parents=True, exist_ok=True)
    junit.parent.mkdir(parents=True, exist_ok=True)
    _simulate(config, options, folder, work, junit, log)
    passed, failures = read_junit(junit, label, log)
    waves = work / "dump.vcd" if options.waves else None
    finished = time.monotonic()
    return Outcome(label, options.seed, passed, failures, junit, waves, built - started, finished - built)


def _simulate(config: Config, options: BenchOptions, folder: Path, work: Path, junit: Path, log: Path) -> None:
    from cocotb_tools.runner import get_runner

    runner = get_runner("verilator")
    runner.log.disabled = True
    # If the runner saw pytest, it would decide on the verdict and on file names. Here the caller reads the report.
    with _without("PYTEST_CURRENT_TEST", "WAVES"), _verdict_of_the_report(config.name, log):
        runner.test(
            test_module=BENCH,
            hdl_toplevel=config.name,
            hdl_toplevel_lang="verilog",
            build_dir=folder,
            test_dir=work,
            results_xml=str(junit),
            seed=options.seed,
            plusargs=[f"+verilator+seed+{options.seed % (1 << 31) or 1}", "+verilator+rand+reset+2"],
            waves=options.waves,
            log_file=log,
            test_filter=options.tests or None,
            extra_env={
                "AMXFP4_BENCH_UNIT": unit_of(config).name,
                "AMXFP4_BENCH_CONFIG": json.dumps(config.as_dict()),
                "AMXFP4_BENCH_BEATS": str(options.beats),
                "AMXFP4_BENCH_AGAIN": command_for(config, options),
                "COCOTB_MAX_FAILURES": str(options.stop),
                "COCOTB_ANSI_OUTPUT": "0",
            },
        )


@contextmanager
def _verdict_of_the_report(name: str, log: Path) -> Iterator[None]:
    """Leaves the verdict to whoever reads the report. One that was killed has none."""
    try:
        yield
    except SystemExit as end:
        if isinstance(end.code, int) and end.code < 0:
            raise RunError(f"the simulator of {name} {ending(end.code)}; see {log}") from None
    except RuntimeError as error:  # of the runner, whose text ends with the status
        status = re.search(r"-?\d+$", str(error))
        how = ending(int(status[0])) if status else f"failed: {error}"
        raise RunError(f"the simulator of {name} {how}; see {log}") from None


@contextmanager
def _without(*names: str) -> Iterator[None]:
    """Runs a block without some environment variables."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def command_for(config: Config, options: BenchOptions) -> str:
    """The shell command that runs one test of one config again, with waves. TEST stands for the test's name."""
    words = ["amxfp4", "benches", "--unit", unit_of(config).name]
    for key, value in config.as_dict().items():
        if isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{key.replace('_', '-')}")
        elif value is not None:
            words += [f"--{key.replace('_', '-')}", str(value)]
    words += ["--seed", str(options.seed), "--beats", str(options.beats), "--test", "TEST"]
    return "WAVES=1 " + shlex.join(words)


def read_junit(junit: Path, label: str, log: Path) -> tuple[tuple[str, ...], tuple[Failure, ...]]:
    """Reads a report, and names its test suite `label` in the file.

    Args:
        junit: the JUnit XML file.
        label: the config's name.
        log: the simulator's log, to which errors refer.

    Returns:
        The names of the tests that passed, and the tests that failed.

    Raises:
        RunError: the report cannot be read, or has no test in it.
    """
    try:
        tree = ElementTree.parse(junit)
    except (OSError, ElementTree.ParseError) as error:
        raise RunError(f"the report of {label} cannot be read ({error}); see {log}") from None
    passed, failures = [], []
    for case in tree.iter("testcase"):
        case.set("classname", label)
        verdicts = [child for child in case if child.tag in ("failure", "error")]
        name = case.get("name", "")
        if verdicts:
            failures.append(Failure(name, "\n".join(_text(verdict) for verdict in verdicts)))
        elif case.find("skipped") is None:
            passed.append(name)
    if not passed and not failures:
        raise RunError(f"no test ran on {label}; see {log}")
    tree.write(junit, encoding="utf-8", xml_declaration=True)
    return tuple(passed), tuple(failures)


def _text(verdict: ElementTree.Element) -> str:
    """The words of a verdict, without the traceback of the bench."""
    return (verdict.get("message") or verdict.text or verdict.tag).strip()


# -- many at once --------------------------------------------------------------------------------------------------


def run_matrix(
    configs: Sequence[Config],
    options: BenchOptions,
    *,
    jobs: int = 2,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Runs the bench on many configs side by side.

    Args:
        configs: what to run the bench on.
        options: how to run each bench.
        jobs: how many run at a time.
        done: called with each outcome as it comes.

    Returns:
        The outcomes, in the order in which they came.
    """
    outcomes = []
    with Workers(jobs, quiet) as pool:
        futures = [pool.submit(run_bench, config, options) for config in configs]
        for future in as_completed(futures):
            outcomes.append(future.result())
            done(outcomes[-1])
    return outcomes


def quiet() -> None:
    """Keeps the runner of cocotb from logging in worker processes."""
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    from amxfp4.cli.main import run

    run("benches")
