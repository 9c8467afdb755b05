"""Narrowed products: every bfloat16, and products about the places where rounding to float32 shows, against golden."""

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator
from helpers.quantizer_parts import HALVING
from numpy.typing import NDArray

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.narrow import Narrow
from amxfp4.hw.quantizer.scaled_narrow import ScaledNarrow, split_reciprocal

CONFIGS = [
    QuantizerConfig("NVFP4"),
    QuantizerConfig("MXFP4-E5M2", tensor_scale=True),
    QuantizerConfig(HALVING, tensor_scale=True),
]
FLOAT32_CONFIGS = [
    QuantizerConfig("NVFP4", input="float32"),
    QuantizerConfig(HALVING, input="float32", tensor_scale=True),
]


class Scaled(wiring.Component):
    """`ScaledNarrow` with the reciprocal as a float32."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        outputs = {"element": Out(config.element_layout), "special": Out(1)}
        outputs |= {"below": Out(1)} if config.maximum_sticky else {}
        self.outputs = list(outputs)
        super().__init__({"float": In(config.float_bits), "reciprocal": In(32), **outputs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = narrow = ScaledNarrow(self.config)
        parts = split_reciprocal(m, self.reciprocal)
        m.d.comb += [
            narrow.float.eq(self.float),
            narrow.once.eq(parts.once),
            narrow.thrice.eq(parts.thrice),
            narrow.exponent.eq(parts.exponent),
            *(getattr(self, name).eq(getattr(narrow, name)) for name in self.outputs),
        ]
        return m


def product(x: NDArray[np.float32], reciprocal: NDArray[np.float32]) -> NDArray[np.float32]:
    """The contract in `golden.tensor_scale.divided`."""
    least, largest = np.finfo(np.float32).smallest_normal, np.finfo(np.float32).max
    with np.errstate(all="ignore"):
        y = np.where(np.abs(x) < least, np.float32(0), x) * reciprocal
        y = np.where(np.abs(y) < least, np.float32(0), y)
        return np.where(np.isfinite(x), np.clip(y, -largest, largest), x).astype(np.float32)


def check(config: QuantizerConfig, x: NDArray[np.uint32], reciprocal: NDArray[np.uint32]) -> None:
    """What is held of the product is what `Narrow` holds of golden's product, where that lies within the window."""
    wide = x << np.uint32(32 - config.float_bits)
    y = product(wide.view(np.float32), reciprocal.view(np.float32)).view(np.uint32).astype(np.int64)
    as_float32 = QuantizerConfig(config.format, input="float32", rounding=config.rounding)
    expected = evaluate(Narrow(as_float32), float=y)
    found = evaluate(Scaled(config), float=x.astype(np.int64), reciprocal=reciprocal.astype(np.int64))
    np.testing.assert_array_equal(found["special"], expected["special"])
    usual = expected["special"] == 0
    np.testing.assert_array_equal(found["element"]["exponent"][usual], expected["element"]["exponent"][usual])
    counts = found["element"]["exponent"] > 0  # below the window a sign does not matter
    np.testing.assert_array_equal(found["element"]["negative"][counts], expected["element"]["negative"][counts])
    within = usual & counts & (found["element"]["exponent"] < (1 << config.exponent_bits) - 1)
    np.testing.assert_array_equal(found["element"]["fraction"][within], expected["element"]["fraction"][within])
    if config.maximum_sticky:
        np.testing.assert_array_equal(found["below"][within], expected["below"][within])


def near_boundaries(config: QuantizerConfig, count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Floats and reciprocals whose products lie within a few float32 steps of numbers of few bits."""
    rng = generator()
    fraction_bits = config.input_fraction_bits
    x = rng.integers(1 << fraction_bits, 2 << fraction_bits, count)
    few = rng.integers(1 << config.kept_fraction_bits, 2 << config.kept_fraction_bits, count)
    # r lies in [1, 2) where few / x does, and is halved or doubled where not.
    quotient = few * 2.0**-config.kept_fraction_bits / (x * 2.0**-fraction_bits)
    significand = np.rint(np.where(quotient < 1, 2 * quotient, quotient) * 2**23).astype(np.int64)
    significand = np.clip(significand + rng.integers(-1, 2, count), 1 << 23, (2 << 23) - 1)
    exponent = rng.integers(117, 137, count)
    reciprocal = (254 - exponent + rng.integers(-8, 9, count)) << 23 | significand & ((1 << 23) - 1)
    bits = exponent << fraction_bits | x & ((1 << fraction_bits) - 1)
    bits |= rng.integers(0, 2, count) << (config.float_bits - 1)
    return bits.astype(np.uint32), reciprocal.astype(np.uint32)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_every_bfloat16(config: QuantizerConfig) -> None:
    """With reciprocals of few bits and of many, of every exponent, many of which take the product near 1."""
    rng = generator()
    x = np.arange(1 << 16, dtype=np.uint32)
    exponent = rng.integers(1, 254, len(x), dtype=np.uint32)
    exponent = np.where(rng.random(len(x)) < 0.5, np.clip(254 - (x >> 7 & 255), 1, 253), exponent).astype(np.uint32)
    fraction = rng.integers(1 << 23, size=len(x), dtype=np.uint32)
    few = np.where(rng.random(len(x)) < 0.3, ~np.uint32((1 << 17) - 1), ~np.uint32(0))
    check(config, x, exponent << 23 | fraction & few)


@pytest.mark.parametrize("config", [*CONFIGS, *FLOAT32_CONFIGS], ids=lambda config: config.name)
def test_where_rounding_shows(config: QuantizerConfig) -> None:
    x, reciprocal = near_boundaries(config, 20_000 if config.input == "bfloat16" else 4000)
    check(config, x, reciprocal)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_ties_of_rounding(config: QuantizerConfig) -> None:
    """Products exactly half a float32 step above or below numbers of few bits."""
    significands = np.arange(1 << 23, 1 << 24, dtype=np.int64)
    found = []
    for x in (128, 160, 192, 224):
        exact = x * significands
        wide = exact >> 31  # then a step is 2^8, otherwise 2^7
        below = 30 + wide - config.kept_fraction_bits  # bits below the kept ones
        rest = exact & ((1 << below) - 1)
        half = 1 << (6 + wide)
        ties = significands[(rest == half) | (rest == (1 << below) - half)]
        found.append(np.stack([np.full(len(ties), 127 << 7 | x & 127), 127 << 23 | ties & ((1 << 23) - 1)]))
    x_bits, reciprocals = np.concatenate(found, axis=1).astype(np.uint32)
    assert len(x_bits) > 20
    check(config, x_bits, reciprocals)


def test_rounding_does_show() -> None:
    """Both ways: products just below a number of few bits become it, and so do some just above."""
    config = QuantizerConfig("MXFP4-E4M3")
    x, reciprocal = near_boundaries(config, 30_000)
    exact = (x << np.uint32(16)).view(np.float32).astype(np.float64) * reciprocal.view(np.float32)
    rounded = exact.astype(np.float32).astype(np.float64)
    few = np.ldexp(np.rint(np.ldexp(np.frexp(rounded)[0], 7)), np.frexp(rounded)[1] - 7) == rounded
    assert (few & (np.abs(rounded) > np.abs(exact))).sum() > 100
    assert (few & (np.abs(rounded) < np.abs(exact))).sum() > 100
