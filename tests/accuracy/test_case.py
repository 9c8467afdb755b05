"""Ways of quantising."""

import numpy as np

from amxfp4.accuracy.case import BLOCK_SIZES, Case, mixed_cases, uniform_cases
from amxfp4.golden import BLOCK_FORMAT_NAMES, ROUNDINGS, block_format, matmul, quantize


def test_every_format_size_and_rounding_once() -> None:
    cases = uniform_cases()
    assert len(cases) == len(set(cases)) == len(BLOCK_FORMAT_NAMES) * len(ROUNDINGS) * len(BLOCK_SIZES)
    assert all(case.is_uniform and case.activation == case.weight == case.label for case in cases)
    assert {case.block_size for case in cases} == {16, 32, 64, 128}
    assert {case.block_size for case in uniform_cases((8,))} == {8}


def test_mixed_cases_have_labels_of_their_own() -> None:
    cases = mixed_cases(16, "nearest-even")
    labels = [case.label for case in cases]
    assert len(set(labels)) == len(labels)
    assert not set(labels) & set(BLOCK_FORMAT_NAMES)
    assert {(case.block_size, case.rounding) for case in cases} == {(16, "nearest-even")}
    assert "AMXFP4-X2 x MXFP4-UE5M3" in labels
    assert "AMXFP4-X2, least-error weights" in labels
    assert "AMXFP4-E5M2, fp32 accumulator" in labels


def test_it_quantises_as_golden_does() -> None:
    rng = np.random.default_rng(1)
    x, w = (rng.standard_normal((rows, 70)).astype(np.float32) for rows in (3, 5))
    case = Case("AMXFP4-X2", "MXFP4-UE5M3", 16, "nearest-even", "least-error", "fp32")
    a, b = block_format("AMXFP4-X2", 16), block_format("MXFP4-UE5M3", 16)
    left, right = case.quantize_activation(x), case.quantize_weight(w)
    expected_left = quantize(x, a, rounding="nearest-even")
    expected_right = quantize(w, b, rounding="nearest-even", encode="least-error")
    np.testing.assert_array_equal(left.codes, expected_left.codes)
    np.testing.assert_array_equal(right.codes, expected_right.codes)
    np.testing.assert_array_equal(right.scales, expected_right.scales)
    np.testing.assert_array_equal(case.multiply(left, right), matmul(expected_left, expected_right, "fp32"))


def test_as_json() -> None:
    found = Case("AMXFP4-X2", "MXFP4", 32, "nearest-away").to_dict()
    assert found == {
        "label": "AMXFP4-X2 x MXFP4",
        "activation": "AMXFP4-X2",
        "weight": "MXFP4",
        "block_size": 32,
        "rounding": "nearest-away",
        "weight_encode": "direct",
        "accumulate": None,
        "activation_bits": 4.3125,
        "weight_bits": 4.25,
    }
