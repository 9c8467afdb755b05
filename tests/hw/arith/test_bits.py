"""The small vocabulary: every value of a few bits."""

import numpy as np
from helpers.comb import evaluate
from helpers.functions import FunctionOf

from amxfp4.hw.arith.bits import gated


def test_gated() -> None:
    value, when = (axis.ravel() for axis in np.indices((32, 2)))
    unit = FunctionOf({"value": 5, "when": 1}, 5, lambda m, value, when: gated(value, when))
    np.testing.assert_array_equal(evaluate(unit, value=value, when=when)["y"], np.where(when, value, 0))
