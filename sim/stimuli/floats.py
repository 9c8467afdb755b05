"""Floats as bits, for a quantiser: blocks of every kind at random, and floats next to given values."""

from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from amxfp4.hw.quantizer.config import BIAS, QuantizerConfig

Bits = NDArray[np.uint32]
"""The bits of bfloat16 or float32 values, whichever the config takes."""


def floats(config: QuantizerConfig, bits: Bits) -> NDArray[Any]:
    """Floats of these bits, bfloat16 or float32."""
    if config.input == "float32":
        return bits.astype(np.uint32).view(np.float32)
    return bits.astype(np.uint16).view(ml_dtypes.bfloat16)


def bits_of(config: QuantizerConfig, values: Any) -> Bits:
    """Bits of the nearest floats to float64 values, infinity beyond the largest."""
    with np.errstate(over="ignore"):
        single = np.asarray(values, np.float64).astype(np.float32)
    if config.input == "float32":
        return single.view(np.uint32)
    return single.astype(ml_dtypes.bfloat16).view(np.uint16).astype(np.uint32)


def beside(bits: Bits, steps: int) -> Bits:
    """The floats that many steps further from zero; the sign stays."""
    return (bits.astype(np.int64) + steps).astype(np.uint32)


def negated(config: QuantizerConfig, bits: Bits) -> Bits:
    """The same with the other sign."""
    return bits ^ np.uint32(1 << (config.float_bits - 1))


def random_bits(config: QuantizerConfig, rng: np.random.Generator, shape: tuple[int, ...]) -> Bits:
    """Bits of blocks (*shape, k) of every kind: of one magnitude or wide apart, on ties, one-sided, of zeros of both
    signs, subnormal, beyond the scales' range on either side, with NaN or infinities, of any bits at all."""
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
    # Few significant bits, so that ties come up; sometimes with the least bit set besides.
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
