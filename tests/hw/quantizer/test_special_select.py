"""The scale and the side of a special value: every narrowed maximum beside others of every size, against golden."""

import ml_dtypes
import numpy as np
import pytest
from helpers.comb import evaluate, generator
from helpers.quantizer_parts import ROUNDINGS
from helpers.quick import full_but
from numpy.typing import NDArray

from amxfp4.golden import Rounding, quantize
from amxfp4.hw.quantizer.config import BIAS, QuantizerConfig
from amxfp4.hw.quantizer.special_select import SpecialSelect


def maxima_of(config: QuantizerConfig, rng: np.random.Generator) -> NDArray[np.uint16]:
    """The bits of pairs of bfloat16 maxima (pairs, 2).

    One of a pair is any within the window, even or odd. The other is zero, equal or next to it, at 7/8 of it (where
    blocks begin to be crowded), at half of it (where it begins to have a rival), or any smaller one.
    """
    first = BIAS - config.window_bias + 1 << 7
    every = np.arange(first, first + (1 << config.exponent_bits + 7) - (2 << 7), dtype=np.int64)
    fractions = np.array([1, 7 / 8, 13 / 16, 0.6, 0.5])
    values = every.astype(np.uint16).view(ml_dtypes.bfloat16).astype(np.float32)[:, None]
    near = (values * fractions).astype(ml_dtypes.bfloat16).view(np.uint16).astype(np.int64)
    others = [near + step for step in (-1, 0, 1)]
    others += [np.zeros((len(every), 1), np.int64), rng.integers(0, every[:, None], (len(every), 2))]
    other = np.clip(np.concatenate(others, axis=1), 0, every[-1])
    one = np.broadcast_to(every[:, None], other.shape)
    pairs = np.stack([one.ravel(), other.ravel()], axis=1)
    swapped = rng.integers(2, size=(len(pairs), 1)) == 1
    return np.where(swapped, pairs[:, ::-1], pairs).astype(np.uint16)


def narrowed(config: QuantizerConfig, bits: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Maxima as the quantiser holds them: in its window, cut to the kept bits, with the sticky bit if it has one."""
    field, fraction = bits.astype(np.int64) >> 7, bits.astype(np.int64) & 0x7F
    exponent = np.maximum(field - BIAS + config.window_bias, 0)
    kept = fraction >> (7 - config.kept_fraction_bits)
    if config.ties_to_even:
        kept = kept << 1 | (fraction & ((1 << 7 - config.kept_fraction_bits) - 1) > 0)
    return exponent << config.fraction_bits | kept


CASES = [(format, rounding) for format in ("AMXFP4-Z8", "AMXFP4-Z") for rounding in ROUNDINGS]


@pytest.mark.parametrize(
    "case", full_but({"AMXFP4-Z8, nearest-even", "AMXFP4-Z, nearest-away"}, CASES, lambda case: ", ".join(case))
)
def test_every_maximum(case: tuple[str, Rounding]) -> None:
    format, rounding = case
    config = QuantizerConfig(format, block_size=8, rounding=rounding)
    rng = generator()
    bits = maxima_of(config, rng)
    values = bits.view(ml_dtypes.bfloat16).astype(np.float32)
    # A third element of a quarter or nine tenths of its side's maximum: without and with a rival.
    share = rng.choice([0.25, 0.9], values.shape).astype(np.float32)
    blocks = np.zeros((len(bits), 8), np.float32)
    blocks[:, [0, 1]], blocks[:, [2, 3]] = values * [1, -1], values * share * [1, -1]
    golden = quantize(blocks, config.block_format, rounding=rounding).scales[:, 0]
    inputs = {"maximum": narrowed(config, bits)}
    if config.second_special:
        inputs["rivalled"] = ((share > 0.5) * [1, 2]).sum(axis=1)
    found = evaluate(SpecialSelect(config), simulated=20, **inputs)
    np.testing.assert_array_equal(found["code"], golden[:, 0])
    np.testing.assert_array_equal(found["special"], golden[:, 1])
    assert set(golden[:, 0].tolist()) == set(range(config.block_format.scale.max_code + 1))
    assert set(golden[:, 1].tolist()) == set(range(config.block_format.asymmetry_codes))
