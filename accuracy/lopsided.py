"""How lopsided blocks are: the largest positive element beside the largest magnitude of a negative one."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.cast import side_maxima
from amxfp4.golden.settings import in_own_settings

Array = NDArray[np.float32]

OCTAVES = np.arange(-8, 8.01, 0.5)
"""Bin edges, in powers of two, of the histogram of sides' ratios. Ratios beyond count in the outermost bins."""


@dataclass(frozen=True)
class Sides:
    """What the largest magnitudes of blocks' two sides are like. Blocks of zeros only are left out.

    Attributes:
        blocks: how many blocks there are.
        one_sided: share of blocks whose elements have one sign.
        twice: share of blocks whose sides differ by a factor of 2 or more, one-sided blocks included.
        median_ratio: median of larger side over smaller side, over blocks with both sides; None if there are none.
        octaves: share of blocks with log2(positive / negative) in each bin of `OCTAVES`, over blocks with both sides.
    """

    blocks: int
    one_sided: float
    twice: float
    median_ratio: float | None
    octaves: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def to_blocks(x: NDArray[Any], block_size: int) -> Array:
    """All blocks along the last axis, (n, block size). A ragged last block is padded with zeros."""
    x = np.asarray(x).astype(np.float32, copy=False)
    if padding := -x.shape[-1] % block_size:
        x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, padding)])
    return x.reshape(-1, block_size)


@in_own_settings
def sides_of(blocks: Array) -> Sides:
    """Summarises blocks (n, block size)."""
    positive, negative = side_maxima(blocks).T
    filled = (positive > 0) | (negative > 0)
    positive, negative = positive[filled], negative[filled]
    larger, smaller = np.maximum(positive, negative), np.minimum(positive, negative)
    both = smaller > 0
    logs = np.log2(positive[both]) - np.log2(negative[both])
    counts, _ = np.histogram(np.clip(logs, OCTAVES[0], OCTAVES[-1]), OCTAVES)
    total = max(len(positive), 1)
    return Sides(
        blocks=len(positive),
        one_sided=float((~both).sum() / total),
        twice=float((larger >= 2 * smaller).sum() / total),
        median_ratio=float(np.median(larger[both] / smaller[both])) if both.any() else None,
        octaves=tuple((counts / total).tolist()),
    )
