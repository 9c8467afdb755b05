"""Ways of quantising."""

from typing import Any

import numpy as np
import pytest

from amxfp4.accuracy.case import BLOCK_SIZES, Case, mixed_cases, uniform_cases
from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, ROUNDINGS, block_format, matmul, quantize, rotated


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
        "rule": None,
        "tensor_scale": None,
        "rotation": None,
        "activation_bits": 4.3125,
        "weight_bits": 4.25,
    }


@pytest.mark.parametrize(
    ("name", "choice", "label"),
    [
        ("MXFP4", {"rule": "even"}, "MXFP4, even"),
        ("AMXFP4-Z8", {"tensor_scale": "max"}, "AMXFP4-Z8, tensor scale"),
        ("MXFP4-E4M3", {"tensor_scale": "power-of-two"}, "MXFP4-E4M3, power-of-two tensor scale"),
    ],
)
def test_rules_are_goldens(name: str, choice: dict[str, Any], label: str) -> None:
    rng = np.random.default_rng(3)
    x, w = (rng.standard_normal((rows, 70)).astype(np.float32) * 1000 for rows in (3, 5))
    case = Case(name, name, 16, "nearest-away", "least-error", **choice)
    assert case.label == f"{label}, least-error weights"
    left, right = case.quantize_activation(x), case.quantize_weight(w)
    for found, tensor, encode in (left, x, "direct"), (right, w, "least-error"):
        expected = quantize(tensor, name, block_size=16, rounding="nearest-away", encode=encode, **choice)
        np.testing.assert_array_equal(found.codes, expected.codes)
        np.testing.assert_array_equal(found.scales, expected.scales)
        assert found.tensor_scale == expected.tensor_scale
    direct = Case(name, name, 16, "nearest-away", **choice).quantize_weight(x)
    np.testing.assert_array_equal(direct.scales, left.scales)
    plain = quantize(x, name, block_size=16)
    assert left.tensor_scale != plain.tensor_scale or not np.array_equal(left.scales, plain.scales)


def test_a_rotation_is_that_of_both_operands() -> None:
    rng = np.random.default_rng(4)
    x, w = (rng.standard_normal((rows, 96)).astype(np.float32) for rows in (3, 5))
    case = Case("MXFP4", "MXFP4", 32, "nearest-away", rotation=64)
    assert case.label == "MXFP4, rotated by 64"
    left, right = (quantize(rotated(tensor, 32), "MXFP4") for tensor in (x, w))
    np.testing.assert_array_equal(case.quantize_activation(x).codes, left.codes)
    np.testing.assert_array_equal(case.turned(w), rotated(w, 32))
    product = case.multiply(case.quantize_activation(x), case.quantize_weight(w))
    np.testing.assert_array_equal(product, matmul(left, right))


@pytest.mark.parametrize(
    ("names", "choice", "says"),
    [
        (("MXFP4", "MXFP4-E4M3"), {"rule": "even"}, "rule 'even' is not one for MXFP4-E4M3"),
        (("MXFP4-E4M3", "MXFP4"), {"tensor_scale": "max"}, "MXFP4 has E8M0 scales and takes no tensor scale"),
        (("NVFP4", "NVFP4"), {"tensor_scale": "mean"}, "unknown tensor scale 'mean'"),
        (("MXFP4", "MXFP4"), {"rotation": 48}, "rotation 48 is not allowed; it is a power of two from 2 to 65536"),
    ],
)
def test_what_does_not_go_with_a_format_is_refused(names: tuple[str, str], choice: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Case(*names, 32, "nearest-away", **choice)
