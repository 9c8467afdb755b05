"""The store: every beat comes out once, in order, whatever the gaps."""

from typing import Any

import numpy as np
import pytest
from helpers.comb import generator, run

from amxfp4.hw.quantizer.block_store import BlockStore

WIDTH = 10
STREAMS = 64
CYCLES = 300


@pytest.mark.parametrize("depth, block", ((1, 1), (2, 1), (4, 4), (5, 4), (9, 8)))
def test_blocks_drain_in_order(depth: int, block: int) -> None:
    """A block drains from as many cycles after its last beat as stages are left over, plus one for the first."""
    rng = generator()
    eager = rng.choice([1, 0.7, 0.3], STREAMS)
    valid = rng.random((CYCLES, STREAMS)) < eager
    beats = rng.integers(0, 1 << WIDTH, (CYCLES, STREAMS))
    count = np.cumsum(valid, axis=0)
    completes = valid & (count % block == 0)
    drain = np.zeros((CYCLES + depth + block + 1, STREAMS), bool)
    for cycle, stream in np.argwhere(completes):
        start = cycle + 1 + depth - block
        drain[start : start + block, stream] = True

    def step(cycle: int) -> dict[str, Any]:
        return {"beat": beats[cycle], "valid": valid[cycle].astype(int), "drain": drain[cycle].astype(int)}

    found = run(BlockStore(WIDTH, depth), (step(cycle) for cycle in range(CYCLES)), STREAMS, simulated=80)
    heads = np.array([outputs["head"] for outputs in found])
    for stream in range(STREAMS):
        left = heads[drain[:CYCLES, stream], stream]
        assert len(left) > CYCLES // 8
        np.testing.assert_array_equal(left, beats[valid[:, stream], stream][: len(left)])
