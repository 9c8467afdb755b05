"""Which operands can meet in a dot product."""

import numpy as np

from amxfp4.errors import UsageError
from amxfp4.golden.blocks import Blocks


def check_blocks(**operands: object) -> None:
    """Refuse operands, given by name, that are not `Blocks`."""
    for name, operand in operands.items():
        if not isinstance(operand, Blocks):
            kind = type(operand).__name__
            raise UsageError(f"{name} is of type {kind}; it must be Blocks, which quantize makes of an array")


def check_pair(a: Blocks, w: Blocks) -> None:
    """Refuse operands whose blocks do not pair up along the reduction axis."""
    if a.fmt.block_size != w.fmt.block_size:
        raise UsageError(f"block sizes {a.fmt.block_size} and {w.fmt.block_size} differ; both operands need the same")
    if a.length != w.length:
        raise UsageError(f"reduction lengths {a.length} and {w.length} differ; both operands need the same")


def check_broadcast(a: Blocks, w: Blocks) -> None:
    """Refuse operands whose axes other than the quantised one do not broadcast."""
    leading = a.codes.shape[:-1], w.codes.shape[:-1]
    try:
        np.broadcast_shapes(*leading)
    except ValueError:
        raise UsageError(
            f"shapes {leading[0]} and {leading[1]} of the other axes do not broadcast; they are equal or 1"
        ) from None
