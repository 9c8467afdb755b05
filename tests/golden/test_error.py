"""Signal to noise by hand."""

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import sqnr


def test_sqnr() -> None:
    exact = np.float32([3, -4])
    assert sqnr(exact, [3, -3.5]) == pytest.approx(20)  # 25 to 0.25
    assert sqnr(exact, exact) == np.inf
    assert sqnr([0, 0], [0, 1]) == -np.inf
    assert np.isnan(sqnr(exact, [np.nan, 0]))
    assert sqnr(np.float16([60000]), np.float32([59400])) == pytest.approx(40, abs=0.2)  # no overflow in float16


@pytest.mark.parametrize("unit", (1e-300, 1e-200, 5e-324, 1e200, 4e307))
def test_squares_beyond_the_range_do_no_harm(unit: float) -> None:
    assert sqnr([3 * unit, -4 * unit], [3 * unit, -3 * unit]) == pytest.approx(20 * np.log10(5))
    assert sqnr([4 * unit], [-4 * unit]) == pytest.approx(-20 * np.log10(2))
    assert sqnr([unit, 0], [unit, 0]) == np.inf
    assert sqnr([0.0], [unit]) == -np.inf
    assert sqnr([1.0, 1.0], [1.0, 1.0 + unit]) == pytest.approx(10 * np.log10(2) - 20 * np.log10(unit)) or unit < 1e-16


def test_a_ratio_below_the_range_does_no_harm() -> None:
    assert sqnr([1.1 * 2.0**-430], [2.0**100]) == pytest.approx(20 * (np.log10(1.1) - 530 * np.log10(2)), rel=1e-12)


def test_infinities() -> None:
    assert sqnr([1.0, 2.0], [np.inf, 2.0]) == -np.inf
    assert np.isnan(sqnr([np.inf], [1.0]))
    assert np.isnan(sqnr([np.inf], [np.inf]))


def test_both_sums_are_over_the_shape_that_the_two_broadcast_to() -> None:
    assert sqnr([[2.0]], np.full((5, 7), 1.8)) == pytest.approx(20)
    assert sqnr(np.full((5, 7), 2.0), 1.8) == pytest.approx(20)
    with pytest.raises(UsageError, match=r"^exact has shape \(2,\) and approximate \(3,\); shapes that broadcast are"):
        sqnr([1.0, 2.0], [1.0, 2.0, 3.0])
