"""What a bench must know of a unit: what to send through it, and what has to come of it and when."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amxfp4.sim.scoreboard import Due, Expected

Rng = np.random.Generator
Corner = Callable[[Any, Rng], Any]
"""(config, rng) to the stimuli of one directed case, whose name is the function's."""

LONG_BLOCKS = 1000
"""Blocks in one piece of the longest test."""


@dataclass(frozen=True)
class Run:
    """Stimuli as a unit sees them, and what must come of them.

    Attributes:
        beats: per input stream, its payloads in order.
        expected: the golden model's results.
        due: from what both ends did (per input stream and cycle, `valid`; per cycle, `o.ready`), the golden model's
            cycle of every transfer.
    """

    beats: Mapping[str, list[int]]
    expected: list[Expected]
    due: Callable[[Mapping[str, Sequence[bool]], Sequence[bool]], Due]


class Kit(ABC):
    """A unit's stimuli and expectations; one subclass for each kind of unit.

    A stimulus is whatever the subclass makes of it: a dot product, a row of floats.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    @property
    @abstractmethod
    def corners(self) -> dict[str, Corner]:
        """The directed corner cases that this config has, by name."""

    @abstractmethod
    def random(self, beats: int, rng: Rng) -> list[Any]:
        """Random stimuli of some `beats` beats in all."""

    @abstractmethod
    def long(self, rng: Rng) -> Any:
        """One random stimulus of `LONG_BLOCKS` blocks."""

    @abstractmethod
    def run(self, stimuli: Sequence[Any], rng: Rng) -> Run:
        """The stimuli one after the other, with junk from `rng` where a unit does not look."""
