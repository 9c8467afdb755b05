"""Old spellings that go on working, with a warning that names the new one."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest

import amxfp4.golden
from amxfp4.golden import Accumulator, dot, dot_detailed, matmul, quantize


@pytest.mark.parametrize("product", [matmul, dot, dot_detailed])
def test_accumulate_means_accumulator(product: Callable) -> None:
    rng = np.random.default_rng(0)
    a, w = (quantize(rng.standard_normal((3, 256)).astype(np.float32) ** 3, "AMXFP4") for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        new = product(a, w, accumulator="fp32")
    with pytest.warns(DeprecationWarning, match="accumulate is now called accumulator") as warned:
        old = product(a, w, accumulate="fp32")
    assert warned[0].filename == __file__
    bits = [found if isinstance(found, np.ndarray) else found.values for found in (new, old)]
    np.testing.assert_array_equal(*bits)
    with pytest.raises(TypeError, match=r"^\w+\(\) got both accumulator and accumulate"):
        product(a, w, accumulate="fp32", accumulator="fp32")


def test_the_type_by_its_old_name() -> None:
    with pytest.warns(DeprecationWarning, match="Accumulate is now called Accumulator"):
        old = amxfp4.golden.Accumulate  # type: ignore[attr-defined]
    assert old is Accumulator
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = amxfp4.golden.Nothing  # type: ignore[attr-defined]
