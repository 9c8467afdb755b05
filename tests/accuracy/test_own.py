"""A user's own tensors."""

import numpy as np
import pytest

from amxfp4.accuracy.case import Case
from amxfp4.accuracy.measure import measure_linear
from amxfp4.accuracy.own import check_tensors, describe, finite_rows, measure_own
from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES

X = np.random.default_rng(1).standard_normal((2, 3, 40)).astype(np.float16)
W = np.random.default_rng(2).standard_normal((5, 40)).astype(np.float32)


def test_activations_alone() -> None:
    x, w = check_tensors(X, None)
    assert x.shape == (6, 40)
    cases = list(measure_own(x, w, 16, "nearest-even"))
    assert [case["label"] for case in cases] == list(BLOCK_FORMAT_NAMES)
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
