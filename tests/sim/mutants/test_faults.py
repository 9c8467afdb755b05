"""The lists of faults: each name is there once, each fault applies, and those of a file of `hw/` stand together."""

from collections import defaultdict

import pytest

from amxfp4.sim.mutants import faults
from amxfp4.sim.mutants.faults import MUTANTS
from amxfp4.sim.mutants.faults.fault import Mutant
from amxfp4.sim.mutants.run import SOURCE

FILES = [module for module in vars(faults).values() if hasattr(module, "FAULTS")]


def test_names_are_unique() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)


def test_all_faults_of_a_hardware_file_stand_in_one_file() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for file in FILES:
        for mutant in file.FAULTS:
            for change in mutant.changes:
                homes[change.file].add(file.__name__)
    assert {hardware: where for hardware, where in homes.items() if len(where) > 1} == {}
    assert sum(len(file.FAULTS) for file in FILES) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_mutant_still_applies(mutant: Mutant) -> None:
    for change in mutant.changes:
        text = (SOURCE / change.file).read_text()
        assert text.count(change.old) == 1, f"{change.old!r} in {change.file}"
