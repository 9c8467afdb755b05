"""`python -m amxfp4.sim.mutants`: the same as `amxfp4 mutants`."""

from amxfp4.cli.main import run

run("mutants")
