"""The maxima of a beat, of each side or of all."""

import numpy as np
import pytest
from helpers.comb import evaluate, generator

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.maxima import BeatMaxima


@pytest.mark.parametrize("lanes", (1, 2, 4, 16))
@pytest.mark.parametrize("format", ("AMXFP4", "MXFP4", "AMXFP4-E8M0", "AMXFP4-X2", "AMXFP4-Z8", "AMXFP4-Z"))
def test_random_beats(format: str, lanes: int) -> None:
    """Magnitudes of few values, so that equal ones meet, and of all."""
    rng = generator()
    config = QuantizerConfig(format, lanes=lanes)
    count = 4000
    few = rng.integers(0, 1 << config.maximum_bits, 4)
    magnitude = np.where(
        np.arange(count)[:, None] % 2,
        rng.choice(few, (count, lanes)),
        rng.integers(0, 1 << config.maximum_bits, (count, lanes)),
    )
    negative = rng.random((count, lanes)) < rng.choice([0, 0.5, 1], (count, 1))
    found = evaluate(BeatMaxima(config), magnitude=magnitude, negative=(negative << np.arange(lanes)).sum(axis=1))[
        "maximum"
    ]
    if config.sides == 2:
        expected = np.stack([(magnitude * ~negative).max(axis=1), (magnitude * negative).max(axis=1)], axis=1)
    else:
        expected = magnitude.max(axis=1, keepdims=True)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("lanes", (1, 2, 8))
def test_rivals_of_a_side(lanes: int) -> None:
    """A side's maximum has a rival where twice the second largest of its own lanes exceeds it, of few exponents.

    A lane of the other side may count: where there is no rival on either side, there is no flag.
    """
    rng = generator()
    config = QuantizerConfig("AMXFP4-Z", lanes=lanes)
    bits = config.maximum_fraction_bits
    exponent, fraction = rng.integers(8, 12, (4000, lanes)), rng.integers(0, 1 << bits, (4000, lanes))
    negative = rng.random((4000, lanes)) < rng.choice([0, 0.5, 1], (4000, 1))
    found = evaluate(
        BeatMaxima(config), magnitude=exponent << bits | fraction, negative=(negative << np.arange(lanes)).sum(axis=1)
    )
    cut = (4 + (fraction >> (bits - 2))) << exponent
    for side in (0, 1):
        own = np.sort(np.where(negative == side, cut, 0), axis=1)
        largest = own[:, -1:]
        on_its_side = 2 * own[:, -2] > own[:, -1] if lanes > 1 else np.zeros(len(own), bool)
        anywhere = ((2 * cut > largest) & (cut < 2 * largest)).sum(axis=1) > 1
        flag, some = (found["rivalled"] >> side & 1) == 1, largest[:, 0] > 0
        assert flag[some & on_its_side].all()
        assert not flag[some & ~anywhere].any()
        assert (some & ~anywhere).any()
        assert (some & on_its_side).any() == (lanes > 1)
