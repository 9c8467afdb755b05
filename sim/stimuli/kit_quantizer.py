"""Rows of floats for a quantiser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from amaranth.lib import data

from amxfp4.golden import quantize
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.cycles import quantizer_schedule
from amxfp4.hw.config import asymmetry_field
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.sim.scoreboard import Due, Expected
from amxfp4.sim.stimuli.dots import last_flags
from amxfp4.sim.stimuli.floats import floats, random_bits
from amxfp4.sim.stimuli.kit import LONG_BLOCKS, Corner, Kit, Rng, Script
from amxfp4.sim.stimuli.packing import integers, pack
from amxfp4.sim.stimuli.row_corners import Row, corners


@dataclass(frozen=True)
class Beat:
    """The fields of an output beat that count.

    Attributes:
        codes: the element code of each lane.
        scales: the fields of `Blocks.scales` in a block's first beat, None in others.
        last: `last` in a block's last beat, None in others.
    """

    codes: tuple[int, ...]
    scales: tuple[int, ...] | None
    last: bool | None

    @classmethod
    def unpack(cls, config: QuantizerConfig, beat: int, payload: int) -> "Beat":
        """Reads a payload. `beat` is its place in the block."""
        view = data.Const(config.output_layout, payload)
        scales = [int(scale) for scale in view["scales"]]
        asymmetry = asymmetry_field(config.block_format)
        if asymmetry:
            scales.append(int(view[asymmetry]))
        return cls(
            tuple(int(code) for code in view["codes"]),
            tuple(scales) if beat == 0 else None,
            bool(view["last"]) if beat == config.beats_per_block - 1 else None,
        )

    def __str__(self) -> str:
        codes = "".join(f"{code:x}" for code in self.codes)
        scales = "" if self.scales is None else f" scales={','.join(f'{scale:#x}' for scale in self.scales)}"
        return f"codes={codes}{scales}" + ("" if self.last is None else f" last={self.last:d}")


class QuantizerKit(Kit):
    """A stimulus is a `Row`."""

    config: QuantizerConfig

    @property
    def corners(self) -> dict[str, Corner]:
        return corners(self.config)

    def random(self, beats: int, rng: Rng) -> list[Row]:
        rows: list[Row] = []
        left = beats
        while left > 0 or len(rows) < 4:
            blocks = int(rng.choice([1, 1, 2, 3, 5, 8]))
            rows.append(self._row(rng, blocks))
            left -= blocks * self.config.beats_per_block
        return rows

    def long(self, rng: Rng) -> Row:
        return self._row(rng, LONG_BLOCKS)

    def _row(self, rng: Rng, blocks: int) -> Row:
        bits = random_bits(self.config, rng, (blocks,))
        if not self.config.tensor_scale:
            return Row("random", bits)
        reach = 100 if rng.random() < 0.1 else 6
        return Row("random", bits, float(np.float32(rng.uniform(1, 2) * 2.0 ** int(rng.integers(-reach, reach)))))

    def script(self, stimuli: Sequence[Row], rng: Rng) -> Script:
        beats: list[int] = []
        expected: list[Expected] = []
        for row in stimuli:
            first = len(beats)
            last = last_flags(len(row.bits), self.config.beats_per_block, rng)
            beats += integers(pack(self.config.beat_layout, self.fields(row) | {"last": last}))
            expected += self._expected(row, self.quantized(row), last.astype(bool).tolist(), first)
        blocks = len(beats) // self.config.beats_per_block

        def due(offered: Mapping[str, Sequence[bool]], ready: Sequence[bool]) -> Due:
            found = quantizer_schedule(
                blocks,
                beats_per_block=self.config.beats_per_block,
                drain=self.config.drain,
                offered=offered["i"],
                ready=ready,
            )
            return Due({"i": found.taken.tolist()}, found.given.tolist())

        return Script({"i": beats}, expected, due)

    def fields(self, row: Row) -> dict[str, np.ndarray]:
        """The fields of a row's beats, without `last`."""
        elements = row.bits.reshape(-1, self.config.lanes)
        if not self.config.tensor_scale:
            return {"elements": elements}
        return {"elements": elements, "reciprocal": np.full(len(elements), row.reciprocal.view(np.uint32))}

    def quantized(self, row: Row) -> Blocks:
        """A row as the golden model quantises it. Its codes are (1, blocks x block size)."""
        values = floats(self.config, row.bits.reshape(1, -1))
        config = self.config
        return quantize(
            values, config.block_format, rounding=config.rounding, rule=config.rule, tensor_scale=row.tensor_scale
        )

    def _expected(self, row: Row, blocks: Blocks, last: list[bool], first: int) -> list[Expected]:
        n = self.config.beats_per_block
        codes = blocks.codes.reshape(-1, self.config.lanes).tolist()
        scales = blocks.scales[0].tolist()
        expected = []
        for index, lanes in enumerate(codes):
            block, beat = divmod(index, n)
            result = Beat(
                tuple(lanes),
                tuple(scales[block]) if beat == 0 else None,
                last[index] if beat == n - 1 else None,
            )
            begin = first + block * n
            what = f"{row.what}, block {block} of {len(scales)}, its beat {beat}"
            read = partial(Beat.unpack, self.config, beat)
            expected.append(Expected(result, what, begin, begin + n - 1, read))
        return expected
