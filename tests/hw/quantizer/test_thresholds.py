"""Thresholds: against the exact midpoints between the values that they part."""

from fractions import Fraction
from itertools import pairwise

import pytest

from amxfp4.golden.formats import SCALE_FORMATS, ScaleFormat
from amxfp4.hw.quantizer.thresholds import (
    Step,
    crowding_steps,
    element_steps,
    halving_steps,
    least_element,
    scale_steps,
)

FP8 = [scale for scale in SCALE_FORMATS.values() if scale.is_fp8]
BITS = 6


def value_of(step: Step, sticky: bool) -> Fraction:
    """The least number that meets a threshold, without its sticky bit."""
    fraction = step.fraction >> sticky
    assert 0 <= fraction < 1 << BITS
    return Fraction(2) ** step.exponent * (1 + Fraction(fraction, 1 << BITS))


@pytest.mark.parametrize("scale", FP8, ids=lambda scale: scale.name)
@pytest.mark.parametrize("to_even", [False, True])
def test_scales(scale: ScaleFormat, to_even: bool) -> None:
    """A code begins at 6 times the midpoint below it; with ties to even an odd code begins above it."""
    values = [Fraction(float(value)) for value in scale.values[: scale.max_code + 1]]
    steps = scale_steps(scale, to_even, BITS)
    assert len(steps) == scale.max_code
    for code, step in enumerate(steps, 1):
        assert value_of(step, to_even) == 6 * (values[code - 1] + values[code]) / 2
        if to_even:
            assert step.fraction & 1 == code % 2


@pytest.mark.parametrize("scale", FP8, ids=lambda scale: scale.name)
def test_halving(scale: ScaleFormat) -> None:
    """A side is too large for half of a scale above 7 times that, not at it."""
    steps = halving_steps(scale, BITS)
    assert len(steps) == scale.max_code
    for code, step in enumerate(steps, 1):
        assert value_of(step, sticky=True) == 7 * Fraction(float(scale.values[code])) / 2
        assert step.fraction & 1


@pytest.mark.parametrize("to_even", [False, True])
def test_special_values(to_even: bool) -> None:
    """A code begins at 8 times the midpoint below it, code 1 at a quarter of its value. From 7 times it on, a block is
    crowded, at 7 times too."""
    scale = SCALE_FORMATS["E4M3"]
    values = [Fraction(float(value)) for value in scale.values[: scale.max_code + 1]]
    assert least_element(scale) == values[1] / 4
    steps = scale_steps(scale, to_even, BITS, 8, least_element(scale))
    expected = [values[1] / 4, *(4 * (low + high) for low, high in pairwise(values[1:]))]
    assert [value_of(step, to_even) for step in steps] == expected
    crowding = crowding_steps(scale, to_even, BITS)
    assert [value_of(step, to_even) for step in crowding] == [7 * value for value in values[1:]]
    if to_even:
        assert [step.fraction & 1 for step in steps[:4]] == [0, 0, 1, 0]
        assert not any(step.fraction & 1 for step in crowding)


@pytest.mark.parametrize("to_even", [False, True])
@pytest.mark.parametrize("significand", [Fraction(1), Fraction(5, 4), Fraction(15, 8)])
def test_elements(significand: Fraction, to_even: bool) -> None:
    """Midpoints of 0, 0.5, 1, 1.5, 2, 3, 4 and 6."""
    middles = [Fraction(n, 4) for n in (1, 3, 5, 7, 10, 14, 20)]
    steps = element_steps(significand, to_even, BITS)
    assert [value_of(step, to_even) for step in steps] == [middle * significand for middle in middles]
    if to_even:
        assert [step.fraction & 1 for step in steps] == [1, 0, 1, 0, 1, 0, 1]


def test_a_threshold_that_is_cut_short_is_refused() -> None:
    with pytest.raises(AssertionError, match="more fraction bits than are kept"):
        element_steps(Fraction(15, 8), False, 3)
