"""Counting thresholds met: every held magnitude, against a search in the list of them."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.functions import FunctionOf
from helpers.quantizer_parts import HALVING, ROUNDINGS

from amxfp4.golden.formats import Rounding
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.step_count import count_steps
from amxfp4.hw.quantizer.thresholds import Step


def check(config: QuantizerConfig, steps: tuple[Step, ...], fraction_bits: int) -> None:
    """Counts by a search: magnitudes compare as the integers whose upper bits are the exponent, lower the fraction."""
    bits, mantissa_bits = config.exponent_bits, config.block_format.scale.mantissa_bits
    exponent, fraction = (axis.ravel() for axis in np.indices((1 << bits, 1 << fraction_bits)))
    due = [((step.exponent + config.window_bias) << fraction_bits) + step.fraction for step in steps]
    assert due == sorted(due)
    unit = FunctionOf(
        {"fraction": fraction_bits, "exponent": bits},
        len(steps).bit_length(),
        lambda m, fraction, exponent: count_steps(
            m, steps, fraction, exponent, window_bias=config.window_bias, mantissa_bits=mantissa_bits
        ),
    )
    found = evaluate(unit, fraction=fraction, exponent=exponent)["y"]
    np.testing.assert_array_equal(found, np.searchsorted(due, (exponent << fraction_bits) + fraction, side="right"))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("format", ["MXFP4-E5M2", "MXFP4-E4M3", "MXFP4-UE5M3"])
def test_scale_codes(format: str, rounding: Rounding) -> None:
    config = QuantizerConfig(format, rounding=rounding)
    check(config, config.scale_steps, config.fraction_bits)


def test_codes_too_small_for_halving() -> None:
    config = QuantizerConfig(HALVING)
    check(config, config.halving_steps, config.kept_fraction_bits + 1)
