"""Floats as bits, for a quantiser: random blocks of every kind, and the floats next to a given value."""

from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.settings import in_own_settings
from amxfp4.hw.quantizer.config import BIAS, QuantizerConfig

Bits = NDArray[np.uint32]
"""The bits of bfloat16 or float32 values, depending on what the config takes."""


def floats(config: QuantizerConfig, bits: Bits) -> NDArray[Any]:
    """The floats that have these bits: bfloat16 or float32."""
    if config.input == "float32":
        return bits.astype(np.uint32).view(np.float32)
    return bits.astype(np.uint16).view(ml_dtypes.bfloat16)


@in_own_settings
def bits_of(config: QuantizerConfig, values: Any) -> Bits:
    """The bits of the floats nearest to float64 values; infinity beyond the largest float."""
    single = np.asarray(values, np.float64).astype(np.float32)
    if config.input == "float32":
        return single.view(np.uint32)
    return single.astype(ml_dtypes.bfloat16).view(np.uint16).astype(np.uint32)


def beside(bits: Bits, steps: int) -> Bits:
    """The floats `steps` steps further from zero, with the same sign."""
    return (bits.astype(np.int64) + steps).astype(np.uint32)


def negated(config: QuantizerConfig, bits: Bits) -> Bits:
    """The floats with the other sign."""
    return bits ^ np.uint32(1 << (config.float_bits - 1))


def random_bits(config: QuantizerConfig, rng: np.random.Generator, shape: tuple[int, ...]) -> Bits:
    """The bits of blocks (*shape, k) of every kind.

    Magnitudes in a block are alike or wide apart, subnormal, or beyond the scales' range on either side. Some blocks
    have one sign, or zeros of both signs; some have elements on ties, NaNs or infinities, or any bits at all.
    """
    width, fraction_bits = config.float_bits, config.input_fraction_bits
    sign = 1 << (width - 1)
    blocks = np.zeros((*shape, 1), np.uint32)
    kind = rng.integers(0, 10, blocks.shape)
    near_scales = rng.integers(BIAS - 22, BIAS + 22, blocks.shape)
    centre = np.where(kind < 5, near_scales, rng.integers(0, 255, blocks.shape))
    full = (*shape, config.block_size)
    spread = rng.integers(-6, 1, full) * (kind != 1)
    exponent = np.clip(centre + spread, 0, 254).astype(np.uint32)
    fraction = rng.integers(0, 1 << fraction_bits, full, dtype=np.uint32)
    # Few significant bits, so that ties come up. Sometimes the lowest bit is set too, which makes a near tie.
    few = (1 << fraction_bits) - (1 << (fraction_bits - rng.integers(2, 7, full)))
    fraction = np.where(kind % 2 == 1, fraction & few.astype(np.uint32), fraction)
    fraction |= (rng.random(full) < 0.1).astype(np.uint32)
    bits = exponent << fraction_bits | fraction
    bits = np.where(rng.random(full) < 0.1, 0, bits)
    bits = np.where(kind == 7, rng.integers(0, 1 << fraction_bits, full, dtype=np.uint32), bits)  # subnormal
    bits = np.where((kind == 8) & (rng.random(full) < 0.1), rng.integers(0, 1 << (width - 1), full), bits)
    bits = np.where(kind == 9, 0, bits)
    negative = rng.random(full) < rng.choice([0, 0.1, 0.5, 1], blocks.shape)
    special = (rng.random(blocks.shape) < 0.06) & (np.arange(config.block_size) == rng.integers(0, 8, blocks.shape))
    bits = np.where(special, np.uint32(0xFF << fraction_bits) | bits, bits)
    return (bits | negative * np.uint32(sign)).astype(np.uint32)
