"""Floats for a quantiser reach the corners they name, and output beats are read as the layout has them."""

from functools import partial

import numpy as np
import pytest
from amaranth.lib import data

from amxfp4.golden import BLOCK_FORMAT_NAMES, Blocks
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.sim.stimuli.floats import beside, bits_of, floats, negated, random_bits
from amxfp4.sim.stimuli.kit_quantizer import Beat, QuantizerKit
from amxfp4.sim.stimuli.row_corners import Row, corners
from amxfp4.sim.units import full, small

X2 = QuantizerConfig("AMXFP4-X2", lanes=4, input="float32")
CONFIGS = [
    QuantizerConfig("AMXFP4", lanes=8),
    QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even"),
    QuantizerConfig("MXFP4-E4M3", lanes=8, block_size=8),
    X2,
    QuantizerConfig("AMXFP4-Z", lanes=8),
]


def case(config: QuantizerConfig, name: str) -> list[tuple[Row, Blocks]]:
    kit = QuantizerKit(config)
    return [(row, kit.quantized(row)) for row in corners(config)[name](config, np.random.default_rng(1))]


def values_of(config: QuantizerConfig, row: Row) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return floats(config, row.bits).astype(np.float64)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_every_corner_is_what_it_says(config: QuantizerConfig) -> None:
    scale = config.block_format.scale
    found = {name: case(config, name) for name in corners(config)}
    for name, rows in found.items():
        assert rows, name
        assert all(row.bits.shape[1:] == (config.block_size,) and row.bits.dtype == np.uint32 for row, _ in rows), name

    (row, blocks) = found["specials"][0]
    finite = np.isfinite(values_of(config, row))
    assert not finite[::2].all(axis=1).any() and finite[1::2].all(), "a clean block after each"
    alone = ~finite[::2][(~finite[::2]).sum(axis=1) == 1]
    assert alone.any(axis=0).sum() > config.block_size * 0.7
    assert (blocks.scales[0, ::2, 0] == scale.nan_code).all() and (blocks.scales[0, 1::2, 0] <= scale.max_code).all()

    tiny = np.finfo(np.float32).tiny
    magnitudes = np.abs(values_of(config, found["subnormals"][0][0]))
    assert (magnitudes > 0).all() and (magnitudes < tiny).all()

    signs = np.concatenate([row.bits for row, _ in found["zeros"]])
    assert (signs == 1 << (config.float_bits - 1)).any()

    codes = np.unique(np.concatenate([blocks.scales[0, :, 0] for _, blocks in found["scale_ties"]]))
    least = 1 if config.specials else 0
    assert {least, 1, 2, scale.max_code if scale.is_fp8 else 252} <= set(codes.tolist())

    elements = np.unique(np.concatenate([blocks.codes[0] for _, blocks in found["element_ties"]]))
    if not config.specials:  # a block at the threshold of an element is at that of a special value too
        assert set(elements.tolist()) == set(range(16)) - {8}

    if scale.is_fp8:
        least = found["underflow"][0][1].scales[0]
        assert 1 in least[:, 0] and (0 in least[:, 0] or config.specials)
    assert (found["largest"][0][1].scales[0, :, 0] >= (scale.max_code if scale.is_fp8 else 250)).any()


def test_sides_at_the_limit_of_halving_fall_on_either_side_of_it() -> None:
    (row, blocks) = case(X2, "halving")[0]
    code, asymmetry = blocks.scales[0, :, 0], blocks.scales[0, :, 1]
    assert {0, 1, 2} == set(asymmetry.tolist())
    usual = code > 1
    before, at, after = asymmetry[usual][:-6].reshape(-1, 3, 2).transpose(1, 0, 2)
    assert before.all() and at.all() and not after.any()
    # Under code 1 both sides can be within the limit, and then neither is halved.
    sides = np.maximum(np.stack([values_of(X2, row).max(axis=1), -values_of(X2, row).min(axis=1)]), 0)
    assert not asymmetry[(code == 1) & (sides <= 3.5 * 2.0**-17).all(axis=0)].any()


