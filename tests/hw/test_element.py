"""Products of elements: every pair of codes."""

import numpy as np
import pytest
from comb import evaluate

from amxfp4.golden.formats import ELEMENT_MAGNITUDES
from amxfp4.hw.element import ElementProducts

MAGNITUDES = np.array(ELEMENT_MAGNITUDES)


@pytest.mark.parametrize("lanes", (1, 2, 32))
def test_every_pair_of_codes_in_every_lane(lanes: int) -> None:
    """Lanes see the pairs in different orders, so that crossed wires show."""
    pairs = (np.arange(256)[:, None] + 37 * np.arange(lanes)) % 256
    a, w = np.divmod(pairs, 16)
    found = evaluate(ElementProducts(lanes), a=a, w=w, simulated=256 if lanes == 1 else 32)["magnitude"]
    np.testing.assert_array_equal(found, 4 * MAGNITUDES[a & 7] * MAGNITUDES[w & 7])
