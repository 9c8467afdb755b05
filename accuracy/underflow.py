"""Blocks in which a side's E5M2 scale rounds to zero: the published code gives NaN, ours gives zeros."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.reference import reference_values
from amxfp4.golden import Rounding, block_format, quantize, sqnr

_CHUNK_BLOCKS = 1 << 12


@dataclass(frozen=True)
class Underflow:
    """What becomes of blocks in AMXFP4-E5M2.

    Attributes:
        blocks: how many blocks there are.
        reference_nan_blocks: how many have a NaN in the published code.
        reference_nan_elements: how many elements are NaN in the published code, zeros that pad a ragged block included.
        our_nan_blocks: how many have a NaN in ours.
        our_sqnr: SQNR in dB of ours over the blocks with a NaN in the published code; None if there are none.
        largest_lost: the largest magnitude that is NaN in the published code and zero in ours.
    """

    blocks: int
    reference_nan_blocks: int
    reference_nan_elements: int
    our_nan_blocks: int
    our_sqnr: float | None
    largest_lost: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def underflow_of(blocks: NDArray[np.float32], rounding: Rounding) -> Underflow:
    """Counts over finite blocks (n, block size)."""
    fmt = block_format("AMXFP4-E5M2", blocks.shape[1])
    nan_elements = our_nan_blocks = 0
    largest_lost = 0.0
    exact, approximate = [blocks[:0]], [blocks[:0]]
    for start in range(0, len(blocks), _CHUNK_BLOCKS):
        part = blocks[start : start + _CHUNK_BLOCKS]
        ours = quantize(part, fmt, rounding=rounding).dequantize()
        theirs_nan = np.isnan(reference_values(part, rounding))
        rows = theirs_nan.any(axis=1)
        nan_elements += int(theirs_nan.sum())
        our_nan_blocks += int(np.isnan(ours).any(axis=1).sum())
        largest_lost = max(largest_lost, float(np.abs(part[theirs_nan & (ours == 0)]).max(initial=0)))
        exact.append(part[rows])
        approximate.append(ours[rows])
    hit = sum(len(part) for part in exact)
    return Underflow(
        blocks=len(blocks),
        reference_nan_blocks=hit,
        reference_nan_elements=nan_elements,
        our_nan_blocks=our_nan_blocks,
        our_sqnr=sqnr(np.concatenate(exact), np.concatenate(approximate)) if hit else None,
        largest_lost=largest_lost,
    )
