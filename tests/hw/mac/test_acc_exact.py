"""The exact accumulator against unbounded integers: extremes, cancellation, NaN, and overflow at its very edge."""

from typing import Any

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.gates import signed
from helpers.mac_parts import exact_part, is_direct, largest_product
from helpers.quick import full_but

from amxfp4.golden.formats import BlockFormat
from amxfp4.hw.mac.acc_exact import ExactAccumulator
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_direct import SHIFT_MAX


def narrow(activation: str, weight: str, **geometry: int) -> MacConfig:
    """A unit whose accumulator has room for one worst-case block and no more."""
    config = MacConfig(activation, weight, **geometry)
    return MacConfig(activation, weight, accumulator_bits=1 + config.block_max.bit_length(), **geometry)


CONFIGS = [
    MacConfig("AMXFP4", "AMXFP4", lanes=8),
    MacConfig("AMXFP4", "AMXFP4", lanes=32),
    MacConfig("AMXFP4", "AMXFP4", lanes=1),
    MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=8),
    MacConfig("AMXFP4-E4M3", "MXFP4-E5M2", lanes=16),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    MacConfig("AMXFP4-X2", "AMXFP4", lanes=1, block_size=8),
    narrow("AMXFP4", "AMXFP4", lanes=8),
    narrow("AMXFP4", "AMXFP4", lanes=16),
    narrow("AMXFP4-E4M3", "AMXFP4-E4M3", lanes=32),
    narrow("AMXFP4-E4M3", "MXFP4-E4M3", lanes=1, block_size=8),
    narrow("MXFP4-E4M3", "AMXFP4", lanes=4, block_size=128),
]


class Reference:
    """One stream: the sum in units of the least bit, and whether it left the range after a block."""

    def __init__(self, config: MacConfig) -> None:
        self.limit = 1 << (config.accumulator_bits - 1)
        self.total, self.nan, self.overflow = 0, False, False

    def add(self, block: int, *, nan: bool, first: bool) -> None:
        if first:
            self.total, self.nan, self.overflow = 0, False, False
        self.total += block
        self.nan |= nan
        self.overflow |= not -self.limit <= self.total < self.limit


def random_scale(f: BlockFormat, rng: np.random.Generator, style: int) -> tuple[int, int]:
    """Significand and effective exponent field of a finite scale code: anything, the largest, or the least."""
    top = f.scale.max_code
    code = int(rng.choice([rng.integers(top + 1), top, rng.integers(3)])) if style == 0 else [top, 1][style - 1]
    return int(f.scale.significands[code]), int(f.scale.exponents[code]) + f.scale.bias + f.scale.mantissa_bits


