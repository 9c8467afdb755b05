"""A user's own tensors."""

from typing import Any

import numpy as np
import pytest

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.measure import measure_linear
from amxfp4.accuracy.own import check_tensors, describe, finite_rows, measure_own
from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format, rules_of

X = np.random.default_rng(1).standard_normal((2, 3, 40)).astype(np.float16)
W = np.random.default_rng(2).standard_normal((5, 40)).astype(np.float32)


def test_activations_alone() -> None:
    x, w = check_tensors(X, None)
    assert x.shape == (6, 40)
    cases = list(measure_own(x, w, 16, "nearest-even"))
    by_rule = ["MXFP4, even", "MXFP4, ceil", *(f"NVFP4, {rule}" for rule in rules_of("NVFP4")[1:])]
    labels = [case["label"] for case in cases]
    assert sorted(labels) == sorted([*BLOCK_FORMAT_NAMES, *by_rule])
    assert labels[:3] == ["MXFP4", "MXFP4, even", "MXFP4, ceil"]
    expected = measure_linear(Case("MXFP4", "MXFP4", 16, "nearest-even"), x).to_dict()
    assert cases[0]["linear_layers_mean"] == expected
    assert {case["rounding"] for case in cases} == {"nearest-even"}
    assert check_tensors(X[0, 0], None)[0].shape == (1, 40)


def test_with_weights() -> None:
    x, w = check_tensors(X, W)
    by_label = {case["label"]: case["linear_layers_mean"] for case in measure_own(x, w, 32, "nearest-away")}
    mixed = Case("AMXFP4-X2", "MXFP4-UE5M3", 32, "nearest-away")
    assert by_label["AMXFP4-X2 x MXFP4-UE5M3"] == measure_linear(mixed, x, W).to_dict()
    assert len(by_label) > len(BLOCK_FORMAT_NAMES)


def test_each_format_has_its_own_blocks_and_ties_unless_asked() -> None:
    cases = {case["label"]: case for case in measure_own(*check_tensors(X, None))}
    for name in BLOCK_FORMAT_NAMES:
        fmt = block_format(name)
        assert (cases[name]["block_size"], cases[name]["rounding"]) == (fmt.block_size, fmt.ties)


def test_a_rule_leaves_the_formats_that_have_it() -> None:
    cases = list(measure_own(*check_tensors(X, W), rule="even"))
    assert [case["label"] for case in cases] == ["MXFP4, even", "AMXFP4-E8M0, even"]
    way = Case("MXFP4", "MXFP4", 32, "nearest-away", rule="even")
    assert cases[0]["linear_layers_mean"] == measure_linear(way, X.reshape(6, 40), W).to_dict()


def test_a_tensor_scale_leaves_the_formats_that_take_it() -> None:
    cases = list(measure_own(*check_tensors(X, W), tensor_scale="max"))
    fp8 = [name for name in BLOCK_FORMAT_NAMES if block_format(name).scale.is_fp8]
    assert [case["label"] for case in cases] == [f"{name}, tensor scale" for name in fp8]
    way = Case("AMXFP4-Z8", "AMXFP4-Z8", 32, "nearest-away", tensor_scale="max")
    z8 = next(case for case in cases if case["activation"] == "AMXFP4-Z8")
    assert z8["linear_layers_mean"] == measure_linear(way, X.reshape(6, 40), W).to_dict()


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"rule": "up"}, "unknown rule 'up'; it is one of floor, even, ceil, nearest"),
        ({"tensor_scale": "mean"}, "unknown tensor scale 'mean'; it is one of max, power-of-two"),
        ({"rule": "ceil", "tensor_scale": "max"}, "no format has the rule ceil and a tensor scale"),
        ({"block_size": 12}, "block size 12 is not allowed"),
        ({"rounding": "up"}, "unknown rounding 'up'"),
    ],
)
def test_other_choices_are_refused(choice: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        list(measure_own(*check_tensors(X, None), **choice))


def test_a_description() -> None:
    x = np.float32([[1, -4] * 8, [1, 1] * 8])
    assert describe("x", x, 16) == (
        "x: (2, 16), float32: of 2 blocks of 16 that are not all zero, 50.0% have one sign only and 100.0% have sides "
        "a factor of 2 or more apart; the median ratio of sides is 4.00"
    )
    assert "median" not in describe("x", np.ones((1, 16), np.float32), 16)


@pytest.mark.parametrize(
    ("x", "w", "says"),
    [
        (X.astype(np.float64), None, "x is float64; one of float32, float16, bfloat16 is needed"),
        (X, W.astype(np.int8), "w is int8"),
        (np.float32(1), None, r"x has shape \(\)"),
        (np.zeros((0, 4), np.float32), None, r"x has shape \(0, 4\)"),
        (X, W[0], r"w has shape \(40,\); two axes"),
        (X, W[None], r"w has shape \(1, 5, 40\); two axes"),
        (X, W[:, :39], r"x has shape \(2, 3, 40\) and w \(5, 39\)"),
    ],
)
def test_what_is_refused(x: np.ndarray, w: np.ndarray | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_tensors(x, w)


def test_rows_that_are_not_finite_are_left_out() -> None:
    x = X.reshape(6, 40).copy()
    x[1, 3], x[1, 4], x[5, 0] = np.nan, np.inf, -np.inf
    rows, said = finite_rows("x.npy", x)
    assert np.array_equal(rows, x[[0, 2, 3, 4]])
    assert said == "x.npy: 3 of 240 elements are NaN or infinite; the 2 of 6 rows that have one are left out"
    assert finite_rows("x.npy", rows) == (rows, None)
    x[:, 0] = np.nan
    with pytest.raises(UsageError, match=r"x.npy: 8 of 240 elements are NaN or infinite, at least one in each row"):
        finite_rows("x.npy", x)
