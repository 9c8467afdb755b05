"""The published arithmetic, NaN included, against the authors' own results and by hand."""

from pathlib import Path

import numpy as np
import pytest

from amxfp4.accuracy.reference import reference_values
from amxfp4.golden import ROUNDINGS, Rounding, quantize


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_the_authors_own_results(shared: Path, rounding: Rounding) -> None:
    with np.load(shared / "vectors" / "quantize_reference.npz") as file:
        x, expected = file["x"], file[f"AMXFP4-E5M2/{rounding}/dequantized"]
        valid = file[f"AMXFP4-E5M2/{rounding}/valid"]
    found = reference_values(x, rounding)
    assert valid.sum() > 1000
    np.testing.assert_array_equal(found[valid], expected[valid])
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_without_underflow_it_is_ours(rounding: Rounding) -> None:
    x = np.random.default_rng(1).standard_normal((500, 32)).astype(np.float32)
    x[::3] = np.abs(x[::3])
    ours = quantize(x, "AMXFP4-E5M2", rounding=rounding).dequantize()
    np.testing.assert_array_equal(reference_values(x, rounding), ours)


def test_a_side_whose_scale_rounds_to_zero() -> None:
    block = np.zeros((1, 32), np.float32)
    block[0, :3] = [1, 1e-6, -1e-6]
    found = reference_values(block, "nearest-away")[0]
    assert np.isfinite(found[:2]).all()
    assert np.isnan(found[2:]).all()  # the small negative element, and zeros, which go with that side
    assert np.isfinite(quantize(block, "AMXFP4-E5M2").dequantize()).all()


def test_a_block_of_zeros() -> None:
    np.testing.assert_array_equal(reference_values(np.zeros((2, 32), np.float32), "nearest-away"), 0)
