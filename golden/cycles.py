"""In which cycle each transfer of a unit happens, whatever the two ends of its streams do.

Every unit is a pipeline that moves as one:

- The pipeline stands still in exactly those cycles in which an output waits (`o.valid & ~o.ready`).
- In every other cycle the pipeline takes a beat, if one is offered.

The units differ in what a beat leads to. Cycles in which the pipeline stands still come on top.

| unit | function | after which beat | outputs follow |
|---|---|---|---|
| MAC unit | `schedule` | the last one of a dot product | one result, `latency` cycles later |
| quantiser | `quantizer_schedule` | the last one of a block | beat j of the block, `drain` + j cycles later |
| both in a row | `chain_schedule` | | what each of the two gives |
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import integer_from, is_integer
from amxfp4.golden.formats import MAX_BLOCK_SIZE

_MAX_DELAY = 1 << 16
_MAX_BLOCKS = 1 << 32
"""Far more than any unit has, or any run. What is beyond is a mistake, and would be counted cycle by cycle for ever."""


@dataclass(frozen=True)
class Schedule:
    """Cycle of every transfer, counted from 0.

    Attributes:
        taken: int64 (beats,), the cycle in which each input beat is transferred (`i.valid & i.ready`).
        shown: int64 (outputs,), the first cycle with `o.valid` for each output.
        given: int64 (outputs,), the cycle in which each output is transferred (`o.valid & o.ready`).
    """

    taken: NDArray[np.int64]
    shown: NDArray[np.int64]
    given: NDArray[np.int64]


@dataclass(frozen=True)
class ChainSchedule:
    """Cycle of every transfer of a quantiser with a MAC unit behind it, counted from 0.

    Attributes:
        activations: int64 (beats,), the cycle in which each beat of the activations' input is transferred.
        weights: int64 (beats,), the cycle in which each beat of the weights' input is transferred.
        given: int64 (results,), the cycle in which each result is transferred.
    """

    activations: NDArray[np.int64]
    weights: NDArray[np.int64]
    given: NDArray[np.int64]


def schedule(
    last: Sequence[bool] | NDArray[np.bool_],
    *,
    latency: int,
    beats_per_block: int = 1,
    offered: Iterable[bool] = (),
    ready: Iterable[bool] = (),
) -> Schedule:
    """When a MAC unit takes each beat and gives each result, starting after reset.

    Args:
        last: per beat, the flag that ends a dot product. Like the unit, the model looks at the flag in the last beat
            of a block only.
        latency: cycles from taking a dot product's last beat to showing its result, when nothing stands still; at
            least 1.
        beats_per_block: block size / lanes.
        offered: per cycle, whether the driver starts to offer its next beat, unless a beat is on offer already. A beat
            on offer stays so until it is taken. A record of `i.valid` will do. True beyond its end.
        ready: per cycle, `o.ready`. True beyond its end.

    Returns:
        A `Schedule` whose outputs are the results of the dot products.

    Raises:
        UsageError: a number that is no integer, too small or far too large, or a record of anything but flags.
    """
    latency, beats_per_block = _delay("latency", latency), _beats_per_block(beats_per_block)
    ends = _ends(last, beats_per_block)
    return _run_one(len(ends), sum(ends), lambda beat: (latency,) if ends[beat] else (), offered, ready)


def quantizer_schedule(
    blocks: int,
    *,
    beats_per_block: int,
    drain: int,
    offered: Iterable[bool] = (),
    ready: Iterable[bool] = (),
) -> Schedule:
    """When a quantiser takes each beat and gives each quantised beat, starting after reset.

    A block drains by itself and without gaps. Neither gaps in its arrival nor a missing next block change that. A block
    that arrives without gaps comes out beat for beat `beats_per_block` - 1 + `drain` cycles later.

    Args:
        blocks: how many blocks there are.
        beats_per_block: block size / lanes.
        drain: cycles from taking a block's last beat to showing its first one, when nothing stands still; at least 1.
        offered: per cycle, whether the driver starts to offer its next beat, unless a beat is on offer already. A beat
            on offer stays so until it is taken. A record of `i.valid` will do. True beyond its end.
        ready: per cycle, `o.ready`. True beyond its end.

    Returns:
        A `Schedule` with one entry for each beat of each block in all three of its arrays.

    Raises:
        UsageError: a number that is no integer, too small or far too large, or a record of anything but flags.
    """
    drain, beats_per_block = _delay("drain", drain), _beats_per_block(beats_per_block)
    beats = integer_from(0, _MAX_BLOCKS, "blocks", blocks) * beats_per_block
    return _run_one(beats, beats, lambda beat: _drained(beat, beats_per_block, drain), offered, ready)


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
    """When a quantiser and the MAC unit behind it take each beat and give each result, starting after reset.

    Each of the two moves as one. A beat passes from the quantiser to the MAC unit in a cycle in which the quantiser
    shows one, weights are offered and the MAC unit does not stand still.

    Args:
        last: per beat, the flag that ends a dot product; looked at in the last beat of a block only.
        beats_per_block: block size / lanes.
        drain: the quantiser's, see `quantizer_schedule`.
        latency: the MAC unit's, see `schedule`.
        activations: per cycle, whether the driver of the activations starts to offer its next beat, unless a beat is
            on offer already. A beat on offer stays so until it is taken. True beyond its end.
        weights: the same of the driver of the weights.
        ready: per cycle, `o.ready`. True beyond its end.

    Raises:
        UsageError: a number that is no integer, too small or far too large, a record of anything but flags, or beats
            that are not whole blocks.
    """
    drain, latency = _delay("drain", drain), _delay("latency", latency)
    beats_per_block = _beats_per_block(beats_per_block)
    ends = _ends(last, beats_per_block)
    beats = len(ends)
    if beats % beats_per_block:
        raise UsageError(f"{beats} beats are not whole blocks of {beats_per_block}; a quantiser takes whole blocks")
    results = sum(ends)
    quantizer, mac = _Pipeline(), _Pipeline()
    a, w = _Driver(beats), _Driver(beats)
    given: list[int] = []
    for cycle, (a_starts, w_starts, taker) in _cycles(activations=activations, weights=weights, ready=ready):
        if w.done and len(given) == results:
            break
        a_offered, w_offered = a.offers(a_starts), w.offers(w_starts)
        mac_moves = not mac.showing or bool(taker)
        passes = quantizer.showing and w_offered and mac_moves
        if mac_moves:
            if mac.showing:
                given.append(cycle)
            ended = passes and ends[w.take(cycle)]
            mac.move((latency,) if ended else ())
        if passes or not quantizer.showing:
            quantizer.move(_drained(a.take(cycle), beats_per_block, drain) if a_offered else ())
    return ChainSchedule(_int64(a.taken), _int64(w.taken), _int64(given))


def _run_one(
    beats: int,
    outputs: int,
    outputs_after: Callable[[int], Iterable[int]],
    offered: Iterable[bool],
    ready: Iterable[bool],
) -> Schedule:
    """The schedule of a single pipeline.

    Args:
        beats: how many beats it takes.
        outputs: how many outputs follow from them.
        outputs_after: in how many cycles each output is shown that follows from taking a beat, given its number.
        offered: per cycle, whether the driver starts to offer its next beat.
        ready: per cycle, `o.ready`.
    """
    pipeline, driver = _Pipeline(), _Driver(beats)
    shown: list[int] = []
    given: list[int] = []
    for cycle, (starts, taker) in _cycles(offered=offered, ready=ready):
        if driver.done and len(given) == outputs:
            break
        on_offer = driver.offers(starts)
        if pipeline.showing:
            if len(shown) == len(given):
                shown.append(cycle)
            if not taker:
                continue
            given.append(cycle)
        pipeline.move(outputs_after(driver.take(cycle)) if on_offer else ())
    return Schedule(_int64(driver.taken), _int64(shown), _int64(given))


class _Pipeline:
    """What is under way in a pipeline that moves as one."""

    def __init__(self) -> None:
        self.showing = False  # whether an output is shown in this cycle
        self._moves = 0  # cycles so far in which the pipeline did not stand still
        self._due: deque[int] = deque()  # the value of `_moves` at which each output is shown

    def move(self, later: Iterable[int]) -> None:
        """One cycle on. The output that is shown is gone, and one more will be shown after each of `later` cycles."""
        if self.showing:
            self._due.popleft()
        for cycles in later:
            self._due.append(self._moves + cycles)
        self._moves += 1
        self.showing = bool(self._due) and self._due[0] == self._moves


class _Driver:
    """Who offers beats to an input: a beat on offer stays on offer until it is taken."""

    def __init__(self, beats: int) -> None:
        self.taken: list[int] = []  # the cycle of each
        self.done = not beats  # whether every beat has been taken
        self._beats = beats
        self._offering = False

    def offers(self, starts: bool) -> bool:
        """Whether a beat is on offer in a cycle in which the driver `starts` to offer its next one, or does not."""
        self._offering = not self.done and (self._offering or bool(starts))
        return self._offering

    def take(self, cycle: int) -> int:
        """Take the beat on offer. Returns its number, from 0."""
        beat = len(self.taken)
        self.taken.append(cycle)
        self.done = beat + 1 == self._beats
        self._offering = False
        return beat


def _cycles(**records: Iterable[bool]) -> Iterator[tuple[int, tuple[bool, ...]]]:
    """Each cycle's number and what the records say of it, without end: every record goes on as True."""
    flags = (chain(_flags(name, record), repeat(True)) for name, record in records.items())
    return enumerate(zip(*flags, strict=False))


