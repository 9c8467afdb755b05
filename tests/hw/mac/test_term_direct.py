"""One lane's products and terms: every pair of codes, every pair of scale codes."""

from itertools import product

import numpy as np
import pytest
from helpers.comb import evaluate, generator
from helpers.gates import signed
from helpers.mac_parts import is_direct
from helpers.scale_codes import FP8_NAMES, beside

from amxfp4.golden.formats import ELEMENT_SHIFTS, ELEMENT_SIGNIFICANDS
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_direct import Direct, DirectProduct, DirectTerm

SIGNIFICANDS, SHIFTS = np.array(ELEMENT_SIGNIFICANDS), np.array(ELEMENT_SHIFTS)


def test_every_pair_of_codes() -> None:
    a, w = (axis.ravel() for axis in np.indices((16, 16)))
    found = evaluate(DirectProduct(MacConfig("AMXFP4", "AMXFP4", lanes=1).plan.products), a=a, w=w)["product"]
    np.testing.assert_array_equal(found["significand"], SIGNIFICANDS[a & 7] * SIGNIFICANDS[w & 7])
    np.testing.assert_array_equal(found["shift"], SHIFTS[a & 7] + SHIFTS[w & 7])
    np.testing.assert_array_equal(found["a_negative"], a >> 3)
    np.testing.assert_array_equal(found["w_negative"], w >> 3)


PAIRS = [("AMXFP4", "AMXFP4"), ("AMXFP4-E4M3", "AMXFP4"), ("AMXFP4", "AMXFP4-E4M3")]


DIRECT = [pair for pair in product(FP8_NAMES, repeat=2) if is_direct(MacConfig(*pair, lanes=1))]


@pytest.mark.parametrize(("a_name", "w_name"), PAIRS)
def test_every_pair_of_scale_codes(a_name: str, w_name: str) -> None:
    check(a_name, w_name)


@pytest.mark.full
@pytest.mark.parametrize(("a_name", "w_name"), DIRECT)
def test_every_pair_of_formats(a_name: str, w_name: str) -> None:
    check(a_name, w_name)


def check(a_name: str, w_name: str) -> None:
    """Every pair of scale codes, with every significand and shift of a product somewhere among them."""
    rng = generator()
    plan = Direct(MacConfig(a_name, w_name, lanes=1).plan.products)
    a, w = plan.products.formats
    a_code, w_code = (np.repeat(codes.ravel(), 4) for codes in np.indices((1 << a.scale.bits, 1 << w.scale.bits)))
    a_scales, a_negative = beside(a, a_code, rng)
    w_scales, w_negative = beside(w, w_code, rng)
    if not a.asymmetric:
        a_negative = rng.integers(2, size=len(a_code))
    if not w.asymmetric:
        w_negative = rng.integers(2, size=len(w_code))
    a_mag, w_mag = rng.integers(8, size=(2, len(a_code)))
    significand, shift = SIGNIFICANDS[a_mag] * SIGNIFICANDS[w_mag], SHIFTS[a_mag] + SHIFTS[w_mag]
    found = evaluate(
        DirectTerm(plan),
        product={"significand": significand, "shift": shift, "a_negative": a_negative, "w_negative": w_negative},
        a_scales=a_scales,
        w_scales=w_scales,
    )["term"]
    nan = np.isnan(a.scale.values[a_scales]).any(axis=1) | np.isnan(w.scale.values[w_scales]).any(axis=1)
    np.testing.assert_array_equal(found["nan"], nan)
    expected = significand * a.scale.significands[a_code] * w.scale.significands[w_code]
    expected *= np.where(a_negative ^ w_negative, -1, 1)
    exponent = a.scale.exponents[a_code] + w.scale.exponents[w_code] + shift - 2  # products are in units of 1/4
    ok = ~nan
    np.testing.assert_array_equal(signed(found["value"], plan.bits + 1)[ok], expected[ok])
    np.testing.assert_array_equal((found["exponent"] - plan.scales.exponent_offset)[ok], exponent[ok])
