"""Which side is halved: every bfloat16 maximum against golden, every float32 proved."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import z3
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate
from helpers.quantizer_parts import HALVING, ROUNDINGS, FloatToScale
from helpers.symbolic import EXACT_BITS, UNIT, blind, expressions, float32_magnitude, is_finite

from amxfp4.golden import block_format, quantize
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.halving_select import halved_sides


class HalvedSides(wiring.Component):
    """`halved_sides` as a component."""

    def __init__(self) -> None:
        super().__init__({"code": In(8), "positive": In(8), "negative": In(8), "halved": Out(2)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.halved.eq(Cat(*halved_sides(self.code, (self.positive, self.negative))))
        return m


def exact_values() -> list[Fraction]:
    scale = block_format(HALVING).scale
    return [Fraction(float(value)) for value in scale.values[: scale.max_code + 1]]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_bfloat16_maximum(rounding: str) -> None:
    """The count of codes that are too small, from exact fractions."""
    magnitudes = np.arange(0x7F80, dtype=np.uint16)
    values = magnitudes.view(ml_dtypes.bfloat16).astype(np.float64)
    limits = np.array([float(7 * value / 2) for value in exact_values()[1:]])  # few bits: exact
    expected = np.searchsorted(limits, values, side="left")  # limits below the value
    found = evaluate(FloatToScale(QuantizerConfig(HALVING, rounding=rounding)), float=magnitudes.astype(np.int64))
    np.testing.assert_array_equal(found["too_small"], expected)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_float32_maximum_proved(rounding: str) -> None:
    config = QuantizerConfig(HALVING, input="float32", rounding=rounding)
    x = z3.BitVec("x", 32)

    def check(too_small: z3.BitVecRef) -> z3.CheckSatResult:
        wrong = []
        for code, value in enumerate(exact_values()[1:], 1):
            limit = 7 * value / 2 / Fraction(2) ** UNIT
            assert limit.denominator == 1
            exceeds = z3.UGT(float32_magnitude(x), z3.BitVecVal(limit.numerator, EXACT_BITS))
            wrong.append(exceeds != z3.UGE(too_small, z3.BitVecVal(code, 8)))
        solver = z3.SolverFor("QF_BV")
        solver.add(is_finite(x), z3.Or(*wrong))
        return solver.check()

    unit = FloatToScale(config)
    assert check(expressions(unit, float=x)["too_small"]) == z3.unsat
    assert check(expressions(unit, float=blind(x, 0))["too_small"]) == z3.sat, "it does not see the least bit"


def test_every_code_and_every_count() -> None:
    """A side is halved under a code above its count, unless both would be."""
    code, positive, negative = (a.ravel() for a in np.meshgrid(*[np.arange(0, 256, 5)] * 3))
    near = np.arange(256)
    code, positive, negative = (
        np.concatenate([code, near, near, near]),
        np.concatenate([positive, near, np.maximum(near - 1, 0), near * 0]),
        np.concatenate([negative, near * 0 + 255, near, near]),
    )
    found = evaluate(HalvedSides(), code=code, positive=positive, negative=negative)["halved"]
    fits = (positive < code), (negative < code)
    np.testing.assert_array_equal(found, (fits[0] & ~fits[1]) + 2 * (fits[1] & ~fits[0]))


def test_both_sides_are_within_the_limit_under_the_smallest_scale_only() -> None:
    """Under code 1 both maxima may lie between 3 and 3.5 scales, within the limit. Golden halves neither side there."""
    values = exact_values()
    for code in range(1, len(values)):
        least = 6 * (values[code - 1] + values[code]) / 2  # the least maximum that takes this code
        assert (least <= 7 * values[code] / 2) == (code == 1)
    x = np.zeros((1, 32), np.float32)
    x[0, :2] = float(values[1]) * np.array([3.25, -3.375])
    assert quantize(x, HALVING).scales.tolist() == [[[1, 0]]]
    x[0, 1] = float(values[1]) * -3.75
    assert quantize(x, HALVING).scales.tolist() == [[[1, 1]]]
