"""From the words of an exact total to float32: totals about powers of two, ties, the extremes, runs of equal bits."""

import numpy as np
import pytest
from helpers.comb import generator, run
from test_normalise import totals
from test_words import CONFIGS

from amxfp4.golden.float32 import NAN_BITS, float32_bits
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.round_words import SerialRounder, WordRounder

SERIAL = {
    "x2, one lane": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1),
    "x2, two lanes": MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=2),
    "e5m2, one lane": MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1),
    "four sums, block of 128": MacConfig("AMXFP4", "AMXFP4", block_size=128, lanes=2),
    "narrow, block of 16": MacConfig("MXFP4-E4M3", "MXFP4-UE5M3", block_size=16, lanes=1, accumulator_bits=64),
    "wide": MacConfig("MXFP4-E5M2", "MXFP4-E4M3", lanes=1, accumulator_bits=128),
}


def runs(width: int, bits: int) -> list[int]:
    """Totals made of words that are all zeros, all ones, or random: each may be the leading one or a copy of a sign."""
    rng = generator()
    found = []
    for _ in range(2000):
        words = [int(rng.choice([0, (1 << bits) - 1, int(rng.integers(1 << bits))])) for _ in range(-(-width // bits))]
        total = sum(word << index * bits for index, word in enumerate(words)) % (1 << width)
        found.append(total - (total >> (width - 1) << width))
    return found


def steps_of(config: MacConfig, total: np.ndarray, nan: np.ndarray, overflow: np.ndarray) -> list[dict[str, object]]:
    """Totals that end dot products, side by side, pass word by word."""
    rng = generator()
    words, bits, count = config.words, config.word_bits, len(total)
    register = total % (1 << words * bits)
    steps: list[dict[str, object]] = []
    for word in range(words):
        # Below the words that have passed lies what is left of another total.
        junk = [rng.integers(1 << bits, size=count) for _ in range(words - 1 - word)]
        seen = [(register >> k * bits & ((1 << bits) - 1)).astype(int) for k in range(word + 1)]
        ends = word == words - 1
        steps.append(
            {
                "total": np.stack([*junk, *seen], axis=-1),
                "passed": np.full(count, 1 << word),
                "nan": nan.astype(int) if ends else rng.integers(2, size=count),
                "overflow": overflow.astype(int) if ends else rng.integers(2, size=count),
                "valid": np.ones(count, int),
            }
        )
    return steps


def idle(config: MacConfig, count: int) -> dict[str, object]:
    """Another total passes that does not end a dot product, or nothing does."""
    rng = generator()
    return {
        "total": rng.integers(1 << config.word_bits, size=(count, config.words)),
        "passed": np.full(count, int(rng.integers(2)) << int(rng.integers(config.words))),
        "valid": np.zeros(count, int),
    } | {name: rng.integers(2, size=count) for name in ("nan", "overflow")}


def check(config: MacConfig, rounder: WordRounder | SerialRounder, gap: int, cycles: int) -> None:
    """Totals, the last words `gap` cycles or more apart, give their float32 `cycles` after the last word, and
    nothing is ready in any other cycle."""
    rng = generator()
    values = [*totals(config.accumulator_bits), *runs(config.accumulator_bits, config.word_bits)]
    count = 400
    rounds = -(-len(values) // count)
    picks = np.array([values[i % len(values)] for i in rng.permutation(count * rounds)], object).reshape(-1, count)
    nan, overflow = rng.random((2, rounds, count)) < 0.02
    steps: list[dict[str, object]] = []
    last: list[int] = []
    for index, pick in enumerate(picks):
        steps += steps_of(config, pick, nan[index], overflow[index])
        last.append(len(steps) - 1)
        # In a gap nothing passes, `valid` stays, and so do the flags until the next term.
        steps += [
            idle(config, count)
            | {name: steps[-1][name] for name in ("nan", "overflow", "valid")}
            | {"passed": np.zeros(count, int)}
        ] * (gap - config.words)
        steps += [idle(config, count) for _ in range(int(rng.integers(3)))]
    steps += [idle(config, count)] * cycles
    found = run(rounder, steps, count, simulated=100)
    for index, cycle in enumerate(last):
        now, special = found[cycle + cycles], nan[index] | overflow[index]
        expected = np.array([float32_bits(int(value), config.lsb_exponent) for value in picks[index]])
        np.testing.assert_array_equal(now["result"]["value"], np.where(special, NAN_BITS, expected))
        np.testing.assert_array_equal(now["result"]["nan"], special)
        np.testing.assert_array_equal(now["result"]["overflow"], overflow[index] & ~nan[index])
    ready = [cycle for cycle, outputs in enumerate(found) if outputs["ready"].all()]
    assert ready == [cycle + cycles for cycle in last]
    assert not any(outputs["ready"].any() for cycle, outputs in enumerate(found) if cycle not in ready)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_rounded_once(config: MacConfig) -> None:
    """A total whose words pass gives its float32 two cycles after the last, whatever passed before."""
    check(config, WordRounder(config), config.words, 2)


@pytest.mark.parametrize("config", SERIAL.values(), ids=SERIAL.keys())
def test_rounded_in_place(config: MacConfig) -> None:
    """As often as dot products can end."""
    assert config.round_places, "these are the units that have the time"
    check(config, SerialRounder(config), config.dot_product_gap, config.round_cycles)
