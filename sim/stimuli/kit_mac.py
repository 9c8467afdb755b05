"""Dot products for a MAC unit."""

from collections.abc import Mapping, Sequence

from amxfp4.golden.cycles import schedule
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.scoreboard import Due
from amxfp4.sim.stimuli.dot_corners import corners
from amxfp4.sim.stimuli.dots import DotProduct, random_dot, random_dots, to_beats
from amxfp4.sim.stimuli.kit import LONG_BLOCKS, Corner, Kit, Rng, Script


class MacKit(Kit):
    """A stimulus is a `DotProduct`."""

    config: MacConfig

    @property
    def corners(self) -> dict[str, Corner]:
        return corners(self.config)

    def random(self, beats: int, rng: Rng) -> list[DotProduct]:
        return random_dots(self.config, beats, rng)

    def long(self, rng: Rng) -> DotProduct:
        return random_dot(self.config, LONG_BLOCKS, rng)

    def script(self, stimuli: Sequence[DotProduct], rng: Rng) -> Script:
        beats, last, expected = to_beats(self.config, stimuli, rng)

        def due(offered: Mapping[str, Sequence[bool]], ready: Sequence[bool]) -> Due:
            found = schedule(
                last,
                latency=self.config.latency,
                beats_per_block=self.config.beats_per_block,
                offered=offered["i"],
                ready=ready,
            )
            return Due({"i": found.taken.tolist()}, found.given.tolist())

        return Script({"i": beats}, expected, due)
