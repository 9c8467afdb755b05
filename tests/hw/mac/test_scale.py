"""Scales: every code of every format, every pair of codes, and sums scaled by them."""

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator
from helpers.gates import signed
from helpers.scale_codes import FP8_NAMES, beside

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, SCALE_FORMATS, ScaleFormat
from amxfp4.hw.mac.config import MacConfig, largest_exponent, largest_significand, smallest_exponent
from amxfp4.hw.mac.scale import ScaledTerm, ScaleProduct, decode, term_layout


class Decoder(wiring.Component):
    def __init__(self, scale: ScaleFormat) -> None:
        self.scale = scale
        super().__init__(
            {
                "code": In(scale.bits),
                "significand": Out(scale.mantissa_bits + 1),
                "exponent": Out(scale.exponent_bits),
                "nan": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        decoded = decode(self.code, self.scale)
        fields = Cat(decoded.significand, decoded.exponent, decoded.nan)
        assert len(fields) == self.scale.bits + 2
        m.d.comb += Cat(self.significand, self.exponent, self.nan).eq(fields)
        return m


@pytest.mark.parametrize("scale", SCALE_FORMATS.values(), ids=lambda scale: scale.name)
def test_every_code(scale: ScaleFormat) -> None:
    codes = np.arange(1 << scale.bits)
    found = evaluate(Decoder(scale), code=codes, simulated=256)
    np.testing.assert_array_equal(found["nan"], np.isnan(scale.values))
    values = np.ldexp(found["significand"].astype(float), found["exponent"] - scale.bias - scale.mantissa_bits)
    finite = ~np.isnan(scale.values)
    np.testing.assert_array_equal(values[finite], scale.values[finite])
    # What widths are derived from.
    assert found["significand"][finite].max() == largest_significand(scale)
    assert found["exponent"][finite].max() == largest_exponent(scale)
    assert found["exponent"][finite].min() == smallest_exponent(scale)


class Scaling(wiring.Component):
    """A scale product and the term that it scales, wired as in the unit."""

    def __init__(self, config: MacConfig) -> None:
        self.scale = ScaleProduct(config)
        self.term_of = ScaledTerm(config)
        inputs = {name: In(member.shape) for name, member in self.scale.signature.members.items() if name != "product"}
        super().__init__({**inputs, "sum": In(config.sum_bits), "term": Out(term_layout(config))})

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


@pytest.mark.parametrize("config", scaled_term_configs(), ids=lambda config: config.name)
def test_every_pair_of_codes(config: MacConfig) -> None:
    check_scaled_term(config)


@pytest.mark.full
@pytest.mark.parametrize("block_size", [8, 32, 128])
@pytest.mark.parametrize(("a", "w"), list(product(BLOCK_FORMAT_NAMES, repeat=2)))
def test_every_pair_of_formats(a: str, w: str, block_size: int) -> None:
    for accumulator in ("exact", "fp32") if a in FP8_NAMES and w in FP8_NAMES else ("fp32",):
        check_scaled_term(MacConfig(a, w, block_size, 2, accumulator))


def check_scaled_term(config: MacConfig) -> None:
    """Every pair of scale codes, on each sign pair in turn, with sums at random and at their extremes."""
    rng = generator()
    a, w = config.formats
    a_code, w_code = (codes.ravel() for codes in np.indices((1 << a.scale.bits, 1 << w.scale.bits)))
    count = len(a_code)
    a_scales, a_negative = beside(a, a_code, rng)
    w_scales, w_negative = beside(w, w_code, rng)
    sums = random_sums(config, count, a_negative ^ w_negative, rng)
    found = evaluate(
        Scaling(config),
        a_scales=a_scales,
        w_scales=w_scales,
        a_negative=a_negative,
        w_negative=w_negative,
        sum=sums & ((1 << config.sum_bits) - 1),
    )["term"]
    nan = np.isnan(a.scale.values[a_code]) | np.isnan(w.scale.values[w_code])
    np.testing.assert_array_equal(found["nan"], nan)
    significand = a.scale.significands[a_code] * w.scale.significands[w_code]
    exponent = a.scale.exponents[a_code] + w.scale.exponents[w_code] - 2 - config.halvings  # of a sum's unit
    ok = ~nan
    np.testing.assert_array_equal((found["exponent"] - config.exponent_offset)[ok], exponent[ok])
    if config.exact:
        value = signed(found["value"], config.term_bits + 1)
        np.testing.assert_array_equal(value[ok], (sums * significand)[ok])
        return
    sign = np.where(found["negative"] == 1, -1, 1)
    actual = sums if config.block_signed else sums * np.where(a_negative ^ w_negative, -1, 1)
    np.testing.assert_array_equal((found["magnitude"] * sign)[ok], (actual * significand)[ok])


def random_sums(config: MacConfig, count: int, negative: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sums that can occur: of products of both signs, or of one; an exact unit's middle sums come negated."""
    limit = config.block_size * 144 << config.halvings
    sums = rng.integers(-limit, limit + 1, size=count)
    extreme = rng.random(count) < 0.3
    sums[extreme] = rng.choice([-limit, -1, 0, 1, limit], size=extreme.sum())
    if config.sign_pairs < 4:
        return sums
    return np.abs(sums) * np.where(negative, -1, 1) if config.exact else np.abs(sums)
