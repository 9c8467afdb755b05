"""Block sums: beats added up, and the sums handed out in turn while the next block arrives."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.gates import signed
from helpers.mac_parts import largest_product

from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.block_sums import BlockSums
from amxfp4.hw.mac.config import MacConfig

STREAMS = 200

CONFIGS = [
    MacConfig("MXFP4", "MXFP4", lanes=4),
    MacConfig("MXFP4", "MXFP4", lanes=32),
    MacConfig("MXFP4", "MXFP4", lanes=1, block_size=128),
    MacConfig("AMXFP4", "MXFP4-E5M2", lanes=8),
    MacConfig("AMXFP4", "MXFP4-E5M2", lanes=32),
    MacConfig("MXFP4", "AMXFP4", lanes=4, block_size=8),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    MacConfig("AMXFP4-X2", "AMXFP4", lanes=8, block_size=8),
    MacConfig("AMXFP4", "AMXFP4", lanes=8, block_size=128),
    MacConfig("AMXFP4", "AMXFP4", lanes=2, block_size=8),
    MacConfig("AMXFP4", "AMXFP4", lanes=16),
    MacConfig("AMXFP4", "AMXFP4", lanes=32),
    MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32"),
    MacConfig("AMXFP4", "AMXFP4", lanes=1, accumulator="fp32", block_size=8),
]


class Blocks:
    """Streams of random beats of one config, beside each other, and the block sums they make."""

    def __init__(self, config: MacConfig, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng

    def beat(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of one beat (streams, sums), and rows that add up to them as `BeatSums` gives them."""
        config, sums_plan, rng = self.config, self.config.plan.sums, self.rng
        largest = largest_product(config)  # a product of two elements
        offset = 1 << largest.bit_length()  # what a signed sum carries for each lane
        low = -largest if sums_plan.mixed else 0
        lanes = rng.integers(low, largest + 1, size=(STREAMS, config.lanes))
        extreme = rng.random(STREAMS) < 0.4
        lanes[extreme] = rng.choice([low, largest], size=(extreme.sum(), 1))
        side = rng.integers(config.sign_pairs, size=lanes.shape)
        side[::2] = rng.integers(config.sign_pairs, size=(STREAMS, 1))[::2]
        sums = np.stack([np.where(side == index, lanes, 0).sum(1) for index in range(config.sign_pairs)], axis=1)
        totals = sums.copy()
        if sums_plan.mixed:
            totals += offset * config.lanes
        for index in range(config.sign_pairs):
            if sums_plan.negated(index):
                totals[:, index] = offset * config.lanes - config.lanes // 2 - sums[:, index]
        rows = []
        for _ in range(sums_plan.beat_rows - 1):
            rows.append(rng.integers(0, totals - sum(rows) + 1))
        return sums, np.stack([*rows, totals - sum(rows)], axis=2)

    def junk(self) -> np.ndarray:
        plan = self.config.plan.sums
        return self.rng.integers(1 << plan.beat_bits, size=(STREAMS, plan.count, plan.beat_rows))


def value_of(plan: Sums, found: np.ndarray) -> np.ndarray:
    return signed(found, plan.bits) if plan.signed else found


@pytest.mark.parametrize("gaps", [0.0, 0.4], ids=["back to back", "with gaps"])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_sums_of_blocks(config: MacConfig, gaps: float) -> None:
    """Every sum of every block comes in its turn, as many cycles apart as the accumulator behind takes for a term."""
    rng = generator()
    plan, apart = config.plan.sums, config.plan.accumulator.cycles_per_term
    blocks = Blocks(config, rng)
    due: dict[int, tuple[int, np.ndarray]] = {}  # cycle: turn, sums of the block
    steps: list[dict[str, Any]] = []

    def play() -> Iterator[dict[str, Any]]:
        turns = (plan.turns - 1) * apart + 1
        total, beat, cycle = np.zeros((STREAMS, config.sign_pairs), np.int64), 0, 0
        finished = 0
        while finished < 6 or cycle <= max(due):
            valid = finished < 6 and rng.random() >= gaps
            sums, rows = blocks.beat() if valid else (0, blocks.junk())
            first = valid and beat == 0
            turn = due[cycle][0] if cycle in due else None
            yield {
                "rows": rows,
                "valid": np.array([int(valid)]),
                "first": np.array([int(first if valid else rng.integers(2))]),
                "turn": np.array([0 if turn is None else 1 << turn]),
            }
            if valid:
                total = sums if first else total + sums
                beat = (beat + 1) % config.beats_per_block
                if beat == 0:
                    finished += 1
                    for wait in range(0, turns, apart):
                        due[cycle + 1 + wait] = (wait // apart, total)
            cycle += 1

    steps = list(play())
    found = run(BlockSums(config.plan.sums), steps, STREAMS, simulated=25)
    assert len(due) == 6 * plan.turns
    for cycle, (turn, sums) in due.items():
        for path in range(plan.paths):
            index = path * plan.turns + turn
            sign = -1 if plan.negated(index) else 1
            value = value_of(plan, found[cycle]["value"][:, path])
            np.testing.assert_array_equal(value, sign * sums[:, index], err_msg=f"cycle {cycle}, sum {index}")


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.plan.front.turns > 1], ids=lambda config: config.name)
def test_nothing_shows_between_turns(config: MacConfig) -> None:
    """The sums are gated by their turn, so that only one is on the way to the multiplier."""
    blocks = Blocks(config, generator())
    idle = {"rows": blocks.junk(), "valid": np.array([0]), "first": np.array([1]), "turn": np.array([0])}
    for outputs in run(BlockSums(config.plan.sums), [idle | {"valid": np.array([1])}, idle, idle], STREAMS):
        assert not outputs["value"].any()
