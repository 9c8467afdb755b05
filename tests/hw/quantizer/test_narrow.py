"""Narrowing: every bfloat16, and floats about the borders of what is held, against their values."""

import numpy as np
import pytest
from helpers.comb import evaluate, generator
from helpers.quantizer_parts import HALVING, ROUNDINGS, SCALE_FORMATS

from amxfp4.golden.formats import Rounding
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.narrow import Narrow

FRACTION_BITS = 23


def float32_bits() -> np.ndarray:
    """Every sign and exponent, with fractions that are all zeros, all ones, one bit or random."""
    rng = generator()
    fractions = np.concatenate([[0, (1 << 23) - 1], 1 << np.arange(23), rng.integers(1 << 23, size=15)])
    head, fraction = (axis.ravel() for axis in np.meshgrid(np.arange(512), fractions))
    return (head << FRACTION_BITS) | fraction


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("format", [*SCALE_FORMATS, HALVING])
@pytest.mark.parametrize("input", ["bfloat16", "float32"])
def test_what_is_held(format: str, rounding: Rounding, input: str) -> None:
    """Within the window the exponent is moved and the fraction cut. With ties to even the cut bits leave a sticky bit.
    Beyond the window exponents are at its ends. NaN and infinity are told."""
    config = QuantizerConfig(format, input=input, rounding=rounding)
    bits = np.arange(1 << 16) if input == "bfloat16" else float32_bits()
    found = evaluate(Narrow(config), float=bits)
    wide = bits << 16 if input == "bfloat16" else bits
    field, fraction = wide >> FRACTION_BITS & 255, wide & ((1 << FRACTION_BITS) - 1)
    cut = FRACTION_BITS - config.kept_fraction_bits
    kept, below = fraction >> cut, (fraction & ((1 << cut) - 1)) != 0

    np.testing.assert_array_equal(found["element"]["negative"], wide >> 31)
    np.testing.assert_array_equal(found["special"], field == 255)
    expected = kept << 1 | below if rounding == "nearest-even" else kept
    np.testing.assert_array_equal(found["element"]["fraction"], expected)
    largest = (1 << config.exponent_bits) - 1
    held = np.clip(field - 127 + config.window_bias, 0, largest)
    np.testing.assert_array_equal(found["element"]["exponent"], held)
    assert ("below" in found) == bool(config.maximum_sticky)
    if config.maximum_sticky:
        np.testing.assert_array_equal(found["below"], below)


def test_what_lies_beyond_the_window_is_beyond_every_threshold() -> None:
    """So the fraction of a float beyond the window does not matter."""
    for format in (*SCALE_FORMATS[:3], HALVING):
        config = QuantizerConfig(format)
        steps = [*config.scale_steps, *(config.halving_steps if config.halving else ())]
        fields = [step.exponent + config.window_bias for step in steps]
        assert min(fields) > 0 and max(fields) < (1 << config.exponent_bits) - 1
