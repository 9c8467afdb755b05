"""Counting blocks with NaN in the published arithmetic."""

import numpy as np
import pytest

from amxfp4.accuracy import underflow as module
from amxfp4.accuracy.underflow import underflow_of
from amxfp4.golden import quantize, sqnr


def blocks() -> np.ndarray:
    x = np.random.default_rng(1).standard_normal((10, 32)).astype(np.float32)
    x[3] = np.abs(x[3])
    x[3, :2] = -1e-7, -3e-6  # a negative side whose scale is zero: these two are NaN there
    x[7] = -np.abs(x[7])
    x[7, 0] = 2e-6
    return x


@pytest.mark.parametrize("chunk", [3, 1 << 12])
def test_counts(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_BLOCKS", chunk)
    x = blocks()
    found = underflow_of(x, "nearest-away")
    assert (found.blocks, found.reference_nan_blocks, found.reference_nan_elements) == (10, 2, 3)
    assert found.our_nan_blocks == 0
    assert found.largest_lost == np.float32(3e-6)
    rows = x[[3, 7]]
    assert found.our_sqnr == pytest.approx(sqnr(rows, quantize(rows, "AMXFP4-E5M2").dequantize()))


def test_none() -> None:
    found = underflow_of(blocks()[:3], "nearest-away")
    assert found.to_dict() == {
        "blocks": 3,
        "reference_nan_blocks": 0,
        "reference_nan_elements": 0,
        "our_nan_blocks": 0,
        "our_sqnr": None,
        "largest_lost": 0.0,
    }
