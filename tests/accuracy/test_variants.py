"""AMXFP4-X2 beside its variants."""

from math import log2

import numpy as np
import pytest

from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.variants import BLOCK_SIZE, VARIANTS, measure_variant
from amxfp4.golden import quantize, sqnr
from amxfp4.golden.related_scales import RATIOS


def test_memory_an_element() -> None:
    bits = {name: variant.bits_per_element * BLOCK_SIZE - 4 * BLOCK_SIZE for name, variant in VARIANTS.items()}
    assert bits["AMXFP4-X2"] == 8 + 2
    assert bits["ratios 1, 3/4, 1/2, 1/4"] == 8 + 1 + log2(len(RATIOS))
    assert bits["shared exponent, a 4-bit significand a side"] == 5 + 2 * 4
    assert {name: variant.sums for name, variant in VARIANTS.items() if variant.sums > 1} == dict.fromkeys(
        ("shared exponent, a 4-bit significand a side", "AMXFP4-E5M2", "AMXFP4-E4M3"), 4
    )


def test_a_format_is_encoded_by_least_error(baseline: Baseline) -> None:
    found = measure_variant(baseline, "AMXFP4-X2")
    expected = []
    for layer in range(baseline.encoder.layers):
        for kind in ("query", "key", "value", "attention output", "feed-forward in", "feed-forward out"):
            x, w = baseline.products.inputs[layer, kind][::4], baseline.encoder.weight(layer, kind)
            a, b = (quantize(tensor, "AMXFP4-X2", encode="least-error").dequantize(np.float64) for tensor in (x, w))
            expected.append((sqnr(x, a), sqnr(w, b), sqnr(x @ w.T, a @ b.T)))
    means = np.mean(expected, axis=0)
    np.testing.assert_allclose([found["activation"], found["weight"], found["output"]], means, rtol=1e-9)


@pytest.mark.parametrize("operand", ["activation", "weight"])
def test_more_freedom_loses_less(baseline: Baseline, operand: str) -> None:
    names = ["MXFP4-UE5M3", "AMXFP4-X2", "ratios 1, 3/4, 1/2, 1/4"]
    found = [measure_variant(baseline, name)[operand] for name in names]
    assert found == sorted(found)
