"""Shows that the benches catch faults: breaks the RTL in one place at a time and runs the bench on it.

A mutant is elaborated from a changed copy of `hw/`. The package `faults` lists all mutants.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import amxfp4.hw
from amxfp4.errors import RunError, UsageError, ending
from amxfp4.hw.config import Config
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import unit_verilog
from amxfp4.sim.mutants.faults import MUTANTS
from amxfp4.sim.mutants.faults.fault import Change, Mutant
from amxfp4.sim.run import BenchOptions, quiet, run_bench
from amxfp4.workers import Workers

SOURCE = Path(amxfp4.hw.__path__[0])
"""The folder `hw/`."""

BEATS = 800
"""Beats of a random test."""


class StaleMutant(RunError):
    """A mutant's text is not in the source exactly once, or its change has no effect on the Verilog."""


@dataclass(frozen=True)
class Trial:
    """What came of trying a mutant.

    Attributes:
        mutant: what was tried.
        caught_by: the first test that failed on the mutant, or None when it survived.
        found: the first lines of that test's report.
        error: why the mutant could not be tried, or None when it was.
    """

    mutant: Mutant
    caught_by: str | None
    found: str
    error: str | None

    @property
    def good(self) -> bool:
        return self.caught_by is not None and self.error is None


def mutants_named(words: str) -> list[Mutant]:
    """The mutants whose name contains `words`, whatever the case of letters.

    Raises:
        UsageError: no name contains `words`.
    """
    mutants = [mutant for mutant in MUTANTS if words.lower() in mutant.name.lower()]
    if not mutants:
        raise UsageError(f"no mutant's name contains {words!r}; there are: {'; '.join(m.name for m in MUTANTS)}")
    return mutants


_ELABORATE = """
import importlib.util, json, sys
folder, unit, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
spec = importlib.util.spec_from_file_location(
    "amxfp4.hw", folder + "/__init__.py", submodule_search_locations=[folder]
)
sys.modules["amxfp4.hw"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from amxfp4.hw.verilog import unit_verilog
from amxfp4.hw.units import UNITS
sys.stdout.write(unit_verilog(UNITS[unit].configure(fields)))
"""


def mutated_verilog(mutant: Mutant) -> str:
    """The Verilog of the mutant's unit, elaborated from a changed copy of `hw/`.

    Raises:
        StaleMutant: a text is not in the source exactly once, or the Verilog does not change.
        RunError: the changed source does not elaborate.
    """
    with TemporaryDirectory(prefix="amxfp4-mutant-") as temporary:
        copy = Path(temporary) / "hw"
        shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for change in mutant.changes:
            _apply(change, copy)
        words = [str(copy), unit_of(mutant.config).name, json.dumps(mutant.config.as_dict())]
        done = subprocess.run(
            [sys.executable, "-c", _ELABORATE, *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"Python {ending(done.returncode)}"]
        raise RunError(f"the mutant does not elaborate: {' '.join(last)}")
    if done.stdout == unit_verilog(mutant.config):
        raise StaleMutant(f"{mutant.name!r} changes nothing in {mutant.config.name}")
    return done.stdout


def _apply(change: Change, folder: Path) -> None:
    path = folder / change.file
    text = path.read_text(encoding="utf-8")
    if (count := text.count(change.old)) != 1:
        raise StaleMutant(f"{change.old!r} is {count} times in hw/{change.file}; a mutant needs it exactly once")
    path.write_text(text.replace(change.old, change.new), encoding="utf-8")


def try_mutant(mutant: Mutant, options: BenchOptions) -> Trial:
    """Runs the bench on a mutant until a test fails."""
    label = "mutants/" + re.sub(r"\W+", "_", mutant.name)
    try:
        verilog = mutated_verilog(mutant)
        outcome = run_bench(mutant.config, options, verilog=verilog, label=label)
    except RunError as error:
        return Trial(mutant, None, "", str(error).splitlines()[0])
    if not outcome.failures:
        return Trial(mutant, None, "", None)
    first = outcome.failures[0]
    return Trial(mutant, first.test, "\n".join(first.report.splitlines()[:2]), None)


def try_control(config: Config, options: BenchOptions) -> str | None:
    """Runs the same bench on the unit as it is.

    Returns:
        What failed, or None when all tests pass.
    """
    outcome = run_bench(config, options, label=f"mutants/control_{config.name}")
    return f"{config.name} fails as it is: {outcome.failures[0].test}" if outcome.failures else None


def try_mutants(
    mutants: Sequence[Mutant],
    options: BenchOptions,
    *,
    jobs: int = 2,
    done: Callable[[Trial], None] = lambda trial: None,
) -> tuple[list[Trial], list[str]]:
    """Tries mutants side by side, and their units as they are.

    Args:
        mutants: what to try.
        options: how to run each bench.
        jobs: how many run at a time.
        done: called with each trial as it comes.

    Returns:
        The trials, in the order of `mutants`, and what failed on units without a fault. Such a failure makes the trials
        worthless.
    """
    with Workers(jobs, quiet) as pool:
        tries = {pool.submit(try_mutant, mutant, options): mutant for mutant in mutants}
        controls = [
            pool.submit(try_control, config, options) for config in dict.fromkeys(mutant.config for mutant in mutants)
        ]
        for future in as_completed(tries):
            done(future.result())
        broken = [found for control in controls if (found := control.result())]
    trials = {trial.mutant: trial for trial in (future.result() for future in tries)}
    return [trials[mutant] for mutant in mutants], broken
