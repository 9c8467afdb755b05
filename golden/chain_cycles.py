"""In which cycle each transfer of a quantiser and the MAC unit behind it happens, whatever all three ends do.

Each of the two moves as one, as `quantizer_cycles` and `cycles` have it. Between them a beat is transferred in a cycle
in which the quantiser shows one, weights are offered and the MAC unit does not stand still.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError


@dataclass(frozen=True)
class ChainSchedule:
    """Cycle of every transfer, counted from 0.

    Attributes:
        activations, weights: int64 (beats,), the cycle in which each beat of either input is transferred.
        given: int64 (results,), the cycle in which each result is transferred.
    """

    activations: NDArray[np.int64]
    weights: NDArray[np.int64]
    given: NDArray[np.int64]


def chain_schedule(
    last: Sequence[bool] | NDArray[np.bool_],
    *,
    beats_per_block: int,
    drain: int,
    latency: int,
    activations: Iterable[bool] = (),
    weights: Iterable[bool] = (),
    ready: Iterable[bool] = (),
) -> ChainSchedule:
    """When each beat is taken and each result is given, starting after reset.

    Args:
        last: per beat, the flag that ends a dot product; looked at in a block's last beat only.
        beats_per_block: block size / lanes.
        drain: the quantiser's, see `quantizer_schedule`.
        latency: the MAC unit's, see `schedule`.
        activations, weights: per cycle, whether the driver of that input starts to offer its next beat if it does not
            hold one out already; a beat on offer stays so until it is taken. True beyond its end.
        ready: per cycle, `o.ready`. True beyond its end.

    Raises:
        UsageError: a drain, latency or number of beats a block below 1, or beats that are not whole blocks.
    """
    for name, value in (("beats_per_block", beats_per_block), ("drain", drain), ("latency", latency)):
        if value < 1:
            raise UsageError(f"{name} {value} is not allowed; it is at least 1")
    beats = len(last)
    if beats % beats_per_block:
        raise UsageError(f"{beats} beats are not whole blocks of {beats_per_block}; a quantiser takes whole blocks")
    ends = [bool(flag) and beat % beats_per_block == beats_per_block - 1 for beat, flag in enumerate(last)]
    results = sum(ends)
    quantizer, mac = _Pipeline(), _Pipeline()
    taken: list[int] = []
    met: list[int] = []
    given: list[int] = []
    a_holding = w_holding = False
    cycles = zip(*(chain(record, repeat(True)) for record in (activations, weights, ready)), strict=False)
    for cycle, (a_offer, w_offer, taker) in enumerate(cycles):
        if len(met) == beats and len(given) == results:
            break
        a_holding = len(taken) < beats and (a_holding or bool(a_offer))
        w_holding = len(met) < beats and (w_holding or bool(w_offer))
        mac_moves = not mac.showing or bool(taker)
        meets = quantizer.showing and w_holding and mac_moves
        quantizer_moves = not quantizer.showing or meets
        if mac_moves:
            if mac.showing:
                given.append(cycle)
            mac.move([latency] if meets and ends[len(met)] else [])
        if meets:
            met.append(cycle)
            w_holding = False
        if quantizer_moves:
            takes = a_holding
            if takes:
                taken.append(cycle)
                a_holding = False
            whole = takes and len(taken) % beats_per_block == 0
            quantizer.move([drain + beat for beat in range(beats_per_block)] if whole else [])
    return ChainSchedule(*(np.array(record, np.int64) for record in (taken, met, given)))


class _Pipeline:
    """What is under way in a pipeline that moves as one."""

    def __init__(self) -> None:
        self._moves = 0  # cycles so far in which it did not stand still
        self._due: deque[int] = deque()  # the value of `_moves` at which each output is shown

    @property
    def showing(self) -> bool:
        return bool(self._due) and self._due[0] == self._moves

    def move(self, later: Iterable[int]) -> None:
        """One cycle on; what is shown is gone, and this many cycles later each there will be more."""
        if self.showing:
            self._due.popleft()
        self._due.extend(self._moves + cycles for cycles in later)
        self._moves += 1
