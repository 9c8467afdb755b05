"""Rows of floats and blocks of weights for a quantiser with a MAC unit behind it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from amxfp4.golden import Blocks
from amxfp4.golden.cycles import chain_schedule
from amxfp4.hw.chain import ChainConfig
from amxfp4.sim.scoreboard import Due, Expected
from amxfp4.sim.stimuli.dots import golden_result, last_flags, operand_beats, random_dot
from amxfp4.sim.stimuli.kit import Corner, Kit, Rng, Script
from amxfp4.sim.stimuli.kit_quantizer import QuantizerKit
from amxfp4.sim.stimuli.packing import integers, pack
from amxfp4.sim.stimuli.row_corners import Row


@dataclass(frozen=True)
class FloatDot:
    """A dot product of floats with weights.

    Attributes:
        row: the floats.
        w: one row of weights, of as many blocks.
    """

    row: Row
    w: Blocks


class ChainKit(Kit):
    """A stimulus is a `FloatDot`. Corner cases are the quantiser's, in dot products of a few blocks."""

    config: ChainConfig

    def __init__(self, config: ChainConfig) -> None:
        super().__init__(config)
        self._quantizer = QuantizerKit(config.quantizer)

    @property
    def corners(self) -> dict[str, Corner]:
        def dots(case: Corner) -> Corner:
            def corner(config: ChainConfig, rng: Rng) -> Iterator[FloatDot]:
                for row in case(config.quantizer, rng):
                    for start in range(0, len(row.bits), 3):
                        yield self._dot(replace(row, bits=row.bits[start : start + 3]), rng)

            corner.__name__ = case.__name__
            return corner

        return {name: dots(case) for name, case in self._quantizer.corners.items()}

    def random(self, beats: int, rng: Rng) -> list[FloatDot]:
        return [self._dot(row, rng) for row in self._quantizer.random(beats, rng)]

    def long(self, rng: Rng) -> FloatDot:
        return self._dot(self._quantizer.long(rng), rng)

    def _dot(self, row: Row, rng: Rng) -> FloatDot:
        return FloatDot(row, random_dot(self.config.mac, len(row.bits), rng).w)

    def script(self, stimuli: Sequence[FloatDot], rng: Rng) -> Script:
        config = self.config
        floats: list[int] = []
        weights: list[int] = []
        last: list[bool] = []
        expected: list[Expected] = []
        for dot in stimuli:
            first = len(floats)
            flags = last_flags(dot.w.block_count, config.beats_per_block, rng)
            last += flags.astype(bool).tolist()
            fields = self._quantizer.fields(dot.row)
            floats += integers(pack(config.quantizer.beat_layout, fields | {"last": flags}))
            weights += integers(pack(config.weight_layout, operand_beats(config.mac, "w", dot.w, rng)))
            expected.append(self._expected(dot, first, len(floats) - 1))

        def due(offered: Mapping[str, Sequence[bool]], ready: Sequence[bool]) -> Due:
            found = chain_schedule(
                last,
                beats_per_block=config.beats_per_block,
                drain=config.quantizer.drain,
                latency=config.mac.latency,
                activations=offered["a"],
                weights=offered["w"],
                ready=ready,
            )
            return Due({"a": found.activations.tolist(), "w": found.weights.tolist()}, found.given.tolist())

        return Script({"a": floats, "w": weights}, expected, due)

    def _expected(self, dot: FloatDot, first: int, last: int) -> Expected:
        result = golden_result(self.config.mac, self._quantizer.quantized(dot.row), dot.w)
        return Expected(result, f"{dot.row.what}, {dot.w.block_count} blocks", first, last)
