"""Scales: every code of every format, and every pair of codes on each sign pair."""

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from helpers.comb import evaluate, generator
from helpers.scale_codes import beside

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, SCALE_FORMATS, ScaleFormat, block_format
from amxfp4.hw.mac.products import Products
from amxfp4.hw.mac.scale import (
    ScaleProduct,
    Scales,
    decode,
    largest_exponent,
    largest_significand,
    smallest_exponent,
)


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


PAIRS = [("AMXFP4", "AMXFP4-E4M3"), ("MXFP4", "AMXFP4-E8M0"), ("AMXFP4-X2", "MXFP4-E5M2")]


@pytest.mark.parametrize(("a_name", "w_name"), PAIRS)
def test_products(a_name: str, w_name: str) -> None:
    check_product(a_name, w_name)


@pytest.mark.full
@pytest.mark.parametrize(("a_name", "w_name"), list(product(BLOCK_FORMAT_NAMES, repeat=2)))
def test_products_of_every_pair(a_name: str, w_name: str) -> None:
    check_product(a_name, w_name)


def check_product(a_name: str, w_name: str) -> None:
    """Every pair of codes, with the other side's code at random: values, NaN, and the exponents' range."""
    rng = generator()
    a, w = block_format(a_name), block_format(w_name)
    plan = Scales(Products(a, w, 1))
    a_code, w_code = (codes.ravel() for codes in np.indices((1 << a.scale.bits, 1 << w.scale.bits)))
    a_scales, a_negative = beside(a, a_code, rng)
    w_scales, w_negative = beside(w, w_code, rng)
    sides = {"a_scales": a_scales, "w_scales": w_scales, "a_negative": a_negative, "w_negative": w_negative}
    found = evaluate(ScaleProduct(plan), **sides)["product"]
    nan = np.isnan(a.scale.values[a_code]) | np.isnan(w.scale.values[w_code])
    np.testing.assert_array_equal(found["nan"], nan)
    significand, exponent = found["significand"][~nan], found["exponent"][~nan]
    values = np.ldexp(significand.astype(float), exponent - plan.exponent_offset - plan.products.unit_exponent)
    expected = a.scale.values[a_code[~nan]].astype(float) * w.scale.values[w_code[~nan]]
    np.testing.assert_array_equal(values, expected)
    assert significand.max() == plan.significand_max
    assert (exponent.min(), exponent.max()) == (plan.exponent_min, plan.exponent_max)