def block_of_terms(config: MacConfig, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Value and exponent of each term of one block, as sums or products times scales make them."""
    style = int(rng.integers(5))
    a, w = config.formats
    a_scales = [random_scale(a, rng, max(style - 2, 0)) for _ in range(2)]
    w_scales = [random_scale(w, rng, max(style - 2, 0)) for _ in range(2)]
    terms = []
    if is_direct(config):
        signs = rng.integers(2, size=(config.block_size, 2))
        top = SHIFT_MAX  # the largest shift of a product
        if rng.random() < 0.4:
            signs[:] = signs[0]
        for a_sign, w_sign in signs:
            significand, shift = (
                (9, top) if style > 2 else (int(rng.choice([0, 1, 2, 3, 4, 6, 9])), int(rng.integers(top + 1)))
            )
            a_scale, w_scale = a_scales[a_sign * a.asymmetric], w_scales[w_sign * w.asymmetric]
            value = significand * a_scale[0] * w_scale[0] * (-1 if a_sign ^ w_sign else 1)
            terms.append((value, a_scale[1] + w_scale[1] + shift))
        return terms
    sums = config.plan.sums
    left = config.block_size * largest_product(config)
    for index in range(config.sign_pairs):
        limit = left if style > 2 else int(rng.integers(left + 1))
        left -= limit
        a_side, w_side = divmod(index, 1 + w.asymmetric)
        sign = int(rng.choice([-1, 1])) if sums.mixed else (-1 if sums.negated(index) else 1)
        a_scale, w_scale = a_scales[a_side], w_scales[w_side]
        terms.append((sign * limit * a_scale[0] * w_scale[0], a_scale[1] + w_scale[1]))
    if style > 2 and rng.random() < 0.5:  # the worst sum is not always the first
        order = rng.permutation(config.sign_pairs) if sums.mixed else np.array([0, 1, 2, 3])
        terms = [terms[i] for i in order]
    return terms


def value_of(config: MacConfig, terms: list[tuple[int, int]]) -> int:
    scales = config.plan.scales
    return sum(value << (exponent - scales.exponent_min) >> scales.below for value, exponent in terms)


def step(config: MacConfig, terms: list[list[tuple[int, int]]], **flags: Any) -> dict[str, Any]:
    """Inputs of one cycle: `terms` of every stream, one for each path."""
    paths = exact_part(config).paths
    columns = [
        {
            "value": np.array([row[path][0] % (1 << (config.plan.term.bits + 1)) for row in terms]),
            "exponent": np.array([row[path][1] for row in terms]),
            "nan": np.asarray(flags["nan"][path]).astype(int),
        }
        for path in range(paths)
    ]
    return {"term": columns} | {name: np.asarray(flags[name]).astype(int) for name in ("valid", "first", "last")}


def check(config: MacConfig, outputs: dict[str, Any], references: list[Reference]) -> None:
    overflow = np.array([reference.overflow for reference in references])
    np.testing.assert_array_equal(outputs["nan"], [reference.nan for reference in references])
    np.testing.assert_array_equal(outputs["overflow"], overflow)
    total = signed(outputs["total"].astype(object), config.accumulator_bits + 1)
    expected = np.array([reference.total for reference in references], object)
    np.testing.assert_array_equal(total[~overflow], expected[~overflow])


def play(config: MacConfig, blocks: list[list[list[tuple[int, int]]]], first: np.ndarray, nan: np.ndarray) -> int:
    """Runs blocks (block, stream, term) with gaps between terms, checks after each; returns overflows seen."""
    rng = generator()
    streams, paths = len(blocks[0]), exact_part(config).paths
    beats = config.block_size if is_direct(config) else config.plan.front.turns
    steps, checks = [], {}
    references = [Reference(config) for _ in range(streams)]
    states = []
    for number, block in enumerate(blocks):
        for beat in range(beats):
            while rng.random() < 0.2:  # not valid: nothing is taken
                junk = [[(int(rng.integers(-99, 99)), config.plan.term.exponent_max)] * paths] * streams
                idle = {"valid": np.zeros(streams), "first": rng.integers(2, size=streams), "last": np.ones(streams)}
                steps.append(step(config, junk, nan=np.ones((paths, streams)), **idle))
            # Path p holds sums p x turns onwards, one a turn.
            now = [[terms[path * beats + beat] for path in range(paths)] for terms in block]
            where = rng.integers(paths)
            flag = np.zeros((paths, streams), bool)
            flag[where] = nan[number] & (beat == number % beats)
            begins = first[number] & (beat == 0)
            last = np.full(streams, beat == beats - 1)
            steps.append(step(config, now, nan=flag, valid=np.ones(streams), first=begins, last=last))
        for stream, reference in enumerate(references):
            value = value_of(config, block[stream])
            reference.add(value, nan=bool(nan[number, stream]), first=bool(first[number, stream]))
        checks[len(steps)] = len(states)
        states.append([(r.total, r.nan, r.overflow) for r in references])
    steps.append(steps[-1] | {"valid": np.zeros(streams, int)})
    outputs = run(ExactAccumulator(exact_part(config)), steps, streams, simulated=30 // paths**2)
    for cycle, number in checks.items():
        for reference, (total, is_nan, overflow) in zip(references, states[number], strict=True):
            reference.total, reference.nan, reference.overflow = total, is_nan, overflow
        check(config, outputs[cycle], references)
    return sum(overflow for state in states for _, _, overflow in state)


QUICK = {
    "mac_amxfp4e5m2_x_amxfp4e5m2_l1_exact",
    "mac_mxfp4e5m2_x_mxfp4e5m2_l8_exact",
    "mac_amxfp4e4m3_x_mxfp4e5m2_l16_exact",
    "mac_amxfp4e5m2_x_amxfp4e5m2_l8_exact_b77",
}
"""Products by themselves, one sum, two and four; with the default width and with the narrowest."""


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.name in QUICK], ids=lambda config: config.name)
def test_random_blocks(config: MacConfig) -> None:
    check_random(config, streams=50, count=4 if is_direct(config) else 16)


@pytest.mark.full
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_many_random_blocks(config: MacConfig) -> None:
    check_random(config, streams=100, count=8 if is_direct(config) else 40)


def check_random(config: MacConfig, streams: int, count: int) -> None:
    """Blocks of random and of the largest terms, with NaN here and there."""
    rng = generator()
    blocks = [[block_of_terms(config, rng) for _ in range(streams)] for _ in range(count)]
    first, nan = rng.random((count, streams)) < 0.2, rng.random((count, streams)) < 0.02
    first[0] = True
    overflows = play(config, blocks, first, nan)
    assert (overflows > 20) == (config.accumulator_bits < config.default_accumulator_bits)


# Whose blocks can reach every value up to the edge.
EDGES = [
    c
    for c in CONFIGS
    if c.accumulator_bits < c.default_accumulator_bits
    and not is_direct(c)
    and c.sign_pairs * c.plan.term.bits >= c.accumulator_bits - 1
]


@pytest.mark.parametrize("config", full_but(QUICK & {c.name for c in EDGES}, EDGES, lambda config: config.name))
def test_the_edge_of_overflow(config: MacConfig) -> None:
    """Sums of two blocks to the last bit of the range: the least number is in it, one below and 2^(bits - 1) are not;
    a sum that comes back into the range stays overflowed, and the next dot product starts afresh."""
    half = 1 << (config.accumulator_bits - 2)
    streams = [
        ([half, half - 1, -1], [False, False, False]),
        ([half, half, -half], [False, True, True]),
        ([-half, -half, half], [False, False, False]),
        ([-half, -half - 1, half], [False, True, True]),
        ([half, half, 0], [False, True, True]),
        ([half - 1, half, 1], [False, False, True]),
    ]
    for sums, overflows in streams:
        limit = 2 * half
        running = np.cumsum(np.array(sums, object))
        assert [not all(-limit <= t < limit for t in running[: i + 1]) for i in range(3)] == overflows
    count = len(streams)
    blocks = [[whole(config, sums[number]) for sums, _ in streams] for number in range(3)]
    blocks.append([whole(config, 5)] * count)
    first = np.zeros((4, count), bool)
    first[[0, 3]] = True
    seen = play(config, blocks, first, np.zeros((4, count), bool))
    assert seen == sum(sum(overflows) for _, overflows in streams)


def whole(config: MacConfig, value: int) -> list[tuple[int, int]]:
    """Terms of a block that add up to `value`: its low bits in one, the others in large steps."""
    terms, left, top = [], value, config.plan.term.exponent_max
    limit = (1 << config.plan.term.bits) - 1
    for index in range(config.sign_pairs):
        exponent = max(config.plan.scales.exponent_min, top - index * (config.plan.term.bits - 1))
        if index == config.sign_pairs - 1:
            exponent = config.plan.scales.exponent_min
        part = int(left / (1 << (exponent - config.plan.scales.exponent_min))) if left else 0
        part = max(-limit, min(limit, part))
        terms.append((part, exponent))
        left -= part << (exponent - config.plan.scales.exponent_min)
    assert left == 0, f"{value} does not fit into {config.sign_pairs} terms"
    return terms


def test_terms_out_of_range_within_a_block() -> None:
    """A block's terms may pass the range one after the other; only whole blocks count."""
    config = narrow("AMXFP4", "AMXFP4", lanes=8)
    top = config.plan.term.exponent_max
    large = (144 * 32 * 49, top)
    small = (-144 * 32 * 49, top)
    quarter = [(large[0], top), (small[0], top), (0, top), (1, config.plan.scales.exponent_min)]
    fill = [(large[0], top), (0, top), (0, top), (0, top)]
    blocks = [[fill], [quarter], [quarter], [[(-n, e) for n, e in fill]]]
    first, nan = np.zeros((4, 1), bool), np.zeros((4, 1), bool)
    first[0] = True
    assert value_of(config, fill) == config.block_max
    assert play(config, blocks, first, nan) == 0
