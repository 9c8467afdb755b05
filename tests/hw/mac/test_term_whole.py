"""A sum scaled at once: every pair of scale codes, with random and extreme sums."""

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator
from helpers.gates import signed
from helpers.quick import full_but
from helpers.scale_codes import FP8_NAMES, beside

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import ScaleProduct
from amxfp4.hw.mac.term_whole import ScaledTerm, Whole


class Scaling(wiring.Component):
    """A scale product and the term that it scales, wired as in the unit."""

    def __init__(self, plan: Whole) -> None:
        self.scale = ScaleProduct(plan.scales)
        self.term_of = ScaledTerm(plan)
        inputs = {name: In(member.shape) for name, member in self.scale.signature.members.items() if name != "product"}
        super().__init__({**inputs, "sum": In(plan.sums.bits), "term": Out(plan.layout)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scale, m.submodules.term = scale, term = self.scale, self.term_of
        for name in ("a_scales", "w_scales", "a_negative", "w_negative"):
            m.d.comb += getattr(scale, name).eq(getattr(self, name))
        m.d.comb += [
            term.scale.eq(scale.product),
            term.sum.eq(self.sum),
            term.negative.eq(self.a_negative ^ self.w_negative),
            self.term.eq(term.term),
        ]
        return m


def scaled_term_configs() -> list[MacConfig]:
    """Every pair of scale formats in both kinds of term, with one or two scales on each side."""
    pairs = [("AMXFP4", "AMXFP4"), ("MXFP4-E4M3", "AMXFP4-E4M3"), ("AMXFP4-E5M2", "MXFP4-E4M3")]
    pairs += [
        ("MXFP4-E5M2", "MXFP4-E5M2"),
        ("MXFP4-E4M3", "AMXFP4-E5M2"),
        ("AMXFP4-X2", "AMXFP4-X2"),
        ("AMXFP4-X2", "AMXFP4"),
    ]
    exact = [MacConfig(a, w, accumulator="exact") for a, w in pairs]
    pairs += [
        ("MXFP4", "MXFP4"),
        ("AMXFP4-E8M0", "AMXFP4-E8M0"),
        ("AMXFP4-E8M0", "MXFP4-E5M2"),
        ("MXFP4-E4M3", "MXFP4"),
    ]
    return exact + [MacConfig(a, w, accumulator="fp32") for a, w in pairs]


QUICK = {
    "mac_amxfp4e5m2_x_amxfp4e5m2_l8_exact",
    "mac_amxfp4x2_x_amxfp4e5m2_l8_exact",
    "mac_mxfp4e5m2_x_mxfp4e5m2_l8_fp32",
    "mac_amxfp4e5m2_x_amxfp4e5m2_l8_fp32",
    "mac_amxfp4e8m0_x_mxfp4e5m2_l8_fp32",
    "mac_mxfp4_x_mxfp4_l8_fp32",
}
"""Both kinds of term, with sums of both signs and of one, with and without a significand."""


@pytest.mark.parametrize("config", full_but(QUICK, scaled_term_configs(), lambda config: config.name))
def test_every_pair_of_codes(config: MacConfig) -> None:
    check_scaled_term(Whole(config.plan.sums))


@pytest.mark.full
@pytest.mark.parametrize("block_size", [8, 32, 128])
@pytest.mark.parametrize(("a", "w"), list(product(BLOCK_FORMAT_NAMES, repeat=2)))
def test_every_pair_of_formats(a: str, w: str, block_size: int) -> None:
    for accumulator in ("exact", "fp32") if a in FP8_NAMES and w in FP8_NAMES else ("fp32",):
        check_scaled_term(Whole(MacConfig(a, w, block_size, 2, accumulator).plan.sums))


def check_scaled_term(plan: Whole) -> None:
    """Every pair of scale codes, on each sign pair in turn, with sums at random and at their extremes."""
    rng = generator()
    a, w = plan.sums.products.formats
    a_code, w_code = (codes.ravel() for codes in np.indices((1 << a.scale.bits, 1 << w.scale.bits)))
    count = len(a_code)
    a_scales, a_negative = beside(a, a_code, rng)
    w_scales, w_negative = beside(w, w_code, rng)
    sums = random_sums(plan.sums, count, a_negative ^ w_negative, rng)
    found = evaluate(
        Scaling(plan),
        a_scales=a_scales,
        w_scales=w_scales,
        a_negative=a_negative,
        w_negative=w_negative,
        sum=sums & ((1 << plan.sums.bits) - 1),
    )["term"]
    nan = np.isnan(a.scale.values[a_code]) | np.isnan(w.scale.values[w_code])
    np.testing.assert_array_equal(found["nan"], nan)
    significand = a.scale.significands[a_code] * w.scale.significands[w_code]
    exponent = (
        a.scale.exponents[a_code] + w.scale.exponents[w_code] + plan.sums.products.unit_exponent
    )  # of a sum's unit
    ok = ~nan
    np.testing.assert_array_equal((found["exponent"] - plan.scales.exponent_offset)[ok], exponent[ok])
    if plan.signed:
        value = signed(found["value"], plan.bits + 1)
        np.testing.assert_array_equal(value[ok], (sums * significand)[ok])
        return
    sign = np.where(found["negative"] == 1, -1, 1)
    actual = sums if plan.sums.signed else sums * np.where(a_negative ^ w_negative, -1, 1)
    np.testing.assert_array_equal((found["magnitude"] * sign)[ok], (actual * significand)[ok])


def random_sums(plan: Sums, count: int, negative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sums that can occur: of products of both signs, or of one; an exact unit's middle sums come negated."""
    limit = plan.block_size * plan.products.largest
    sums = rng.integers(-limit, limit + 1, size=count)
    extreme = rng.random(count) < 0.3
    sums[extreme] = rng.choice([-limit, -1, 0, 1, limit], size=extreme.sum())
    if plan.mixed:
        return sums
    return np.abs(sums) * np.where(negative, -1, 1) if plan.for_exact else np.abs(sums)