@pytest.mark.parametrize("format", ("AMXFP4-Z8", "AMXFP4-Z"))
def test_special_values_on_either_side_of_every_edge(format: str) -> None:
    config = QuantizerConfig(format, lanes=8)
    rows = {row.what: (row, blocks) for row, blocks in case(config, "special_values")}
    fields = np.concatenate([blocks.scales[0] for _, blocks in rows.values()])
    assert set(fields[:, 1].tolist()) == set(range(config.block_format.asymmetry_codes))
    assert {0, 1, 2, 126} <= set(fields[:, 0].tolist())

    def by_step(what: str, field: int) -> np.ndarray:
        """The field of the blocks with normal scales, (step, blocks)."""
        usual = slice(7 * 6, -2 * 6)
        return rows[what][1].scales[0, usual, field].reshape(-1, 3, 2).transpose(1, 0, 2).reshape(3, -1)

    before, at, after = by_step("smaller side at the limit", 0)
    assert (before < at).all() and (at <= after).all(), "crowded from the limit on"
    specials = (rows["elements at the least of 8"][1].codes.reshape(-1, 32) == 8).sum(axis=1)
    before, at, after = specials[7 * 6 : -2 * 6].reshape(-1, 3, 2).transpose(1, 0, 2).reshape(3, -1)
    assert (before + 1 == at).all() and (at == after).all(), "8 from 7 scales on"
    for what in ("the largest element stands just alone", "it stands just alone of the other side"):
        before, at, after = by_step(what, 1) >> 1
        assert before.all() == (format == "AMXFP4-Z") and not at.any() and not after.any()


def test_floats_and_their_bits() -> None:
    for config in (CONFIGS[0], X2):
        one = bits_of(config, 1.0)
        assert floats(config, np.array([one, negated(config, one)])).tolist() == [1, -1]
        step = float(floats(config, np.array([beside(one, 1)]))[0]) - 1
        assert step == 2.0**-config.input_fraction_bits
        bits = random_bits(config, np.random.default_rng(1), (500,))
        with np.errstate(invalid="ignore"):
            values = floats(config, bits).astype(np.float64)
        assert (~np.isfinite(values)).any(axis=1).mean() < 0.2
        assert (values > 0).any() and (values < 0).any() and (bits == 0).any()
        assert (np.isfinite(values) & (values != 0) & (np.abs(values) < 2.0**-126)).any()


def test_a_beat_is_read_where_it_counts() -> None:
    payload = (
        data.Const(
            X2.output_layout,
            X2.output_layout.const({"codes": [1, 2, 3, 15], "scales": [0xFE], "halved": 2, "last": 1}).as_value().value,
        )
        .as_value()
        .value
    )
    read = [Beat.unpack(X2, beat, payload) for beat in (0, 3, 7)]
    assert read[0] == Beat((1, 2, 3, 15), (0xFE, 2), None)
    assert read[1] == Beat((1, 2, 3, 15), None, None)
    assert read[2] == Beat((1, 2, 3, 15), None, True)
    assert [str(beat) for beat in read] == ["codes=123f scales=0xfe,0x2", "codes=123f", "codes=123f last=1"]


def test_expectations_of_a_run() -> None:
    kit = QuantizerKit(X2)
    rng = np.random.default_rng(1)
    rows = kit.random(200, rng)
    script = kit.script(rows, rng)
    beats = sum(len(row.bits) for row in rows) * 8
    assert len(script.beats["i"]) == len(script.expected) == beats >= 200
    assert [(e.first_beat, e.last_beat) for e in script.expected[:16]] == [(0, 7)] * 8 + [(8, 15)] * 8
    due = script.due({"i": [True] * beats}, [True] * beats)
    assert due.taken["i"] == list(range(beats))
    assert due.given == [beat + X2.latency for beat in range(beats)]
    assert isinstance(script.expected[0].read, partial)


def test_the_matrices_cover_what_they_promise() -> None:
    configs = small("quantizer")
    assert len({config.name for config in configs}) == len(configs)
    formats = {config.format for config in configs}
    for name in formats:
        assert {config.input for config in configs if config.format == name} == {"bfloat16", "float32"}
        assert {config.rounding for config in configs if config.format == name} == {"nearest-away", "nearest-even"}
    assert {config.lanes for config in configs} == {1, 2, 4, 8, 16, 32}
    assert {config.block_size for config in configs} == {8, 16, 32, 64, 128}
    assert formats == set(BLOCK_FORMAT_NAMES)
    assert len(full("quantizer")) > 180
    assert len(full("chain")) > 40
