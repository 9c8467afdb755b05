"""cocotb tests of a MAC unit: every result and the cycle of every transfer against the golden model.

Runs inside the simulator, where `amxfp4.sim.run` starts it. Registers start at random values in all tests but are
reset, for one cycle, before each.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from amxfp4.golden.cycles import schedule
from amxfp4.hw.config import MacConfig
from amxfp4.sim.corners import Corner, corners
from amxfp4.sim.scoreboard import Mismatch, Result, compare
from amxfp4.sim.stimulus import DotProduct, random_dot, random_dots, to_run
from amxfp4.sim.streams import PATIENCE, Pace, StreamDriver, StreamMonitor, always, bursts

CONFIG = MacConfig(**json.loads(os.environ["AMXFP4_BENCH_CONFIG"]))
SEED = int(os.environ["COCOTB_RANDOM_SEED"])  # cocotb's own variable is another in each test
BEATS = int(os.environ["AMXFP4_BENCH_BEATS"])
"""Beats of a random test, more or less."""

CORNERS = corners(CONFIG)


class Bench:
    """A unit under test and the randomness of one test."""

    def __init__(self, dut: Any, test: str) -> None:
        self.dut = dut
        self.random = Random(f"{SEED} {test}")
        self.rng = np.random.default_rng(self.random.getrandbits(64))
        self._clock = Clock(dut.clk, 2, unit="ns")
        self._clock.start(start_high=False)

    async def reset(self) -> None:
        """Junk on every input, then one cycle of reset, with junk still."""
        for rst in (0, 0, 0, 1):
            self.dut.rst.value = rst
            for port in (self.dut.i__valid, self.dut.i__payload, self.dut.o__ready):
                port.value = self.random.getrandbits(len(port))
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0

    def pace(self, stall: float) -> Pace:
        return bursts(Random(self.random.getrandbits(64)), stall) if stall else always

    async def play(self, dots: Sequence[DotProduct], *, stall_in: float = 0, stall_out: float = 0) -> None:
        """Resets the unit, sends `dots` through it and compares everything."""
        await self.reset()
        run = to_run(CONFIG, dots, self.rng)
        driver = StreamDriver(self.dut, "i", self.pace(stall_in), self.random)
        monitor = StreamMonitor(self.dut, "o", self.pace(stall_out))
        watching = cocotb.start_soon(monitor.watch())
        await driver.drive(run.beats)
        await self._drain(monitor, len(run.expected))
        watching.cancel()
        due = schedule(
            run.last,
            latency=CONFIG.latency,
            beats_per_block=CONFIG.beats_per_block,
            offered=driver.offered,
            ready=monitor.ready,
        )
        results = [Result.unpack(payload) for payload in monitor.payloads]
        compare(run.expected, due, taken=driver.taken, given=monitor.given, results=results)

    async def _drain(self, monitor: StreamMonitor, results: int) -> None:
        """Waits for the results under way, and then long enough for one too many to show up."""
        waited = 0
        while len(monitor.payloads) < results and waited < PATIENCE:
            await RisingEdge(self.dut.clk)
            waited += 1
        for _ in range(2 * CONFIG.latency + 2 * CONFIG.beats_per_block + 8):
            await RisingEdge(self.dut.clk)


@contextmanager
def reported(test: str) -> Iterator[None]:
    """Puts the config, the seed and how to run the test again above a mismatch."""
    try:
        yield
    except AssertionError as error:
        again = os.environ["AMXFP4_BENCH_AGAIN"].replace("TEST", test)
        raise Mismatch(f"{CONFIG.name}, seed {SEED}, test {test}: {error}\nagain with waves: {again}") from None


async def _play(dut: Any, test: str, dots: Callable[[Bench], list[DotProduct]], **stalls: float) -> None:
    bench = Bench(dut, test)
    with reported(test):
        await bench.play(dots(bench), **stalls)


@cocotb.test()
async def random_start(dut: Any) -> None:
    """From random register values, through one cycle of reset, to right results."""
    await _play(dut, "random_start", lambda bench: random_dots(CONFIG, BEATS // 4, bench.rng))


@cocotb.test()
async def back_to_back(dut: Any) -> None:
    """No stalls: a beat a cycle, without bubbles between blocks or dot products of mixed lengths."""
    await _play(dut, "back_to_back", lambda bench: random_dots(CONFIG, BEATS, bench.rng))


@cocotb.test()
@cocotb.parametrize(case=[cocotb.Param(case, name=name) for name, case in CORNERS.items()])
async def corner(dut: Any, case: Corner) -> None:
    """One of the directed corner cases, with stalls on both ends."""
    await _play(
        dut,
        f"corner/case={case.__name__}",
        lambda bench: list(case(CONFIG, bench.rng)),
        stall_in=0.05,
        stall_out=0.2 / CONFIG.beats_per_block,
    )


@cocotb.test()
async def stalls_on_both_ends(dut: Any) -> None:
    await _play(dut, "stalls_on_both_ends", _random(0.5), stall_in=0.25, stall_out=0.25)


@cocotb.test()
async def stalls_of_the_driver(dut: Any) -> None:
    await _play(dut, "stalls_of_the_driver", _random(0.5), stall_in=0.4)


@cocotb.test()
async def stalls_of_the_taker(dut: Any) -> None:
    await _play(dut, "stalls_of_the_taker", _random(0.5), stall_out=0.6)


@cocotb.test()
async def reset_in_mid_block(dut: Any) -> None:
    """Resets in the midst of blocks, dot products and stalls leave nothing behind."""
    bench = Bench(dut, "reset_in_mid_block")
    with reported("reset_in_mid_block"):
        for _ in range(12):
            await bench.reset()
            await _interrupted(bench)
            await bench.play(random_dots(CONFIG, 1, bench.rng))


@cocotb.test()
async def thousand_blocks(dut: Any) -> None:
    """One dot product of a thousand blocks."""
    await _play(dut, "thousand_blocks", lambda bench: [random_dot(CONFIG, 1000, bench.rng)])


def _random(share: float) -> Callable[[Bench], list[DotProduct]]:
    return lambda bench: random_dots(CONFIG, int(BEATS * share), bench.rng)


async def _interrupted(bench: Bench) -> None:
    """Drives a unit for a while and then no longer, in whatever state it is."""
    run = to_run(CONFIG, random_dots(CONFIG, 64, bench.rng), bench.rng)
    driver = StreamDriver(bench.dut, "i", bench.pace(0.1), bench.random)
    monitor = StreamMonitor(bench.dut, "o", bench.pace(0.3))
    tasks = [cocotb.start_soon(driver.drive(run.beats)), cocotb.start_soon(monitor.watch())]
    await Timer(2 * bench.random.randint(1, 60), unit="ns")
    for task in tasks:
        task.cancel()
