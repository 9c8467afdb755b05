"""The float32 accumulator against exact sums, each rounded once: cancellation, underflow, infinity, NaN."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.comb import evaluate, generator, run
from helpers.float32_streams import FLOAT32_CONFIGS, check_streams, inputs, plan_of
from helpers.gates import signed
from helpers.quick import full_but

from amxfp4.golden.float32 import float32_bits
from amxfp4.hw.mac.acc_float32 import Float32, TermNormaliser
from amxfp4.hw.mac.config import MacConfig


def test_every_kind_of_accumulator_is_here() -> None:
    assert {(plan_of(c).title, plan_of(c).wide) for c in FLOAT32_CONFIGS} == {
        (title, wide) for title in ("float32, 1 stage", "float32, 2 stages", "float32 steps") for wide in (False, True)
    }


# -- normalising a term ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", FLOAT32_CONFIGS, ids=lambda config: config.name)
def test_terms_are_normalised(config: MacConfig) -> None:
    """Every exponent, and magnitudes with the highest bit in every place (all of them where they are short)."""
    rng, plan = generator(), plan_of(config)
    exponents = np.arange(plan.term.scales.exponent_min, plan.term.exponent_max + 1)
    bits = plan.term.bits
    if bits <= 13:
        magnitudes = np.arange(1 << bits)
    else:
        below = rng.integers(1 << bits, size=(bits, 40), dtype=np.int64)
        top = np.int64(1) << np.arange(bits)[:, None]
        magnitudes = np.concatenate([[0], (top | (below & (top - 1))).ravel(), np.arange(32)])
    count = 60_000
    magnitude = np.resize(magnitudes, count)
    exponent = rng.choice(exponents, size=count)
    exponent[::7], exponent[1::7] = exponents[0], exponents[-1]
    negative, nan = rng.integers(2, size=(2, count))
    term = {"magnitude": magnitude, "negative": negative, "exponent": exponent, "nan": nan}
    found = evaluate(TermNormaliser(plan), term=term)["normal"]
    np.testing.assert_array_equal(found["negative"], negative)
    np.testing.assert_array_equal(found["nan"], nan)
    some = magnitude != 0
    assert not found["significand"][~some].any() and not found["exponent"][~some].any()
    power = found["exponent"]
    if plan.wide:
        power = signed(power, plan.exponent_bits)
    assert (found["significand"][some] >> (bits - 1) == 1).all()
    shift = (exponent - plan.term.scales.exponent_offset) - (power - 127 - (bits - 1))
    expected = np.ldexp(magnitude.astype(float), shift)
    np.testing.assert_array_equal(found["significand"][some], expected[some])


# -- adding ----------------------------------------------------------------------------------------------------------


CONFIGS = [config for config in FLOAT32_CONFIGS if isinstance(plan_of(config), Float32)]
QUICK = {
    "mac_mxfp4_x_mxfp4_l32_fp32",
    "mac_mxfp4_x_mxfp4_l8_fp32",
    "mac_amxfp4e5m2_x_amxfp4e5m2_l8_fp32",
    "mac_amxfp4e5m2_x_amxfp4e5m2_l4_fp32",
}
"""One stage and two, beyond float32's range and within it."""


@pytest.mark.parametrize("config", full_but(QUICK, CONFIGS, lambda config: config.name))
def test_streams_of_terms(config: MacConfig) -> None:
    check_streams(plan_of(config))


def test_the_reference_rounds_as_fractions_do() -> None:
    """The sums above are rounded in integers. Exact fractions, the plainest arithmetic, must agree."""
    rng = generator()
    for _ in range(3000):
        power = int(rng.choice([-150, -140, -126, 0, 96]) + rng.integers(-12, 3))
        value = int(rng.integers(1 << 30)) - (1 << 29)
        exact = Fraction(value) * Fraction(2) ** power
        last = Fraction(2) ** max(abs(value).bit_length() + power - 24, -149)
        rounded = round(exact / last) * last  # ties to even
        found = float32_bits(value, power)
        assert Fraction(float(np.uint32(found).view(np.float32))) == rounded
        assert found >> 31 == (value < 0)


WIDE = plan_of(MacConfig("MXFP4", "MXFP4", lanes=8))


def exactly(values: list[float]) -> list[int]:
    """Bits after each of `values` (one or two bits each, any float64 exponent) has been added by the accumulator."""
    steps = []
    for number, value in enumerate(values):
        mantissa, power = np.frexp(abs(value))
        significand = int(mantissa * (1 << WIDE.term.bits))
        assert significand * 2.0 ** (int(power) - WIDE.term.bits) == abs(value)
        term = (significand, int(value < 0), int(power) - 1 + 127 if value else 0)
        none, first = np.zeros(1, int), np.array([number == 0])
        steps += [inputs(WIDE, [term], none, first, none, valid=valid) for valid in (True, False)]
    steps.append(steps[-1])
    return [int(output["value"][0]) for output in run(WIDE.accumulator(), steps, 1)[2::2]]


def test_infinity_stays() -> None:
    """An infinite accumulator stays infinite, whatever finite term follows."""
    assert exactly([2.0**127, 2.0**127, -(2.0**128), -(2.0**200), 1.0]) == [0x7F000000] + [0x7F800000] * 4
    assert exactly([-(2.0**130), 2.0**130, 0.0]) == [0xFF800000] * 3


def test_zeros() -> None:
    """x - x and a zero term are +0; a sum below half of the least subnormal leaves zero with its sign."""
    assert exactly([1.5, -1.5, 0.0]) == [0x3FC00000, 0, 0]
    assert exactly([-(2.0**-151), 0.0]) == [0x80000000, 0]
    assert exactly([2.0**-151, -(2.0**-151), -(2.0**-151)]) == [0, 0x80000000, 0x80000000]
    assert exactly([-0.0]) == [0]


def test_subnormals() -> None:
    """Ties about the least subnormal, and the step from the largest subnormal to the least normal."""
    assert exactly([2.0**-150, 1.5 * 2.0**-150, 2.0**-149]) == [0, 1, 2]
    assert exactly([2.0**-126, -(2.0**-149), 2.0**-149]) == [0x00800000, 0x007FFFFF, 0x00800000]
    assert exactly([2.0**-126, -(2.0**-150), -(2.0**-149)]) == [0x00800000, 0x00800000, 0x007FFFFF]
