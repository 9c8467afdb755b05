"""Rules of E8M0 scales against the contract in fractions, and which formats have which rules."""

import numpy as np
import pytest
from helpers.quantize_oracle import direct
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, ScaleRule, block_format, quantize, rules_of, sqnr

RULES: tuple[ScaleRule, ...] = ("floor", "even", "ceil")
POWERS_OF_TWO = ("MXFP4", "AMXFP4-E8M0")


def check(x: np.ndarray, name: str, rule: ScaleRule) -> None:
    fmt = block_format(name, 8)
    blocks = quantize(x, fmt, rule=rule)
    for row, block in enumerate(x):
        codes, scales = direct(block, fmt, fmt.ties, rule)
        assert blocks.scales[row, 0].tolist() == scales
        assert blocks.codes[row].tolist() == codes


@pytest.mark.parametrize("name", POWERS_OF_TWO)
@pytest.mark.parametrize("rule", RULES)
def test_thresholds_in_every_binade(name: str, rule: ScaleRule) -> None:
    """Maxima of 4, 6 and 7 scales and the floats beside them, for every exponent, and subnormals."""
    powers = np.ldexp(1.0, np.arange(-149, 128))
    maxima = (powers[:, None] * [1, 1.5, 1.75]).ravel().astype(np.float32)
    maxima = np.concatenate([maxima, np.nextafter(maxima, np.float32(0)), np.nextafter(maxima, np.float32(np.inf))])
    x = np.zeros((len(maxima), 8), np.float32)
    x[:, 0], x[:, 1], x[:, 2] = maxima, -maxima / 3, maxima / 5
    check(x, name, rule)
    check(-x, name, rule)


@given(st.lists(st.floats(width=32), min_size=8, max_size=8), st.sampled_from(POWERS_OF_TWO), st.sampled_from(RULES))
def test_any_floats(x: list[float], name: str, rule: ScaleRule) -> None:
    check(np.array([x], np.float32), name, rule)


def test_the_rules_differ_as_they_should() -> None:
    def code(m: float, rule: ScaleRule) -> int:
        return int(quantize(np.full(32, m, np.float32), "MXFP4", rule=rule).scales[0, 0])

    # In scales of 1 (code 127): 4, 6, just above 6, just below 7, 7, just below 8.
    rows = {m: [code(m, rule) - 127 for rule in RULES] for m in (4.0, 6.0, 6.001, 6.999, 7.0, 7.999)}
    assert rows == {
        4.0: [0, 0, 0],
        6.0: [0, 0, 0],
        6.001: [0, 0, 1],
        6.999: [0, 0, 1],
        7.0: [0, 1, 1],
        7.999: [0, 1, 1],
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("largest", [np.finfo(np.float32).max, 3.3e38, 2.6e38, 2.0**127])
def test_everything_fits_a_float32(rule: ScaleRule, largest: float) -> None:
    x = np.full((1, 32), largest, np.float32)
    assert np.isfinite(quantize(x, "MXFP4", rule=rule).dequantize()).all()


def test_even_is_the_best_of_them_on_normal_values() -> None:
    x = np.random.default_rng(1).standard_normal((200, 320)).astype(np.float32)
    floor, even, ceil = (sqnr(x, quantize(x, "MXFP4", rule=rule).dequantize()) for rule in RULES)
    assert even > max(floor, ceil)


def test_which_formats_have_which_rules() -> None:
    for name in BLOCK_FORMAT_NAMES:
        assert (rules_of(block_format(name))[0] == "floor") == (name in POWERS_OF_TWO)


@pytest.mark.parametrize(
    ("name", "rule"), [("MXFP4", "nearest"), ("AMXFP4", "floor"), ("MXFP4", "Floor"), ("NVFP4", 3)]
)
def test_a_rule_of_other_formats(name: str, rule: ScaleRule) -> None:
    with pytest.raises(UsageError, match=rf"rule {rule!r} is not one for .*; it is one of "):
        quantize(np.zeros(32, np.float32), name, rule=rule)
