"""Products for the forward pass: quantised ones against golden head by head, and what is recorded."""

import numpy as np
import pytest

from amxfp4.accuracy import products
from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.case import Case
from amxfp4.accuracy.forward import FloatProducts, encode
from amxfp4.accuracy.products import QuantizedProducts, RecordingProducts, multiply_heads, stack_heads
from amxfp4.accuracy.weights import LINEAR_KINDS

CASES = [
    Case("AMXFP4-E5M2", "AMXFP4-E5M2", 16, "nearest-away"),
    Case("AMXFP4-E8M0", "MXFP4", 32, "nearest-even"),
    Case("AMXFP4-X2", "MXFP4-UE5M3", 16, "nearest-away", "direct", "fp32"),
]


def pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(1)
    sizes = [(3, 5, 40), (1, 1, 1), (17, 17, 16), (30, 2, 33), (2, 30, 7)]
    return [
        (rng.standard_normal((4, m, k)).astype(np.float32), rng.standard_normal((4, n, k)).astype(np.float32))
        for m, n, k in sizes
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
@pytest.mark.parametrize("rows", [1, 40, 512])
def test_attention_is_golden_matmul_of_each_head(case: Case, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_STACKED_ROWS", rows)
    found = QuantizedProducts(case, {}, attention=True).attention(0, "query x key", pairs())
    assert len(found) == len(pairs())
    for (a, b), product in zip(pairs(), found, strict=True):
        assert product.shape == (4, a.shape[1], b.shape[1])
        for head in range(4):
            expected = case.multiply(case.quantize_activation(a[head]), case.quantize_weight(b[head]))
            np.testing.assert_array_equal(product[head], expected)


def test_stacked_rows_end_in_zeros() -> None:
    left = stack_heads([a for a, _ in pairs()])
    assert left.shape == (4 * (3 + 1 + 17 + 30 + 2), 40)
    np.testing.assert_array_equal(left[12:16, :1], pairs()[1][0].reshape(4, 1))
    assert not left[12:16, 1:].any()


def test_one_call_takes_no_more_rows_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    case = CASES[0]

    class Counting(Case):
        def multiply(self, activation, weight):  # type: ignore[no-untyped-def]
            asked.append(max(activation.shape[0], weight.shape[0]))
            return super().multiply(activation, weight)

    monkeypatch.setattr(products, "_STACKED_ROWS", 60)
    counting = Counting("MXFP4", "MXFP4", 32, "nearest-away")
    left, right = (stack_heads([pair[i] for pair in pairs()]) for i in (0, 1))
    shapes = [(4, a.shape[1], b.shape[1]) for a, b in pairs()]
    multiply_heads(counting, case.quantize_activation(left), case.quantize_weight(right), shapes)
    assert max(asked) <= 60
    assert len(asked) < 4 * len(shapes)


def test_linear_layers_only_unless_asked() -> None:
    for (a, b), product in zip(
        pairs(), QuantizedProducts(CASES[0], {}, attention=False).attention(0, "", pairs()), strict=True
    ):
        np.testing.assert_array_equal(product, a @ b.swapaxes(-1, -2))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_linear_is_golden_matmul(case: Case) -> None:
    rng = np.random.default_rng(2)
    x, other = (rng.standard_normal((6, 40)).astype(np.float32) for _ in range(2))
    weights = {(0, kind): rng.standard_normal((3, 40)).astype(np.float32) for kind in ("query", "key")}
    quantised = {name: case.quantize_weight(weight) for name, weight in weights.items()}
    products = QuantizedProducts(case, quantised, attention=False)
    for values in x, x, other, x:
        for (layer, kind), weight in weights.items():
            expected = case.multiply(case.quantize_activation(values), case.quantize_weight(weight))
            np.testing.assert_array_equal(products.linear(layer, kind, values, weight), expected)


def test_recording_changes_nothing_and_keeps_all(baseline: Baseline) -> None:
    recording = RecordingProducts()
    states, embeddings = encode(baseline.encoder, baseline.tokens, recording)
    _, expected = encode(baseline.encoder, baseline.tokens, FloatProducts())
    np.testing.assert_array_equal(embeddings, expected)
    rows = sum(map(len, baseline.tokens))
    layers = range(baseline.encoder.layers)
    assert set(recording.inputs) == {(layer, kind) for layer in layers for kind in LINEAR_KINDS}
    assert all(len(x) == rows for x in recording.inputs.values())
    np.testing.assert_array_equal(recording.inputs[1, "query"], states[0])
    for layer in layers:
        assert [a.shape for a, _ in recording.pairs[layer, "query x key"]] == [(2, len(t), 16) for t in baseline.tokens]
        for p, _ in recording.pairs[layer, "probability x value"]:
            np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-6)
