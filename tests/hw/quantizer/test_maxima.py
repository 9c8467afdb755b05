"""The maxima of a beat, of each side or of all."""

import numpy as np
import pytest
from helpers.comb import evaluate, generator

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.maxima import BeatMaxima


@pytest.mark.parametrize("lanes", (1, 2, 4, 16))
@pytest.mark.parametrize("format", ("AMXFP4", "MXFP4", "AMXFP4-E8M0", "AMXFP4-X2"))
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
