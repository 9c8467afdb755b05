"""From the words of an exact total to float32: totals about powers of two, ties, the extremes, runs of equal bits."""

import numpy as np
import pytest
from comb import generator, run
from test_normalise import totals
from test_words import CONFIGS

from amxfp4.golden.reference import NAN_BITS, float32_bits
from amxfp4.hw.config import MacConfig
from amxfp4.hw.word_round import WordRounder


def runs(width: int, bits: int) -> list[int]:
    """Totals made of words that are all zeros, all ones, or random: each may be the leading one or a copy of a sign."""
    rng = generator()
    found = []
    for _ in range(2000):
        words = [int(rng.choice([0, (1 << bits) - 1, int(rng.integers(1 << bits))])) for _ in range(-(-width // bits))]
        total = sum(word << index * bits for index, word in enumerate(words)) % (1 << width)
        found.append(total - (total >> (width - 1) << width))
    return found


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_rounded_once(config: MacConfig) -> None:
    """A total whose words pass gives its float32 two cycles after the last, whatever passed before."""
    rng = generator()
    words, bits = config.words, config.word_bits
    values = [*totals(config.accumulator_bits), *runs(config.accumulator_bits, bits)]
    count = 400
    rounds = -(-len(values) // count)
    picks = np.array([values[i % len(values)] for i in rng.permutation(count * rounds)], object).reshape(-1, count)
    nan, overflow = rng.random((2, rounds, count)) < 0.02
    steps: list[dict[str, object]] = []
    last: list[int] = []
    for index, pick in enumerate(picks):
        register = pick % (1 << words * bits)
        for word in range(words):
            # Below the words that have passed lies what is left of another total.
            junk = [rng.integers(1 << bits, size=count) for _ in range(words - 1 - word)]
            seen = [(register >> k * bits & ((1 << bits) - 1)).astype(int) for k in range(word + 1)]
            ends = word == words - 1
            steps.append(
                {
                    "total": np.stack([*junk, *seen], axis=-1),
                    "passed": np.full(count, 1 << word),
                    "nan": nan[index].astype(int) if ends else rng.integers(2, size=count),
                    "overflow": overflow[index].astype(int) if ends else rng.integers(2, size=count),
                    "valid": np.ones(count, int),
                }
            )
        last.append(len(steps) - 1)
        # Another total passes that does not end a dot product, or nothing does.
        for _ in range(int(rng.integers(3))):
            idle = {name: rng.integers(2, size=count) for name in ("nan", "overflow")}
            passing = int(rng.integers(2)) << int(rng.integers(words))
            junk = [rng.integers(1 << bits, size=count) for _ in range(words)]
            steps.append(
                {"total": np.stack(junk, axis=-1), "passed": np.full(count, passing), "valid": np.zeros(count, int)}
                | idle
            )
    steps += [steps[-1] | {"passed": np.zeros(count, int), "valid": np.zeros(count, int)}] * 2
    found = run(WordRounder(config), steps, count, simulated=100)
    for index, cycle in enumerate(last):
        now, special = found[cycle + 2], nan[index] | overflow[index]
        expected = np.array([float32_bits(int(value), config.lsb_exponent) for value in picks[index]])
        np.testing.assert_array_equal(now["value"], np.where(special, NAN_BITS, expected))
        np.testing.assert_array_equal(now["value_nan"], special)
        np.testing.assert_array_equal(now["value_overflow"], overflow[index] & ~nan[index])
