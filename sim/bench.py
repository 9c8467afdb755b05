"""cocotb tests of any unit: every result and the cycle of every transfer against the golden model.

`amxfp4.sim.run` starts this module inside the simulator. In all tests registers start at random values and are reset
for one cycle.
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

from amxfp4.hw.units import UNITS, unit_of
from amxfp4.sim.scoreboard import Mismatch, compare
from amxfp4.sim.stimuli.kit import Corner
from amxfp4.sim.streams import PATIENCE, Pace, StreamDriver, StreamMonitor, always, bursts
from amxfp4.sim.units import kit_of

CONFIG = UNITS[os.environ["AMXFP4_BENCH_UNIT"]].configure(json.loads(os.environ["AMXFP4_BENCH_CONFIG"]))
KIT = kit_of(CONFIG)
SEED = int(os.environ["COCOTB_RANDOM_SEED"])  # `cocotb.RANDOM_SEED` differs from test to test
BEATS = int(os.environ["AMXFP4_BENCH_BEATS"])
"""Beats of a random test, about."""

INPUTS = unit_of(CONFIG).inputs


class Bench:
    """A unit under test and the randomness of one test."""

    def __init__(self, dut: Any, test: str) -> None:
        self.dut = dut
        self.random = Random(f"{SEED} {test}")
        self.rng = np.random.default_rng(self.random.getrandbits(64))
        self._clock = Clock(dut.clk, 2, unit="ns")
        self._clock.start(start_high=False)

    async def reset(self) -> None:
        """Drives junk on every input, and resets for one cycle while the junk goes on."""
        names = [name for stream in INPUTS for name in (f"{stream}__valid", f"{stream}__payload")]
        ports = [getattr(self.dut, name) for name in (*names, "o__ready")]
        for rst in (0, 0, 0, 1):
            self.dut.rst.value = rst
            for port in ports:
                port.value = self.random.getrandbits(len(port))
            await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0

    def pace(self, stall: float) -> Pace:
        return bursts(Random(self.random.getrandbits(64)), stall) if stall else always

    def driver(self, stream: str, stall: float) -> StreamDriver:
        return StreamDriver(self.dut, stream, self.pace(stall), Random(self.random.getrandbits(64)))

    async def play(self, stimuli: Sequence[Any], *, stall_in: float = 0, stall_out: float = 0) -> None:
        """Resets the unit, sends `stimuli` through it, and compares every result and the cycle of every transfer."""
        await self.reset()
        script = KIT.script(stimuli, self.rng)
        drivers = {stream: self.driver(stream, stall_in) for stream in INPUTS}
        monitor = StreamMonitor(self.dut, "o", self.pace(stall_out))
        watching = cocotb.start_soon(monitor.watch())
        driving = [cocotb.start_soon(driver.drive(script.beats[stream])) for stream, driver in drivers.items()]
        for task in driving:
            await task
        await self._drain(monitor, len(script.expected))
        watching.cancel()
        compare(
            script.expected,
            script.due({stream: driver.offered for stream, driver in drivers.items()}, monitor.ready),
            taken={stream: driver.taken for stream, driver in drivers.items()},
            given=monitor.given,
            payloads=monitor.payloads,
        )

    async def _drain(self, monitor: StreamMonitor, results: int) -> None:
        """Waits for the results under way, and then long enough for a result too many to show up."""
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


async def _play(dut: Any, test: str, stimuli: Callable[[Bench], list[Any]], **stalls: float) -> None:
    bench = Bench(dut, test)
    with reported(test):
        await bench.play(stimuli(bench), **stalls)


@cocotb.test()
async def random_start(dut: Any) -> None:
    """One cycle of reset leads from random register values to right results."""
    await _play(dut, "random_start", lambda bench: KIT.random(BEATS // 4, bench.rng))


@cocotb.test()
async def back_to_back(dut: Any) -> None:
    """Without stalls a beat is taken in every cycle, without bubbles between blocks or stimuli of mixed lengths."""
    await _play(dut, "back_to_back", lambda bench: KIT.random(BEATS, bench.rng))


@cocotb.test()
@cocotb.parametrize(case=[cocotb.Param(case, name=name) for name, case in KIT.corners.items()])
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
    """A reset in the midst of blocks, stimuli and stalls leaves nothing behind."""
    bench = Bench(dut, "reset_in_mid_block")
    with reported("reset_in_mid_block"):
        for _ in range(12):
            await bench.reset()
            await _interrupted(bench)
            await bench.play(KIT.random(1, bench.rng))


@cocotb.test()
async def thousand_blocks(dut: Any) -> None:
    """One stimulus of a thousand blocks."""
    await _play(dut, "thousand_blocks", lambda bench: [KIT.long(bench.rng)])


def _random(share: float) -> Callable[[Bench], list[Any]]:
    return lambda bench: KIT.random(int(BEATS * share), bench.rng)


async def _interrupted(bench: Bench) -> None:
    """Drives a unit for a while and stops, whatever state the unit is in."""
    script = KIT.script(KIT.random(64, bench.rng), bench.rng)
    monitor = StreamMonitor(bench.dut, "o", bench.pace(0.3))
    tasks = [cocotb.start_soon(monitor.watch())]
    tasks += [cocotb.start_soon(bench.driver(stream, 0.1).drive(script.beats[stream])) for stream in INPUTS]
    await Timer(2 * bench.random.randint(1, 60), unit="ns")
    for task in tasks:
        task.cancel()
