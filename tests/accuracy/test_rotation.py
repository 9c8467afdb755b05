"""Rotations of any length."""

import numpy as np
import pytest

from amxfp4.accuracy.rotation import check_rotation, rotated_as_far
from amxfp4.errors import UsageError
from amxfp4.golden import rotated


@pytest.mark.parametrize(("length", "most", "taken"), [(96, 64, 32), (96, 16, 16), (128, 1 << 16, 128), (6, 4, 2)])
def test_the_largest_that_fits_is_taken(length: int, most: int, taken: int) -> None:
    x = np.random.default_rng(1).standard_normal((3, length)).astype(np.float32)
    np.testing.assert_array_equal(rotated_as_far(x, most), rotated(x, taken))


def test_an_odd_length_is_left() -> None:
    x = np.ones((2, 33), np.float32)
    assert rotated_as_far(x, 32) is x


@pytest.mark.parametrize("size", [1, 0, -2, 12, 2.0, True, 1 << 17, None])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match="is not allowed; it is a power of two from 2 to 65536"):
        check_rotation(size)
