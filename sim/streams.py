"""Drive and watch a valid/ready stream from cocotb, with stalls.

Cycle n ends at the (n + 1)th rising edge after a driver or monitor was started. That edge samples what was driven and
read in the cycle.
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from cocotb.triggers import RisingEdge

Pace = Callable[[], bool]
"""Called once per cycle: whether this end of a stream is willing to transfer in it."""

PATIENCE = 4096
"""Cycles without progress after which a stream counts as hung. Every stall that a pace makes is shorter."""


def always() -> bool:
    """The pace of an end that never stalls."""
    return True


def bursts(rng: Random, stall: float, longest: int = 12) -> Pace:
    """The pace of an end that stalls now and then.

    Args:
        rng: decides when, and for how long.
        stall: the probability that a stall begins in a cycle.
        longest: a stall's most cycles. Half of all stalls last one cycle.
    """
    left = 0

    def pace() -> bool:
        nonlocal left
        if not left and rng.random() < stall:
            left = 1 if rng.random() < 0.5 else rng.randint(1, longest)
        left -= left > 0
        return not left

    return pace


class StreamDriver:
    """Offers payloads and holds each until it is taken. The payload is junk in cycles in which nothing is offered.

    Attributes:
        offered: `valid` in each cycle.
        taken: the cycle of each transfer.
    """

    def __init__(self, dut: Any, name: str, pace: Pace, rng: Random) -> None:
        self._clock = RisingEdge(dut.clk)
        self._valid, self._ready = getattr(dut, f"{name}__valid"), getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._bits = len(self._payload)
        self._pace, self._rng = pace, rng
        self.offered: list[bool] = []
        self.taken: list[int] = []

    async def drive(self, payloads: Iterable[int]) -> None:
        """Transfers all `payloads`. The lowest bit of each is bit 0 of the port."""
        for payload in payloads:
            while not self._pace():
                self._valid.value = 0
                self._payload.value = self._rng.getrandbits(self._bits)
                await self._clock
                self.offered.append(False)
            self._valid.value = 1
            self._payload.value = payload
            for _ in range(PATIENCE):
                await self._clock
                self.offered.append(True)
                if self._ready.value == 1:
                    break
            else:
                raise AssertionError(f"beat {len(self.taken)} was not taken for {PATIENCE} cycles")
            self.taken.append(len(self.offered) - 1)
        self._valid.value = 0


class StreamMonitor:
    """Takes payloads, and checks that a payload on offer stays unchanged until it is taken.

    Attributes:
        ready: `ready` in each cycle.
        given: the cycle of each transfer.
        payloads: the payload of each transfer.
    """

    def __init__(self, dut: Any, name: str, pace: Pace) -> None:
        self._clock = RisingEdge(dut.clk)
        self._valid, self._ready = getattr(dut, f"{name}__valid"), getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._pace = pace
        self._held: int | None = None
        self.ready: list[bool] = []
        self.given: list[int] = []
        self.payloads: list[int] = []

    async def watch(self) -> None:
        """Runs until cancelled, or until the protocol is broken."""
        while True:
            willing = self._pace()
            self._ready.value = int(willing)
            await self._clock
            cycle = len(self.ready)
            self.ready.append(willing)
            offered = int(self._payload.value) if self._valid.value == 1 else None
            if self._held is not None and offered != self._held:
                found = "nothing" if offered is None else f"{offered:#x}"
                raise AssertionError(f"cycle {cycle}: {self._held:#x} was on offer and not taken, then {found}")
            self._held = None if willing else offered
            if willing and offered is not None:
                self.given.append(cycle)
                self.payloads.append(offered)
