"""What is planned: the structures there are, every derived width at its extreme, and what must be done in time."""

from collections import Counter
from fractions import Fraction
from math import ceil, log2

import pytest
from helpers.configs import every_mac
from helpers.mac_parts import is_direct, largest_product

from amxfp4.hw.mac.acc_float32 import Float32
from amxfp4.hw.mac.acc_float32_steps import Float32InSteps
from amxfp4.hw.mac.acc_words import Words
from amxfp4.hw.mac.beat_sums import Sums
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.plan import NoSums
from amxfp4.hw.mac.round_in_place import InPlace
from amxfp4.hw.mac.term_digits import Digits
from amxfp4.hw.mac.term_placed import Placed
from amxfp4.hw.mac.term_whole import Whole

# -- structures ------------------------------------------------------------------------------------------------------

STRUCTURES = {
    ("block sums", "whole", "float32, 2 stages", "in the loop"): 2094,
    ("block sums", "whole", "exact", "at once"): 743,
    ("block sums", "digits", "words", "by words"): 485,
    ("block sums", "whole", "window", "at once"): 430,
    ("block sums", "whole", "float32, 1 stage", "in the loop"): 429,
    ("block sums", "whole", "window in words", "in place"): 380,
    ("block sums", "placed", "words", "in place"): 294,
    ("block sums", "digits", "float32 steps", "in the loop"): 294,
    ("block sums", "whole", "words", "by words"): 271,
    ("block sums", "whole", "window in words", "by words"): 270,
    ("block sums", "whole", "float32 steps", "in the loop"): 243,
    ("block sums", "digits", "words", "in place"): 196,
    ("block sums", "whole", "words", "in place"): 178,
    ("none", "direct", "exact", "at once"): 20,
}


def test_fourteen_structures() -> None:
    """The structures (front, term, accumulator and rounder), and how many configs get each."""
    assert Counter(config.plan.structure for config in every_mac()) == STRUCTURES


def test_every_plan_explains_itself() -> None:
    """A line per part with its title and its reason, and the latency as a sum."""
    for config in every_mac():
        plan = config.plan
        *parts, latency = plan.explain()
        names = ("front", "term", "accumulator", "rounder")
        assert [line.split(": ")[0] for line in parts] == list(names)
        for line, title in zip(parts, plan.structure, strict=True):
            assert line.split(": ", 1)[1].startswith(f"{title}; ")
            reason = line.split("; ", 1)[1]
            assert len(reason.split()) >= 5 and reason[-1] not in ".,;", reason
            assert "\n" not in line and "None" not in line and "<" not in line
        total, _, summands = latency.partition(" = ")
        assert total == f"latency: {config.latency} cycles"
        assert sum(int(summand.split()[-1]) for summand in summands.split(" + ")) == config.latency


def test_the_stages_add_up_to_the_latency() -> None:
    for config in every_mac():
        assert sum(config.plan.stages.values()) == config.plan.latency == config.latency
        assert all(cycles >= 0 for cycles in config.plan.stages.values())


def test_latencies() -> None:
    """Written out for one config of each kind of accumulator, stage by stage."""
    assert MacConfig("MXFP4", "MXFP4").plan.stages == {
        "front": 2,
        "turns": 0,
        "term": 0,
        "accumulator": 3,
        "rounder": 0,
    }
    assert MacConfig().plan.stages == {"front": 2, "turns": 3, "term": 0, "accumulator": 2, "rounder": 2}
    assert MacConfig(lanes=1).plan.stages == {"front": 1, "turns": 0, "term": 0, "accumulator": 2, "rounder": 2}


def test_sums_only_where_there_are_some() -> None:
    plan = MacConfig(lanes=2).plan
    assert plan.sums is plan.front
    with pytest.raises(TypeError, match="no block sums"):
        _ = MacConfig(lanes=1).plan.sums


# -- widths ----------------------------------------------------------------------------------------------------------


def bits(number: int) -> int:
    return number.bit_length()


def check_sums(sums: Sums, product_max: int) -> None:
    """Widths of a beat's and of a block's sums."""
    lanes, block_size, offset = sums.products.lanes, sums.block_size, 1 << bits(product_max)
    assert sums.lane_offset == offset and sums.largest == product_max * block_size
    if sums.mixed:
        assert sums.beat_bits == bits((offset + product_max) * lanes)
        assert sums.bits == bits(offset * block_size)
    elif not sums.for_exact:
        assert sums.beat_bits == bits(product_max * lanes)
        assert sums.bits == bits(product_max * block_size)
    if sums.signed:
        assert product_max * block_size < 1 << (sums.bits - 1)


def test_widths_of_sums_and_terms() -> None:
    """Each width holds the largest value. Widths of magnitudes are the least that do."""
    for config in every_mac():
        a, w = config.formats
        product_max = largest_product(config)
        assert config.plan.products.bits == bits(product_max)
        assert config.plan.products.largest == product_max
        if not is_direct(config):
            check_sums(config.plan.sums, product_max)
        significands = int(a.scale.significands.max() * w.scale.significands.max())
        assert config.plan.scales.significand_max == significands
        term = 9 if is_direct(config) else product_max * config.block_size
        assert config.plan.term.bits == bits(term * significands)
        if not config.fixed_point:
            assert config.plan.term.bits <= 24, "a term fits a float32 significand"