def _flags(name: str, record: Iterable[bool]) -> Iterator[bool]:
    """The flags of a record, which may be endless, each checked when its turn comes."""
    try:
        # NumPy's own iteration is slow, and gives rows of what has more than one axis.
        flags = iter(record.tolist() if isinstance(record, np.ndarray) else record)
    except TypeError:
        raise UsageError(f"{name} is {shown(record)}; a sequence of bools is needed") from None
    for flag in flags:
        if not isinstance(flag, bool | np.bool_) and not (is_integer(flag) and flag in (0, 1)):
            raise UsageError(f"{name} has the flag {shown(flag)}; each is a bool")
        yield bool(flag)


def _ends(last: Sequence[bool] | NDArray[np.bool_], beats_per_block: int) -> list[bool]:
    """Per beat, whether it ends a dot product: the last beat of a block, flagged."""
    return [flag and _ends_block(beat, beats_per_block) for beat, flag in enumerate(_flags("last", last))]


def _ends_block(beat: int, beats_per_block: int) -> bool:
    return (beat + 1) % beats_per_block == 0


def _drained(beat: int, beats_per_block: int, drain: int) -> Iterable[int]:
    """In how many cycles a quantiser shows each beat of the block that `beat` completes, if it completes one."""
    return range(drain, drain + beats_per_block) if _ends_block(beat, beats_per_block) else ()


def _delay(name: str, cycles: int) -> int:
    return integer_from(1, _MAX_DELAY, name, cycles)


def _beats_per_block(beats: int) -> int:
    return integer_from(1, MAX_BLOCK_SIZE, "beats_per_block", beats)


def _int64(cycles: list[int]) -> NDArray[np.int64]:
    return np.array(cycles, np.int64)
