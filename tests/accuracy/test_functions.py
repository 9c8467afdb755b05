"""The functions against Python's own and against float64."""

import math

import numpy as np

from amxfp4.accuracy.functions import erf, gelu, layer_norm, softmax


def test_erf_to_float32s_rounding() -> None:
    x = np.concatenate([np.linspace(-6, 6, 20001), np.geomspace(1e-30, 5, 2000), [0.0]]).astype(np.float32)
    expected = np.array([math.erf(value) for value in x.tolist()])
    np.testing.assert_allclose(erf(x), expected, rtol=2e-7, atol=1e-37)
    assert np.signbit(erf(np.float32([-0.0])))[0]


def test_gelu_in_chunks() -> None:
    x = np.random.default_rng(1).normal(0, 2, (150, 7)).astype(np.float32)
    expected = [[value / 2 * (1 + math.erf(value / math.sqrt(2))) for value in row] for row in x.tolist()]
    np.testing.assert_allclose(gelu(x), expected, atol=1e-6)
    assert gelu(x).dtype == np.float32


def test_softmax_of_large_numbers() -> None:
    x = np.float32([[[1000, 1001, 999]], [[-5, 0, 5]]])
    powers = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    np.testing.assert_allclose(softmax(x), powers / powers.sum(axis=-1, keepdims=True), rtol=1e-6)


def test_layer_norm() -> None:
    x = np.random.default_rng(2).normal(3, 5, (4, 50)).astype(np.float32)
    gain, bias = np.linspace(0.5, 2, 50).astype(np.float32), np.linspace(-1, 1, 50).astype(np.float32)
    wide = x.astype(np.float64)
    for epsilon in 1e-12, 3.0:
        expected = (wide - wide.mean(1)[:, None]) / np.sqrt(wide.var(1)[:, None] + epsilon) * gain + bias
        np.testing.assert_allclose(layer_norm(x, gain, bias, epsilon), expected, atol=1e-5)
