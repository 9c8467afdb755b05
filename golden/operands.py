"""Which operands can meet in a dot product."""

from dataclasses import replace

import numpy as np

from amxfp4.errors import UsageError
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.formats import block_format


def check_blocks(**operands: object) -> None:
    """Refuse operands, given by name, that are not `Blocks`."""
    for name, operand in operands.items():
        if not isinstance(operand, Blocks):
            kind = type(operand).__name__
            raise UsageError(f"{name} is of type {kind}; it must be Blocks, which quantize makes of an array")


def check_pair(a: Blocks, w: Blocks) -> None:
    """Refuse operands that do not have the same reduction length."""
    if a.length != w.length:
        raise UsageError(f"reduction lengths {a.length} and {w.length} differ; both operands need the same")


def paired(a: Blocks, w: Blocks) -> tuple[Blocks, Blocks]:
    """Both operands in the smaller of their block sizes, with the same values."""
    size = min(a.fmt.block_size, w.fmt.block_size)
    return in_blocks_of(a, size), in_blocks_of(w, size)


def in_blocks_of(blocks: Blocks, size: int) -> Blocks:
    """The same tensor in smaller blocks: each block becomes several that repeat its scales.

    Args:
        blocks: the tensor.
        size: elements per block, at most as many as in the tensor's format. Both are powers of two, so one divides the
            other.
    """
    if size == blocks.fmt.block_size:
        return blocks
    count = -(-blocks.length // size)
    scales = np.repeat(blocks.scales, blocks.fmt.block_size // size, axis=-2)[..., :count, :]
    return replace(blocks, codes=blocks.codes[..., : count * size], scales=scales, fmt=block_format(blocks.fmt, size))


def check_broadcast(a: Blocks, w: Blocks) -> None:
    """Refuse operands whose axes other than the quantised one do not broadcast."""
    leading = a.codes.shape[:-1], w.codes.shape[:-1]
    try:
        np.broadcast_shapes(*leading)
    except ValueError:
        raise UsageError(
            f"shapes {leading[0]} and {leading[1]} of the other axes do not broadcast; they are equal or 1"
        ) from None
