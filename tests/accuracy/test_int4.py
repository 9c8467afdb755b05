"""INT4, a baseline of the study."""

import numpy as np
import pytest

from amxfp4.accuracy.int4 import BASELINES, Int4, int4_values
from amxfp4.accuracy.measure import measure_attention, measure_linear

X = np.random.default_rng(1).standard_normal((4, 48)).astype(np.float32)


def test_a_row_shares_one_scale() -> None:
    found = int4_values(X, None)
    for row, values in zip(X, found, strict=True):
        scale = np.abs(row).max() / np.float32(7)
        integers = values / scale
        np.testing.assert_allclose(integers, np.rint(integers), atol=1e-6)
        assert np.abs(integers).max() == pytest.approx(7)
        assert np.abs(values - row).max() <= scale / 2 * (1 + 1e-6)


def test_a_group_has_a_float16_scale_of_its_own() -> None:
    found = int4_values(X, 32)
    for part in slice(32), slice(32, 48):
        scales = (np.abs(X[:, part]).max(axis=1, keepdims=True) / np.float32(7)).astype(np.float16).astype(np.float32)
        expected = np.clip(np.rint(X[:, part] / scales), -7, 7) * scales
        np.testing.assert_array_equal(found[:, part], expected)


def test_zeros_stay_zeros() -> None:
    assert not int4_values(np.zeros((2, 40), np.float32), 32).any()
    assert not int4_values(np.zeros((2, 40), np.float32), None).any()


def test_outliers_are_what_a_rotation_is_for() -> None:
    x, w = X.copy(), X[::-1].copy()
    x[:, 3] = 60
    plain, turned = (measure_linear(Int4(rotation=rotation), x, w) for rotation in (None, 16))
    assert turned.activation > plain.activation + 2
    assert turned.output is not None
    assert plain.output is not None
    assert turned.output > plain.output + 5


def test_attention() -> None:
    pairs = [(X[None, :3], X[None, 1:]), (X[None, :1], X[None, 2:])]
    found = measure_attention(Int4(16), pairs)
    assert found.output is not None
    assert 12 < found.output < 40


def test_baselines_as_json() -> None:
    found = [way.to_dict() for way in BASELINES]
    assert [way["label"] for way in found] == [
        "INT4 per token and channel",
        "INT4 per token and channel, rotated",
        "INT4 in groups of 32",
        "INT4 in groups of 32, rotated",
    ]
    assert [way["activation_bits"] for way in found] == [4, 4, 4.5, 4.5]
