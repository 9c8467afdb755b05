"""The float32 accumulator in steps: streams of terms, and two operands at every distance of their exponents."""

from itertools import product

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.float32_streams import FLOAT32_CONFIGS, Stream, before_first, check_streams, inputs, plan_of
from helpers.quick import full_but

from amxfp4.hw.mac.acc_float32_steps import STEPS, Float32InSteps
from amxfp4.hw.mac.config import MacConfig

CONFIGS = [config for config in FLOAT32_CONFIGS if isinstance(plan_of(config), Float32InSteps)]


QUICK = {"mac_mxfp4_x_mxfp4_l1_fp32", "mac_mxfp4ue5m3_x_mxfp4ue5m3_l1_fp32"}
"""Beyond float32's range, and within it."""


@pytest.mark.parametrize("config", full_but(QUICK, CONFIGS, lambda config: config.name))
def test_streams_of_terms(config: MacConfig) -> None:
    check_streams(plan_of(config))


@pytest.mark.parametrize("config", full_but({"mac_mxfp4_x_mxfp4_l1_fp32"}, CONFIGS, lambda config: config.name))
def test_every_distance(config: MacConfig) -> None:
    """Two terms make an accumulator with bits in all its places. A third term is added at each distance of exponents,
    far beyond the one where only the sticky bit is left of it, with either sign and with significands at both ends."""
    rng, plan = generator(), plan_of(config)
    width, level = plan.term.bits, 127
    ends = [1 << (width - 1), (1 << width) - 1, (1 << (width - 1)) | 1]
    cases = [
        ((a, 0, level), (b, sign, level - lower), (c, other, level + distance))
        for a, b, c in product(ends, ends, [*ends, int(rng.integers(1 << (width - 1), 1 << width))])
        for sign, other, lower in product((0, 1), (0, 1), (24 - width, 1))
        for distance in range(-32, 33)
    ]
    streams = [Stream(plan, rng) for _ in cases]
    for stream in streams:
        stream.begin()
    steps = before_first(plan, len(cases))
    for number in range(3):
        terms = [case[number] for case in cases]
        for stream, term in zip(streams, terms, strict=True):
            stream.add(*term, nan=False)
        for wait in range(plan.cycles_per_term):
            none, first = np.zeros(len(cases), int), np.full(len(cases), number == 0)
            steps.append(inputs(plan, terms, none, first, none, valid=wait == 0))
    outputs = run(plan.accumulator(), [*steps, steps[-1]], len(cases), simulated=100)
    np.testing.assert_array_equal(outputs[-1]["value"], [stream.bits for stream in streams])


def test_a_term_has_the_steps_and_one_cycle_more() -> None:
    """The accumulator is cleared in the additional cycle."""
    assert [Float32InSteps.fits(cycles) for cycles in (STEPS - 1, STEPS, STEPS + 1)] == [False, False, True]
