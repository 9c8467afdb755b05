"""Beats carry what the manifest says, and the stimulus reaches the corners it names."""

from dataclasses import dataclass

import numpy as np
import pytest
from amaranth.lib import data

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.scoreboard import Expected
from amxfp4.sim.stimuli.dot_corners import corners
from amxfp4.sim.stimuli.dots import DotProduct, random_dots, to_beats
from amxfp4.sim.stimuli.packing import integers, pack
from amxfp4.sim.units import full, narrowest, quick, small


@dataclass(frozen=True)
class Run:
    beats: list[int]
    last: list[bool]
    expected: list[Expected]


def run_of(config: MacConfig, dots: list[DotProduct]) -> Run:
    return Run(*to_beats(config, dots, np.random.default_rng(1)))


def test_packing_puts_fields_where_the_layout_has_them() -> None:
    layout = MacConfig("AMXFP4-X2", "AMXFP4", lanes=16).beat_layout
    rng = np.random.default_rng(1)
    values = {
        "a_codes": rng.integers(16, size=(50, 16)),
        "w_codes": rng.integers(16, size=(50, 16)),
        "a_scales": rng.integers(256, size=(50, 1)),
        "a_halved": rng.integers(4, size=50),
        "w_scales": rng.integers(128, size=(50, 2)),
        "last": rng.integers(2, size=50),
    }
    packed = integers(pack(layout, values))
    for index, payload in enumerate(packed):
        view = data.Const(layout, payload)
        for name, value in values.items():
            field = view[name]
            found = [int(x) for x in field] if isinstance(field, data.Const) else int(field)
            assert found == value[index].tolist()


def test_scales_and_last_are_junk_where_the_unit_does_not_look() -> None:
    config = MacConfig(lanes=8)
    dots = random_dots(config, 400, np.random.default_rng(2))
    run = run_of(config, dots)
    views = [data.Const(config.beat_layout, beat) for beat in run.beats]
    firsts = [view for index, view in enumerate(views) if index % config.beats_per_block == 0]
    others = [view for index, view in enumerate(views) if index % config.beats_per_block]
    scales = np.concatenate([dot.a.scales[0] for dot in dots])
    assert [[int(s) for s in view["a_scales"]] for view in firsts] == scales.tolist()
    assert len({int(view["a_scales"][0]) for view in others}) > 60
    inner = [last for beat, last in enumerate(run.last) if beat % config.beats_per_block != config.beats_per_block - 1]
    assert 0.3 < np.mean(inner) < 0.7
    ends = [last for beat, last in enumerate(run.last) if beat % config.beats_per_block == config.beats_per_block - 1]
    assert sum(ends) == len(dots)
    assert [e.last_beat for e in run.expected] == [
        beat for beat, last in enumerate(run.last) if last and beat % config.beats_per_block == 3
    ]


def test_the_same_seed_gives_the_same_run() -> None:
    config = MacConfig(lanes=4)
    first, second = (run_of(config, random_dots(config, 200, np.random.default_rng(7))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("config", small("mac"), ids=lambda config: config.name)
def test_every_corner_can_be_made(config: MacConfig) -> None:
    for name, corner in corners(config).items():
        run = run_of(config, list(corner(config, np.random.default_rng(3))))
        assert run.expected, name
        found = [expected.result for expected in run.expected]
        if name == "nan_scale":
            assert any(result.nan for result in found) and not all(result.nan for result in found)
        if name == "overflow":
            assert sum(result.overflow for result in found) >= 6  # to the limit and past it, either way
            assert sum(not result.nan for result in found) >= 4
        if name == "zero_blocks":
            assert found[0].value == found[1].value == 0


def test_float32_is_left_at_both_ends() -> None:
    config = MacConfig("MXFP4", "MXFP4", lanes=8)
    dots = list(corners(config)["beyond_float32"](config, np.random.default_rng(3)))
    found = [expected.result for expected in run_of(config, dots).expected]
    values = {result.value for result in found}
    assert {0x7F800000, 0xFF800000, 0, 0x80000000, 1, 0x80000001, 0x7F000000} <= values
    assert sum(0 < value & 0x7FFFFFFF < 0x800000 for value in values) > 10


def test_overflow_is_reached_to_the_last_value() -> None:
    config = narrowest(MacConfig())
    dots = list(corners(config)["overflow"](config, np.random.default_rng(3)))
    run = run_of(config, dots)
    by_name = {expected.what.split(",")[0]: expected.result for expected in reversed(run.expected)}
    assert by_name["7 of 8 blocks to the limit"].overflow is False
    assert by_name["8 of 8 blocks to the limit"].overflow is True
    negative = [e.result for e in run.expected if e.what.startswith("8 of 8")][1]
    assert not negative.overflow  # -2^(bits - 1) is the last value there is
    past = [e.result for e in run.expected if e.what.startswith("past the limit by the least bit")]
    assert all(result.overflow for result in past)


def test_the_matrices_cover_what_they_promise() -> None:
    configs = small("mac")
    assert len({config.name for config in configs}) == len(configs)
    for attribute, values in (
        ("lanes", {1, 2, 4, 8, 16, 32}),
        ("block_size", {8, 16, 32, 64, 128}),
        ("accumulator", {"exact", "fp32", "window"}),
    ):
        assert {getattr(config, attribute) for config in configs} == values
    formats = {config.activation for config in configs} | {config.weight for config in configs}
    assert formats == set(BLOCK_FORMAT_NAMES)
    users = {config.activation for config in quick("mac")} | {config.weight for config in quick("mac")}
    assert users >= {"AMXFP4-X2", "AMXFP4-Z8", "AMXFP4-Z", "NVFP4"}
    assert len(full("mac")) > 400
