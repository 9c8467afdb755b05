"""What a fault is: a textual change of the Amaranth source, and the unit that the fault is put into.

A text that is not found exactly once is an error (`run.StaleMutant`): the source has moved on and the fault must follow
it.
"""

from dataclasses import dataclass

from amxfp4.hw.config import Config


@dataclass(frozen=True)
class Change:
    """`old`, which occurs exactly once in a file of `hw/`, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """A fault put into a unit.

    Attributes:
        name: in words, what is wrong.
        config: the unit.
        changes: of the source.
    """

    name: str
    config: Config
    changes: tuple[Change, ...]


def made(name: str, config: Config, *changes: tuple[str, str, str]) -> Mutant:
    """A mutant from (file, old, new) triples."""
    return Mutant(name, config, tuple(Change(*change) for change in changes))
