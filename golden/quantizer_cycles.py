"""In which cycle each transfer of a quantiser happens, whatever both ends do.

A quantiser moves as one: it stands still in exactly those cycles in which an output beat waits (`o.valid & ~o.ready`),
and takes a beat in every other cycle in which one is offered. Beat j of a block is shown `drain` + j cycles after the
block's last beat was taken, plus the cycles stood still in between: a block drains by itself, without gaps, whatever
gaps it arrived with and whether or not another one follows. A block that arrives without gaps so comes beat for beat
`beats_per_block` - 1 + `drain` cycles later.
"""

from collections import deque
from collections.abc import Iterable
from itertools import chain, repeat

import numpy as np

from amxfp4.errors import UsageError
from amxfp4.golden.cycles import Schedule


def quantizer_schedule(
    blocks: int,
    *,
    beats_per_block: int,
    drain: int,
    offered: Iterable[bool] = (),
    ready: Iterable[bool] = (),
) -> Schedule:
    """When each beat is taken and each is given, quantised, starting after reset.

    Args:
        blocks: how many blocks there are.
        beats_per_block: block size / lanes.
        drain: cycles from taking a block's last beat to showing its first one, when nothing stands still; at least 1.
        offered: per cycle, whether the driver starts to offer its next beat if it does not hold one out already; a
            beat on offer stays so until it is taken. A record of `i.valid` will do. True beyond its end.
        ready: per cycle, `o.ready`. True beyond its end.

    Returns:
        A `Schedule` with an entry for each beat of each block in all three of its arrays.

    Raises:
        UsageError: a drain or a number of beats a block below 1, or a negative number of blocks.
    """
    for name, value, least in (("blocks", blocks, 0), ("beats_per_block", beats_per_block, 1), ("drain", drain, 1)):
        if value < least:
            raise UsageError(f"{name} {value} is not allowed; it is at least {least}")
    beats = blocks * beats_per_block
    taken: list[int] = []
    shown: list[int] = []
    given: list[int] = []
    moves = 0  # cycles so far in which the pipeline did not stand still
    due: deque[int] = deque()  # the value of `moves` at which each beat under way is shown
    holding = False
    cycles = zip(chain(offered, repeat(True)), chain(ready, repeat(True)), strict=False)
    for cycle, (offer, taker) in enumerate(cycles):
        if len(given) == beats:
            break
        holding = len(taken) < beats and (holding or bool(offer))
        showing = bool(due) and due[0] == moves
        if showing and len(shown) == len(given):
            shown.append(cycle)
        if showing and not taker:
            continue
        if showing:
            due.popleft()
            given.append(cycle)
        if holding:
            taken.append(cycle)
            holding = False
            if len(taken) % beats_per_block == 0:
                due.extend(range(moves + drain, moves + drain + beats_per_block))
        moves += 1
    return Schedule(*(np.array(record, np.int64) for record in (taken, shown, given)))
