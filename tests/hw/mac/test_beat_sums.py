"""Sums of one beat by sign pair: every input of one and two lanes, random and extreme ones beyond."""

import numpy as np
import pytest
from helpers.comb import evaluate, generator
from helpers.mac_parts import is_direct, largest_product
from helpers.quick import full_but

from amxfp4.hw.config import LANES
from amxfp4.hw.mac.beat_sums import BeatSums
from amxfp4.hw.mac.config import MacConfig

# Which operands are asymmetric, with each kind of accumulator behind.
FORMATS = {
    "one sum": ("MXFP4-E5M2", "MXFP4-E4M3", "exact"),
    "by activation": ("AMXFP4", "MXFP4-E5M2", "exact"),
    "by weight": ("AMXFP4-X2", "AMXFP4", "fp32"),
    "one sum, halved sides": ("AMXFP4-X2", "AMXFP4-X2", "exact"),
    "one sum up to a power of two": ("AMXFP4-Z8", "AMXFP4-Z8", "exact"),
    "four": ("AMXFP4", "AMXFP4-E4M3", "fp32"),
    "four, two negated": ("AMXFP4", "AMXFP4", "exact"),
}


def kinds(lanes: int) -> list[MacConfig]:
    """Units of `lanes` lanes with each kind of sums, with and without a register behind."""
    configs = []
    for a, w, accumulator in FORMATS.values():
        if not is_direct(MacConfig(a, w, 128, lanes, accumulator)):
            configs += [MacConfig(a, w, 128, lanes, accumulator, front_registers=registers) for registers in (0, 1)]
    return configs


def check(config: MacConfig, magnitude: np.ndarray, a_sign: np.ndarray, w_sign: np.ndarray) -> None:
    """Rows add up to each sum with its offset, no carry lost. Signs are arrays (n, lanes)."""
    place = 1 << np.arange(config.lanes)
    signs = {"a_sign": (a_sign * place).sum(1), "w_sign": (w_sign * place).sum(1)}
    rows = evaluate(BeatSums(config.plan.sums), magnitude=magnitude, **signs, simulated=64 // config.lanes)["rows"]
    found = rows.sum(axis=2)
    a, w = config.formats
    # What a signed sum carries for each lane: the power of two above the largest product.
    offset = 1 << largest_product(config).bit_length()
    product = np.where(a_sign ^ w_sign, -magnitude, magnitude)
    for index in range(config.sign_pairs):
        a_side, w_side = divmod(index, 1 + w.asymmetric)
        mine = np.ones(magnitude.shape, bool)
        if a.asymmetric:
            mine &= a_sign == a_side
        if w.asymmetric:
            mine &= w_sign == w_side
        if config.sign_pairs < 4:
            expected = offset * config.lanes + np.where(mine, product, 0).sum(1)
        else:
            expected = np.where(mine, magnitude, 0).sum(1)
            if config.exact and index in (1, 2):
                expected = 256 * config.lanes - config.lanes // 2 - expected
        np.testing.assert_array_equal(found[:, index], expected, err_msg=f"sum {index}")


@pytest.mark.parametrize("config", kinds(1), ids=lambda config: config.name)
def test_every_input_of_one_lane(config: MacConfig) -> None:
    magnitude, a_sign, w_sign = (axis.reshape(-1, 1) for axis in np.indices((largest_product(config) + 1, 2, 2)))
    check(config, magnitude, a_sign, w_sign)


# Every kind of sums, with a register behind it or without one.
QUICK = {config.name for index, config in enumerate(kinds(2)) if index % 4 in (0, 3)}


@pytest.mark.parametrize("config", full_but(QUICK, kinds(2), lambda config: config.name))
def test_every_input_of_two_lanes(config: MacConfig) -> None:
    """Of products beyond 144, 145 of them from 0 to the largest."""
    values = np.linspace(0, largest_product(config), 145).astype(int)
    axes = [axis.ravel() for axis in np.indices((145, 145, 2, 2, 2, 2))]
    axes[0], axes[1] = values[axes[0]], values[axes[1]]
    check(config, *(np.stack(axes[i : i + 2], axis=1) for i in (0, 2, 4)))


def wide() -> list[MacConfig]:
    """Few of eight lanes and none of more, as large trees take long to elaborate; every kind comes up."""
    return kinds(4)[1::2] + kinds(8)[1::4]


@pytest.mark.parametrize("config", wide(), ids=lambda config: config.name)
def test_random_and_extreme_beats(config: MacConfig) -> None:
    check_random(config)


@pytest.mark.full
@pytest.mark.parametrize("config", [c for lanes in LANES[2:] for c in kinds(lanes)], ids=lambda config: config.name)
def test_every_kind_of_sums(config: MacConfig) -> None:
    check_random(config)


def check_random(config: MacConfig) -> None:
    rng = generator()
    shape = (4000, config.lanes)
    magnitude = rng.integers(largest_product(config) + 1, size=shape)
    magnitude[::3] = rng.choice([0, largest_product(config)], size=magnitude[::3].shape)
    magnitude[::10] = largest_product(config)
    a_sign, w_sign = rng.integers(2, size=(2, *shape))
    # All lanes in one sum, in each.
    a_sign[::4], w_sign[::4] = rng.integers(2, size=(2, 1000, 1))
    check(config, magnitude, a_sign, w_sign)
