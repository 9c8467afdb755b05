"""Two other ways to give a block two related scales, measured beside AMXFP4-X2 and not taken: their values only.

`ratio_values` lets the smaller side have one of four ratios to the larger one. `shared_exponent_values` gives each side
a free significand under one exponent. Both come closer than AMXFP4-X2 (docs/accuracy.md has the figures) and cost more
hardware: a ratio of 3/4 needs an addition in every lane, and free significands need the four sums again that X2 saves.

Both start from the scale that MXFP4-UE5M3 has, and take the least squared error among neighbours, added by
`least_error.sum_pairwise`. Of equals the first in the order given wins. Elements round to nearest, ties away from zero,
saturating.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.cast import side_maxima
from amxfp4.golden.codes import rounding_thresholds
from amxfp4.golden.formats import DEFAULT_BLOCK_SIZE, ELEMENT_MAGNITUDES, ELEMENT_MAX, UE5M3, block_format
from amxfp4.golden.least_error import sum_pairwise
from amxfp4.golden.quantize import quantize

RATIOS = (1, 3 / 4, 1 / 2, 1 / 4)

_MAGNITUDES = np.array(ELEMENT_MAGNITUDES)
_MIDPOINTS, _ = rounding_thresholds(_MAGNITUDES, "nearest-away")
_LARGEST_SIGNIFICAND = 2 * (1 << UE5M3.mantissa_bits) - 1
_CHUNK_ELEMENTS = 1 << 16

_Blocks = NDArray[np.float32]
_Scales = NDArray[np.float64]


def ratio_values(
    x: NDArray[Any], ratios: Sequence[float] = RATIOS, *, block_size: int = DEFAULT_BLOCK_SIZE
) -> NDArray[np.float64]:
    """Values of `x` where the side with the smaller maximum has one of `ratios` times the block's UE5M3 scale.

    The candidates are the direct cast's scale code, the one below and the one above, each with every ratio. With the
    ratios 1 and 1/2 this is AMXFP4-X2 by least error. Four ratios cost 4.34 bits per element in blocks of 32.

    Args:
        x: what `quantize` takes. The last axis is divided into blocks.
        ratios: each with few significant bits. Of equals the first is preferred.
        block_size: elements per block.
    """

    def best(blocks: _Blocks, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        maxima = side_maxima(blocks)
        smaller = np.where(maxima[:, :1] < maxima[:, 1:], [True, False], [False, True])
        neighbours = [np.clip(codes + offset, 0, UE5M3.max_code) for offset in (0, -1, 1)]
        sides = (UE5M3.values[code] * np.where(smaller, ratio, 1) for code in neighbours for ratio in ratios)
        return _least_error_values(blocks, np.ones_like(blocks, np.bool_), sides)

    return _by_block(x, block_size, best)


def shared_exponent_values(x: NDArray[Any], *, block_size: int = DEFAULT_BLOCK_SIZE) -> NDArray[np.float64]:
    """Values of `x` where each side's scale is a significand 0..15 of its own times one power of two for both.

    The power and the larger side's significand are those of the direct cast's UE5M3 scale. The smaller side's
    significand makes its scale the nearest to its maximum / 6. The candidates of each side are its significand, the one
    below and the one above.

    This costs 13 bits per block, or 4.41 bits per element in blocks of 32. A dot product needs four sums, but only one
    alignment.

    Args:
        x: what `quantize` takes. The last axis is divided into blocks.
        block_size: elements per block.
    """

    def best(blocks: _Blocks, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        power = np.ldexp(1.0, UE5M3.exponents[codes])
        midpoints = (np.arange(_LARGEST_SIGNIFICAND) + 0.5) * ELEMENT_MAX
        direct = (side_maxima(blocks)[:, :, None] >= midpoints * power[:, :, None]).sum(axis=2)
        values = np.zeros_like(blocks, np.float64)
        negative = blocks < 0
        for side in negative, ~negative:
            neighbours = (power * np.clip(direct + offset, 0, _LARGEST_SIGNIFICAND) for offset in (0, -1, 1))
            values += np.where(side, _least_error_values(blocks, side, neighbours), 0)
        return values

    return _by_block(x, block_size, best)


def _by_block(
    x: NDArray[Any], block_size: int, best: Callable[[_Blocks, NDArray[np.int64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """What `best` gives of blocks (n, k) and their UE5M3 scale codes (n, 1). NaN in blocks that are not finite."""
    symmetric = quantize(x, block_format("MXFP4-UE5M3", block_size))
    padding = symmetric.codes.shape[-1] - x.shape[-1]
    blocks = np.pad(x.astype(np.float32), [(0, 0)] * (x.ndim - 1) + [(0, padding)]).reshape(-1, block_size)
    codes = symmetric.scales.reshape(-1, 1).astype(np.int64)
    values = np.full(blocks.shape, np.nan)
    finite = np.flatnonzero(codes <= UE5M3.max_code)
    for start in range(0, len(finite), _CHUNK_ELEMENTS // block_size):
        part = finite[start : start + _CHUNK_ELEMENTS // block_size]
        values[part] = best(blocks[part], codes[part])
    return values.reshape(symmetric.codes.shape)[..., : x.shape[-1]]


def _least_error_values(x: _Blocks, counted: NDArray[np.bool_], candidates: Iterable[_Scales]) -> NDArray[np.float64]:
    """Values of blocks `x` (n, k) under the best of `candidates`, pairs of scales (n, 2).

    The best pair has the least sum of squared errors over the elements that are `counted`.
    """
    best = np.zeros_like(x, np.float64)
    least = np.full((len(x), 1), np.inf)
    for scales in candidates:
        values = _values(x, scales)
        squares = (x - values) ** 2
        errors = sum_pairwise(np.where(counted, squares, 0))
        best = np.where(errors < least, values, best)
        least = np.minimum(errors, least)
    return best


def _values(x: _Blocks, scales: _Scales) -> NDArray[np.float64]:
    """Values of blocks `x` (n, k) under a pair of scales (n, 2) for each."""
    factor = np.where(x < 0, scales[:, 1:], scales[:, :1])
    # The products are exact, as scales and midpoints have few significant bits. A zero scale makes every value zero,
    # however many steps are counted.
    steps = [np.abs(x) >= midpoint * factor for midpoint in _MIDPOINTS]
    return np.copysign(_MAGNITUDES[np.sum(steps, axis=0)] * factor, x)