def test_exponents_reach_both_ends() -> None:
    """The least and the largest product of scales, by value, are what the exponents' range says."""
    for config in every_mac():
        scales, term = config.plan.scales, config.plan.term
        if config.windowed:
            check_window(config)
            continue
        unit = Fraction(2) ** -scales.exponent_offset
        a, w = config.formats
        # A significand of 1 at the smallest exponent: the least step of a scale.
        least = Fraction(2) ** (a.scale.least_exponent + w.scale.least_exponent)
        smallest_product = Fraction(2) ** config.plan.products.unit_exponent
        assert unit * 2**scales.exponent_min == least * smallest_product
        top = Fraction(1)
        for f in (a, w):
            top *= Fraction(f.scale.max_value) / int(f.scale.significands[f.scale.max_code])
        shift = 4 if is_direct(config) else 0
        assert unit * 2**term.exponent_max == top * smallest_product * 2**shift
        assert term.layout["exponent"].width == bits(term.exponent_max)
        assert scales.layout["exponent"].width == bits(scales.exponent_max)


def check_window(config: MacConfig) -> None:
    """A term that is not shifted leaves its sign in the window, and one that is shifted furthest ends under the top."""
    scales, term = config.plan.scales, config.plan.term
    assert scales.window is not None and not scales.wide
    assert scales.least_exponent == config.lsb_exponent == config.window_exponent
    assert scales.exponent_min == 0 and scales.below >= term.bits
    assert term.exponent_max - scales.below + term.bits + 1 == config.accumulator_bits
    assert term.layout["exponent"].width == scales.layout["exponent"].width == bits(term.exponent_max)
    if isinstance(config.plan.accumulator, Words):
        assert scales.below % config.plan.accumulator.split.word_bits == 0, "whole words are left out"
    else:
        assert scales.below == term.bits


def test_float32_exponents_fit() -> None:
    """A normalised term's biased exponent fits its field at both ends. Terms of FP8 scales stay inside float32's normal
    range, so that no logic for subnormals and infinities is needed."""
    for config in every_mac():
        accumulator = config.plan.accumulator
        if not isinstance(accumulator, Float32 | Float32InSteps):
            continue
        scales = config.plan.scales
        lowest = accumulator.exponent_offset + scales.exponent_min - (config.plan.term.bits - 1)
        highest = accumulator.exponent_offset + scales.exponent_max
        value = Fraction(2) ** (scales.exponent_min - scales.exponent_offset)
        assert Fraction(2) ** (lowest - 127) == value, "a magnitude of 1 at the least exponent"
        if accumulator.wide:
            half = 1 << (accumulator.exponent_bits - 1)
            assert -half <= lowest and highest < half
        else:
            assert accumulator.exponent_bits == 8
            # 2^24 largest elements and more stay below infinity.
            assert lowest >= 1 and highest + ceil(log2(2**24)) + 1 < 255


# -- geometry and time -----------------------------------------------------------------------------------------------


def test_turns_and_paths() -> None:
    """One tail serves as many sums as a block has beats for; the float32 loop gets no more terms than it takes."""
    for config in every_mac():
        assert config.lanes * config.beats_per_block == config.block_size
        front, accumulator = config.plan.front, config.plan.accumulator
        if isinstance(front, NoSums):
            assert config.exact and config.lanes == 1 and front.turns == 1
            continue
        assert front.turns * front.paths == front.count == config.sign_pairs
        assert front.turns <= front.beats == config.beats_per_block
        assert front.paths == 1 or front.turns == front.beats
        if not config.fixed_point:
            clears = isinstance(accumulator, Float32InSteps)
            assert front.paths == 1
            assert front.turns * accumulator.cycles_per_term + clears <= front.beats


def test_what_takes_its_time_is_done_in_time() -> None:
    """Cycle by cycle: no register is written for the next block, or the next dot product, before it was last read."""
    forms = set()
    for config in every_mac():
        term, accumulator, rounder = config.plan.term, config.plan.accumulator, config.plan.rounder
        if not isinstance(accumulator, Words):
            assert not isinstance(term, Placed) and not isinstance(rounder, InPlace)
            continue
        assert isinstance(term, Whole | Digits | Placed)
        words, word_bits = accumulator.split.words, accumulator.split.word_bits
        forms.add((term.title, rounder.places if isinstance(rounder, InPlace) else 0))
        # A block's terms, from the cycle in which its first sum is there.
        wait = 1 if isinstance(term, Whole) else term.digits + (word_bits if isinstance(term, Placed) else 0)
        assert term.cycles == wait - 1
        terms = [wait + turn * words for turn in range(config.sign_pairs)]
        following = [cycle + config.beats_per_block for cycle in terms]
        assert following[0] - terms[-1] >= words, "the words of two terms do not pass at once"
        if isinstance(term, Placed):
            assert terms[0] + words - 1 < config.beats_per_block, "the next sum is taken after the last word"
            assert config.plan.scales.significand_max < 2**term.digits
        if isinstance(rounder, InPlace):
            passed = terms[-1] + words
            assert rounder.cycles == ceil((word_bits - 1) / rounder.places) + 2
            assert passed + rounder.cycles <= following[0], "NaN and overflow begin anew after the result"
        else:
            assert rounder.cycles == 2
    assert forms == {("whole", 0), ("whole", 1), ("whole", 3), ("digits", 0), ("digits", 3), ("placed", 1)}
