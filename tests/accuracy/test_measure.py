"""SQNR of operands and products, against golden's own results."""

import numpy as np
import pytest

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.measure import Measure, measure_attention, measure_linear
from amxfp4.golden import Blocks, dot, sqnr

CASE = Case("AMXFP4-E5M2", "MXFP4-E4M3", 16, "nearest-even")


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_a_product() -> None:
    x, w = normal(1, 7, 50), normal(2, 5, 50)
    a, b = CASE.quantize_activation(x), CASE.quantize_weight(w)
    product = np.array([[dot(_row(a, i), _row(b, j)) for j in range(5)] for i in range(7)])
    found = measure_linear(CASE, x, w)
    assert found.activation == pytest.approx(sqnr(x, a.dequantize()), rel=1e-12)
    assert found.weight == pytest.approx(sqnr(w, b.dequantize()), rel=1e-12)
    assert found.output == pytest.approx(sqnr(x @ w.T, product), rel=1e-9)
    assert 10 < found.output < 30
    assert measure_linear(CASE, x, w, b) == found
    assert measure_linear(CASE, x) == Measure(found.activation)


def _row(blocks: Blocks, index: int) -> Blocks:
    return Blocks(blocks.codes[index], blocks.scales[index], blocks.shape[1:], blocks.fmt, 0)


def test_a_tensor_that_the_format_holds() -> None:
    x = np.float32([[6, -3, 1.5, 0.5] * 8])
    assert measure_linear(Case("MXFP4", "MXFP4", 32, "nearest-away"), x, x) == Measure(np.inf, np.inf, np.inf)


def test_narrow_floats() -> None:
    x, w = normal(3, 4, 32).astype(np.float16), normal(4, 3, 32).astype(np.float16)
    assert measure_linear(CASE, x, w) == measure_linear(CASE, x.astype(np.float32), w.astype(np.float32))


def test_attention_head_by_head() -> None:
    pairs = [(normal(5, 2, m, k), normal(6 + m, 2, n, k) + 1) for m, n, k in ((3, 3, 20), (9, 4, 40), (1, 1, 5))]
    exact, found, operands = [], [], {0: ([], []), 1: ([], [])}
    for a, b in pairs:
        for head in range(2):
            left, right = CASE.quantize_activation(a[head]), CASE.quantize_weight(b[head])
            exact.append(a[head] @ b[head].T)
            found.append(CASE.multiply(left, right))
            for operand, (before, after) in enumerate(((a[head], left), (b[head], right))):
                operands[operand][0].append(before.ravel())
                operands[operand][1].append(after.dequantize().ravel())
    expected = [sqnr(np.concatenate(before), np.concatenate(after)) for before, after in operands.values()]
    expected.append(sqnr(*(np.concatenate([product.ravel() for product in both]) for both in (exact, found))))
    measured = measure_attention(CASE, pairs)
    np.testing.assert_allclose([measured.activation, measured.weight, measured.output], expected, rtol=1e-6)
