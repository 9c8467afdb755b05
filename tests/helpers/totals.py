"""Totals of an exact accumulator, whole and word by word, and what their rounders must make of them."""

import numpy as np

from amxfp4.golden.float32 import NAN_BITS, float32_bits
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.round_words import ByWords
from amxfp4.hw.mac.words import WordSplit
from helpers.comb import generator, run


def totals(width: int) -> list[int]:
    """Numbers of `width` bits in two's complement."""
    rng = generator()

    def random(bits: int) -> int:
        return int.from_bytes(rng.bytes(-(-bits // 8)), "little") >> (-bits % 8)

    found = [0, 1, -1, (1 << (width - 1)) - 1, -(1 << (width - 1))]
    for top in range(width):
        near = [(1 << top) + d for d in range(-4, 5)]
        # The last place of a 24-bit significand, and the tie below it, with and without a bit further down.
        last = 1 << max(top - 23, 0)
        for significand in (1 << 23, (1 << 24) - 1, (1 << 24) - 2, 1 << 23 | random(23)):
            value = significand * last
            near += [value, value + last // 2, value + last // 2 + 1, value + last // 2 - 1, value + last - 1]
        near += [random(top + 1) for _ in range(8)]
        found += [sign * value for value in near for sign in (1, -1)]
    low, high = -(1 << (width - 1)), 1 << (width - 1)
    return [value for value in found if low <= value < high]


def runs(width: int, bits: int) -> list[int]:
    """Totals made of words that are all zeros, all ones, or random: each may be the leading one or a copy of a sign."""
    rng = generator()
    found = []
    for _ in range(2000):
        words = [int(rng.choice([0, (1 << bits) - 1, int(rng.integers(1 << bits))])) for _ in range(-(-width // bits))]
        total = sum(word << index * bits for index, word in enumerate(words)) % (1 << width)
        found.append(total - (total >> (width - 1) << width))
    return found


def steps_of(split: WordSplit, total: np.ndarray, nan: np.ndarray, overflow: np.ndarray) -> list[dict[str, object]]:
    """Totals that end dot products, side by side, pass word by word."""
    rng = generator()
    words, bits, count = split.words, split.word_bits, len(total)
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


def idle(split: WordSplit, count: int) -> dict[str, object]:
    """Another total passes that does not end a dot product, or nothing does."""
    rng = generator()
    return {
        "total": rng.integers(1 << split.word_bits, size=(count, split.words)),
        "passed": np.full(count, int(rng.integers(2)) << int(rng.integers(split.words))),
        "valid": np.zeros(count, int),
    } | {name: rng.integers(2, size=count) for name in ("nan", "overflow")}


def check_rounder(plan: ByWords | InPlace, gap: int) -> None:
    """Totals, the last words `gap` cycles or more apart, give their float32 `plan.cycles` after the last word,
    and nothing is ready in any other cycle."""
    rng, split, cycles = generator(), plan.split, plan.cycles
    values = [*totals(split.accumulator_bits), *runs(split.accumulator_bits, split.word_bits)]
    count = 400
    rounds = -(-len(values) // count)
    picks = np.array([values[i % len(values)] for i in rng.permutation(count * rounds)], object).reshape(-1, count)
    nan, overflow = rng.random((2, rounds, count)) < 0.02
    steps: list[dict[str, object]] = []
    last: list[int] = []
    for index, pick in enumerate(picks):
        steps += steps_of(split, pick, nan[index], overflow[index])
        last.append(len(steps) - 1)
        # In a gap nothing passes, `valid` stays, and so do the flags until the next term.
        steps += [
            idle(split, count)
            | {name: steps[-1][name] for name in ("nan", "overflow", "valid")}
            | {"passed": np.zeros(count, int)}
        ] * (gap - split.words)
        steps += [idle(split, count) for _ in range(int(rng.integers(3)))]
    steps += [idle(split, count)] * cycles
    found = run(plan.rounder(), steps, count, simulated=100)
    for index, cycle in enumerate(last):
        now, special = found[cycle + cycles], nan[index] | overflow[index]
        expected = np.array([float32_bits(int(value), plan.least_exponent) for value in picks[index]])
        np.testing.assert_array_equal(now["result"]["value"], np.where(special, NAN_BITS, expected))
        np.testing.assert_array_equal(now["result"]["nan"], special)
        np.testing.assert_array_equal(now["result"]["overflow"], overflow[index] & ~nan[index])
    ready = [cycle for cycle, outputs in enumerate(found) if outputs["ready"].all()]
    assert ready == [cycle + cycles for cycle in last]
    assert not any(outputs["ready"].any() for cycle, outputs in enumerate(found) if cycle not in ready)
