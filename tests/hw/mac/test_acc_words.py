"""The exact accumulator a word at a time: every word of the total, and its flags, against integers."""

from typing import Any

import numpy as np
import pytest
from helpers.comb import generator, run
from helpers.word_units import WORD_UNITS, plan_of

from amxfp4.hw.mac.acc_words import WordAccumulator
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.term_placed import Placed


@pytest.mark.parametrize("name", ["five words", "narrow", "placed", "window, narrow"])
def test_totals_and_flags(name: str) -> None:
    check(WORD_UNITS[name], terms=24)


@pytest.mark.full
@pytest.mark.parametrize("config", WORD_UNITS.values(), ids=WORD_UNITS.keys())
def test_many_totals_and_flags(config: MacConfig) -> None:
    check(config, terms=60)


def check(config: MacConfig, terms: int) -> None:
    """Adds terms `words` cycles apart or more, two per block. The whole register is compared where a term's last word
    passes."""
    rng, plan = generator(), plan_of(config)
    scales, words, word_bits, bits = plan.term.scales, plan.split.words, plan.split.word_bits, plan.term.bits + 1
    lowest, highest = scales.exponent_min, scales.exponent_max
    count, width = 60, words * word_bits
    # Half the streams have terms of every size and sign; in the others large ones of one sign, which overflow.
    small = rng.random(count) < 0.5
    totals, nans, overflows, lefts = (np.zeros(count, object) for _ in range(4))
    steps: list[dict[str, np.ndarray]] = []
    expected: list[tuple[Any, ...]] = []
    taken: list[np.ndarray] = []
    overflowed = 0
    for index in range(terms):
        first = (rng.random(count) < 0.2) & (index % 2 == 0) | (index == 0)
        ends = np.full(count, index % 2)
        size = np.where(small, rng.integers(1, bits, count), bits - 1)
        value = np.array([int(rng.integers(-(1 << int(s)), 1 << int(s))) for s in size], object)
        value = np.where(small, value, abs(value) * (1 - index // 20 % 2 * 2))
        exponent = rng.integers(lowest, highest + 1, count)
        exponent = np.where(small, exponent, np.maximum(exponent, highest - 2))
        nan = rng.random(count) < 0.03
        limit = 1 << (plan.bits - 1)
        before = np.where(first, 0, totals)
        after = before + [int(v) << int(e - lowest) >> scales.below for v, e in zip(value, exponent, strict=True)]
        # Two terms a block, no larger together than a whole block can be.
        fits = [abs(int(a - b)) <= config.block_max // 2 for a, b in zip(after, before, strict=True)]
        value, after = np.where(fits, value, 0), np.where(fits, after, before)
        totals = after
        nans = np.where(first, False, nans) | nan
        lefts = ~((totals >= -limit) & (totals < limit))
        above = (rng.random(count) < 0.03) & bool(scales.window)
        overflows = np.where(first, False, overflows) | (lefts & bool(ends[0])) | above
        overflowed += int(overflows.sum())
        term = {"value": value % (1 << bits), "exponent": exponent, "nan": nan.astype(int)}
        term |= {"above": above.astype(int)} if scales.window else {}
        words_up, place = np.divmod(exponent - lowest, word_bits)
        for wait in range(words + (0 if rng.random() < 0.7 else int(rng.integers(1, 4)))):
            if isinstance(plan.term, Placed):  # at its place, and a word further down for each that has been taken
                moved = np.clip(wait - words_up, 0, words) * word_bits
                placed = [int(v) << int(p) >> int(m) for v, p, m in zip(value, place, moved, strict=True)]
                term = term | {"value": np.array(placed, object) % (1 << (bits + plan.term.places))}
                taken.append(((wait >= words_up) & (wait < words)).astype(int))
            steps.append({"term": term, "valid": [wait == 0], "first": first.astype(int), "last": ends})
        expected.append((len(steps) - wait - 1 + words, ends[0], totals % (1 << width), nans, overflows))
    steps += [steps[-1] | {"valid": [False]}] * words
    found = run(WordAccumulator(plan), steps, count, simulated=150)
    for cycle, take in enumerate(taken):
        np.testing.assert_array_equal(found[cycle]["take"], take)
    for cycle, ends, total, nan, overflow in expected:
        outputs = found[cycle]
        register = sum(outputs["total"][..., word].astype(object) << word * word_bits for word in range(words))
        assert (outputs["passed"] == 1 << (words - 1)).all()
        np.testing.assert_array_equal(register, total)
        np.testing.assert_array_equal(outputs["nan"], nan)
        if ends:
            np.testing.assert_array_equal(outputs["overflow"], overflow)
    assert bool(overflowed) == (config.windowed or plan.bits < config.default_accumulator_bits)
