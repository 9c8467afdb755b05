"""Signal to noise by hand."""

import numpy as np
import pytest

from amxfp4.golden import sqnr


def test_sqnr() -> None:
    exact = np.float32([3, -4])
    assert sqnr(exact, [3, -3.5]) == pytest.approx(20)  # 25 to 0.25
    assert sqnr(exact, exact) == np.inf
    assert sqnr([0, 0], [0, 1]) == -np.inf
    assert np.isnan(sqnr(exact, [np.nan, 0]))
    assert sqnr(np.float16([60000]), np.float32([59400])) == pytest.approx(40, abs=0.2)  # no overflow in float16
