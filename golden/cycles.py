"""In which cycle each transfer of a unit happens, whatever both ends do.

A unit is a pipeline that takes a beat a cycle and moves as one: it stands still in exactly those cycles in which a
result waits at the output (`o.valid & ~o.ready`), and takes a beat in every other cycle in which one is offered.
The last beat of a dot product, taken in cycle t, gives its result in cycle t + latency, plus the cycles stood still
in between.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError


@dataclass(frozen=True)
class Schedule:
    """Cycle of every transfer, counted from 0.

    Attributes:
        taken: int64 (beats,), the cycle in which each beat is transferred (`i.valid & i.ready`).
        shown: int64 (results,), the first cycle with `o.valid` for each result.
        given: int64 (results,), the cycle in which each result is transferred (`o.valid & o.ready`).
    """

    taken: NDArray[np.int64]
    shown: NDArray[np.int64]
    given: NDArray[np.int64]


def schedule(
    last: Sequence[bool] | NDArray[np.bool_],
    *,
    latency: int,
    beats_per_block: int = 1,
    offered: Iterable[bool] = (),
    ready: Iterable[bool] = (),
) -> Schedule:
    """When each beat is taken and each result is given, starting after reset.

    Args:
        last: per beat, the flag that ends a dot product; looked at in a block's last beat only, as in the unit.
        latency: cycles from taking a dot product's last beat to its result, when nothing stands still; at least 1.
        beats_per_block: block size / lanes.
        offered: per cycle, whether the driver starts to offer its next beat if it does not hold one out already; a
            beat on offer stays so until it is taken. A record of `i.valid` will do. True beyond its end.
        ready: per cycle, `o.ready`. True beyond its end.

    Raises:
        UsageError: a latency or a number of beats a block below 1.
    """
    for name, value in (("latency", latency), ("beats_per_block", beats_per_block)):
        if value < 1:
            raise UsageError(f"{name} {value} is not allowed; it is at least 1")
    ends = [bool(flag) and beat % beats_per_block == beats_per_block - 1 for beat, flag in enumerate(last)]
    results = sum(ends)
    taken: list[int] = []
    shown: list[int] = []
    given: list[int] = []
    moves = 0  # cycles so far in which the pipeline did not stand still
    due: deque[int] = deque()  # the value of `moves` at which each result under way is shown
    holding = False
    cycles = zip(chain(offered, repeat(True)), chain(ready, repeat(True)), strict=False)
    for cycle, (offer, taker) in enumerate(cycles):
        if len(taken) == len(ends) and len(given) == results:
            break
        holding = len(taken) < len(ends) and (holding or bool(offer))
        showing = bool(due) and due[0] == moves
        if showing and len(shown) == len(given):
            shown.append(cycle)
        if showing and not taker:
            continue
        if showing:
            due.popleft()
            given.append(cycle)
        if holding:
            if ends[len(taken)]:
                due.append(moves + latency)
            taken.append(cycle)
            holding = False
        moves += 1
    return Schedule(*(np.array(record, np.int64) for record in (taken, shown, given)))
