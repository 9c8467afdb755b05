"""What a bench must know of a unit: what to send through it, what must come of it, and when."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amxfp4.sim.scoreboard import Due, Expected

Rng = np.random.Generator
Corner = Callable[[Any, Rng], Any]
"""Turns (config, rng) into the stimuli of one directed case. The function's name is the case's name."""

LONG_BLOCKS = 1000
"""Blocks of the one stimulus of the longest test."""


@dataclass(frozen=True)
class Script:
    """What a bench plays: stimuli as beats, and what must come of them.

    Attributes:
        beats: the payloads of each input stream, in order.
        expected: the golden model's results.
        due: the golden model's cycle of every transfer. It is called with what both ends did: `valid` of each input
            stream in each cycle, and `o.ready` in each cycle.
    """

    beats: Mapping[str, list[int]]
    expected: list[Expected]
    due: Callable[[Mapping[str, Sequence[bool]], Sequence[bool]], Due]


class Kit(ABC):
    """The stimuli and expectations of a unit. Each kind of unit has a subclass.

    What a stimulus is, the subclass decides: a dot product, a row of floats.
    """

    def __init__(self, config: Any) -> None:
        self.config = config

    @property
    @abstractmethod
    def corners(self) -> dict[str, Corner]:
        """The directed corner cases that this config has, by name."""

    @abstractmethod
    def random(self, beats: int, rng: Rng) -> list[Any]:
        """Random stimuli of about `beats` beats in all."""

    @abstractmethod
    def long(self, rng: Rng) -> Any:
        """One random stimulus of `LONG_BLOCKS` blocks."""

    @abstractmethod
    def script(self, stimuli: Sequence[Any], rng: Rng) -> Script:
        """The stimuli one after the other, with junk from `rng` in fields that a unit does not read."""
