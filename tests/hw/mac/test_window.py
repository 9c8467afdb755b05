"""A window: every exponent's shift, and whether it lies above."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.functions import FunctionOf

from amxfp4.hw.mac.window import Window

WINDOWS = {
    "mxfp4": (Window(-32, 54, 13, 13), 256, 9),
    "whole words below": (Window(-32, 54, 13, 14), 256, 9),
    "least": (Window(-126, 14, 13, 13), 256, 9),
    "furthest up": (Window(32, 96, 13, 26), 256, 9),
    "a shift of all ones": (Window(-20, 64, 13, 13), 256, 9),
    "FP8 on one side": (Window(-32, 54, 17, 17), 147, 9),
}


@pytest.mark.parametrize(("window", "offset", "bits"), WINDOWS.values(), ids=WINDOWS.keys())
def test_every_exponent(window: Window, offset: int, bits: int) -> None:
    exponent = np.arange(1 << bits)
    width = window.shift_max.bit_length()
    unit = FunctionOf({"exponent": bits}, width + 1, lambda m, e: window.place(m, e, offset))
    found = evaluate(unit, exponent=exponent)["y"]
    # A term's least bit, and its largest bit, weigh so much.
    least = exponent - offset
    above = least + window.term_bits > window.exponent + window.bits - 1
    np.testing.assert_array_equal(found >> width, above)
    shift = np.maximum(least - (window.exponent - window.below), 0)
    np.testing.assert_array_equal((found % (1 << width))[~above], shift[~above])
    assert 0 < above.sum() < above.size
