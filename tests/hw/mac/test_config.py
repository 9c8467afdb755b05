"""Configs: what is refused and how, every derived width at its extreme, names and latency over all configs."""

import dataclasses
import warnings
from fractions import Fraction
from functools import cache
from itertools import product
from math import ceil, log2
from random import Random

import pytest
from amaranth.back import rtlil
from helpers.comb import SEED

from amxfp4.errors import UsageError
from amxfp4.golden.accumulator import default_accumulator_bits, least_exponent
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, BlockFormat
from amxfp4.hw.config import BLOCK_SIZES, LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.mac.unit import MacUnit


@cache
def everything() -> tuple[MacConfig, ...]:
    """Every config there is with the default width of the accumulator and the default registers."""
    configs = []
    for a, w, size, lanes, accumulator in product(
        BLOCK_FORMAT_NAMES, BLOCK_FORMAT_NAMES, BLOCK_SIZES, LANES, ACCUMULATORS
    ):
        try:
            configs.append(MacConfig(a, w, size, lanes, accumulator))
        except UsageError:
            assert not allowed(a, w, size, lanes, accumulator)
        else:
            assert allowed(a, w, size, lanes, accumulator)
    return tuple(configs)


def allowed(a: str, w: str, block_size: int, lanes: int, accumulator: str) -> bool:
    """The contract's rule, from the names alone."""
    if lanes > block_size:
        return False
    if accumulator == "exact":
        return not {a, w} & {"MXFP4", "AMXFP4-E8M0"}
    two_scales = ("AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-E8M0")
    terms = (1 + (a in two_scales)) * (1 + (w in two_scales))
    return lanes <= block_size // terms


# -- refusals --------------------------------------------------------------------------------------------------------

REFUSED = [
    ({"activation": "FP4"}, ["'FP4'", "MXFP4-E5M2", "AMXFP4-E8M0"]),
    ({"weight": "amxfp5"}, ["'amxfp5'", "AMXFP4"]),
    ({"weight": None}, ["None", "AMXFP4"]),
    ({"activation": 4}, ["4", "AMXFP4"]),
    ({"lanes": 3}, ["lanes", "3", "1, 2, 4, 8, 16, 32"]),
    ({"lanes": 64, "block_size": 128}, ["lanes", "64", "1, 2, 4, 8, 16, 32"]),
    ({"lanes": 0}, ["lanes", "0", "1, 2, 4"]),
    ({"lanes": -8}, ["lanes", "-8", "1, 2, 4"]),
    ({"lanes": True}, ["lanes", "True", "1, 2, 4"]),
    ({"lanes": 8.0}, ["lanes", "8.0", "1, 2, 4"]),
    ({"lanes": "8"}, ["lanes", "'8'", "1, 2, 4"]),
    ({"lanes": 32, "block_size": 16}, ["lanes", "32", "block_size = 16"]),
    ({"block_size": 24}, ["block_size", "24", "8, 16, 32, 64, 128"]),
    ({"block_size": 4}, ["block_size", "4", "8, 16, 32, 64, 128"]),
    ({"block_size": 256}, ["block_size", "256", "8, 16, 32, 64, 128"]),
    ({"block_size": "32"}, ["block_size", "'32'", "8, 16, 32, 64, 128"]),
    ({"accumulator": "fp16"}, ["accumulator", "'fp16'", "exact, fp32"]),
    ({"accumulator": 32}, ["accumulator", "32", "exact, fp32"]),
    ({"weight": "MXFP4", "accumulator": "exact"}, ["'exact'", "MXFP4", "FP8", "fp32"]),
    ({"activation": "AMXFP4-E8M0", "accumulator": "exact"}, ["'exact'", "AMXFP4-E8M0", "FP8", "fp32"]),
    ({"accumulator": "fp32", "lanes": 16}, ["lanes", "16", "4 terms", "8 lanes"]),
    ({"accumulator": "fp32", "lanes": 32, "weight": "MXFP4"}, ["lanes", "32", "2 terms", "16 lanes"]),
    ({"accumulator_bits": 76}, ["accumulator_bits", "76", "77", "128"]),
    ({"accumulator_bits": 129}, ["accumulator_bits", "129", "77", "128"]),
    ({"accumulator_bits": 96.0}, ["accumulator_bits", "96.0", "77", "128"]),
    ({"accumulator_bits": True}, ["accumulator_bits", "True", "77", "128"]),
    ({"accumulator": "fp32", "accumulator_bits": 96}, ["accumulator_bits", "96", "fp32", "not allowed"]),
    ({"front_registers": 2}, ["front_registers", "2", "0, 1"]),
    ({"front_registers": -1}, ["front_registers", "-1", "0, 1"]),
    ({"front_registers": True}, ["front_registers", "True", "0, 1"]),
]


@pytest.mark.parametrize(("options", "parts"), REFUSED, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_refused_in_one_sentence(options: dict[str, object], parts: list[str]) -> None:
    """It names the value and what is allowed."""
    with pytest.raises(UsageError) as refusal:
        MacConfig(**options)  # type: ignore[arg-type]
    sentence = str(refusal.value)
    for part in parts:
        assert part in sentence, f"{part!r} is not in {sentence!r}"
    assert "\n" not in sentence and ". " not in sentence and not sentence.endswith(".")


def test_everything_else_is_accepted() -> None:
    """The whole space, refused and accepted by the contract's rule (see `everything`)."""
    assert len(everything()) == 2547


def test_defaults() -> None:
    config = MacConfig()
    assert (config.activation, config.weight) == ("AMXFP4-E5M2", "AMXFP4-E5M2")
    assert (config.block_size, config.lanes, config.accumulator, config.accumulator_bits) == (32, 8, "exact", 96)
    assert MacConfig("MXFP4", "MXFP4").accumulator == "fp32"
    assert MacConfig("MXFP4", "AMXFP4").accumulator == "fp32"
    assert MacConfig("MXFP4", "MXFP4").accumulator_bits is None
    assert MacConfig("AMXFP4", "AMXFP4") == MacConfig("AMXFP4-E5M2", "AMXFP4-E5M2")


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MacConfig().lanes = 4  # type: ignore[misc]
    assert len({MacConfig(), MacConfig("AMXFP4-E5M2"), MacConfig(lanes=4)}) == 2


# -- derived from the formats' values --------------------------------------------------------------------------------


def largest(f: BlockFormat) -> Fraction:
    """The largest value of an element: 6 times the largest scale."""
    return 6 * Fraction(f.scale.max_value)


def bits(number: int) -> int:
    return number.bit_length()


def test_default_accumulators_have_the_contracts_width() -> None:
    """96 bits for E5M2 x E5M2 at every block size, and the golden model's for every pair."""
    for config in everything():
        if config.exact:
            a, w = config.formats
            assert config.accumulator_bits == default_accumulator_bits(a, w)
            assert config.lsb_exponent == least_exponent(a, w)
            if {a.scale.name, w.scale.name} == {"E5M2"}:
                assert (config.accumulator_bits, config.lsb_exponent) == (96, -34)


def test_exact_accumulators_hold_what_they_must() -> None:
    """Of 2^24 largest products, not a bit less; the narrowest allowed one, one largest block."""
    for config in everything():
        if not config.exact:
            continue
        product_max = largest(config.formats[0]) * largest(config.formats[1]) / Fraction(2) ** config.lsb_exponent
        assert product_max.denominator == 1
        assert config.block_max == config.block_size * product_max
        room = 1 << (config.default_accumulator_bits - 1)
        assert room // 2 <= 2**24 * product_max < room
        narrowest = 1 + bits(config.block_max)
        fields = (config.activation, config.weight, config.block_size, config.lanes, "exact")
        assert MacConfig(*fields, accumulator_bits=narrowest).accumulator_bits == narrowest
        with pytest.raises(UsageError):
            MacConfig(*fields, accumulator_bits=narrowest - 1)


def test_widths_of_sums_and_terms() -> None:
    """Each holds its largest value; magnitudes have not a bit too many."""
    for config in everything():
        a, w = config.formats
        product_max = 144 * (1 + a.halving) * (1 + w.halving)
        assert config.product_bits == bits(product_max)
        offset = 1 << bits(product_max)
        if config.sums_signed:
            assert config.beat_bits == bits((offset + product_max) * config.lanes)
            assert config.sum_bits == bits(offset * config.block_size)
        elif not config.exact:
            assert config.beat_bits == bits(product_max * config.lanes)
            assert config.sum_bits == bits(product_max * config.block_size)
        if config.block_signed:
            assert product_max * config.block_size < 1 << (config.sum_bits - 1)
        significands = int(a.scale.significands.max() * w.scale.significands.max())
        assert config.scale_significand_max == significands
        term = 9 if config.direct else product_max * config.block_size
        assert config.term_bits == bits(term * significands)
        if not config.exact:
            assert config.term_bits <= 24, "a term fits a float32 significand"


def test_exponents_reach_both_ends() -> None:
    """The least and the largest product of scales, by value, are what the exponents' range says."""
    for config in everything():
        unit = Fraction(2) ** -config.exponent_offset
        a, w = config.formats
        # A significand of 1 at the smallest exponent: the least step of a scale.
        least = Fraction(2) ** (a.scale.least_exponent + w.scale.least_exponent)
        smallest_product = Fraction(1, 4 << config.halvings)
        assert unit * 2**config.exponent_min == least * smallest_product
        top = Fraction(1)
        for f in (a, w):
            top *= Fraction(f.scale.max_value) / int(f.scale.significands[f.scale.max_code])
        shift = 4 + config.halvings if config.direct else 0
        assert unit * 2**config.exponent_max == top * smallest_product * 2**shift
        assert config.exponent_bits == bits(config.exponent_max)


def test_float32_exponents_fit() -> None:
    """A normalised term's biased exponent, at both ends; terms of FP8 scales stay inside float32's normal range, so
    that nothing for subnormals and infinities need be built."""
    for config in everything():
        if config.exact:
            continue
        lowest = config.normal_exponent_offset + config.exponent_min - (config.term_bits - 1)
        highest = config.normal_exponent_offset + config.exponent_max
        value = Fraction(2) ** (config.exponent_min - config.exponent_offset)
        assert Fraction(2) ** (lowest - 127) == value, "a magnitude of 1 at the least exponent"
        if config.beyond_float32:
            half = 1 << (config.normal_exponent_bits - 1)
            assert -half <= lowest and highest < half
        else:
            assert config.normal_exponent_bits == 8
            # 2^24 largest elements and more stay below infinity.
            assert lowest >= 1 and highest + ceil(log2(2**24)) + 1 < 255


# -- geometry --------------------------------------------------------------------------------------------------------


def test_turns_and_paths() -> None:
    """One tail serves as many sums as a block has beats for; the float32 loop gets no more terms than it takes."""
    for config in everything():
        assert config.lanes * config.beats_per_block == config.block_size
        if config.direct:
            assert config.exact and config.lanes == 1 and (config.turns, config.paths) == (1, 1)
            continue
        assert config.turns * config.paths == config.sign_pairs
        assert config.turns <= config.beats_per_block
        assert config.paths == 1 or config.turns == config.beats_per_block
        if not config.exact:
            assert config.paths == 1
            assert config.turns * config.loop_stages + config.float32_steps <= config.beats_per_block


def test_what_takes_its_time_is_done_in_time() -> None:
    """Cycle by cycle: no register is written for the next block, or the next dot product, before it was last read."""
    forms = set()
    for config in everything():
        if not config.exact or config.words == 1:
            assert not config.placed and not config.round_places
            continue
        forms.add((config.placed, config.round_places))
        # A block's terms, from the cycle in which its first sum is there.
        wait = config.digits + config.word_bits if config.placed else config.digits
        terms = [wait + turn * config.words for turn in range(config.sign_pairs)]
        following = [cycle + config.beats_per_block for cycle in terms]
        assert following[0] - terms[-1] >= config.words, "the words of two terms do not pass at once"
        if config.placed:
            assert terms[0] + config.words - 1 < config.beats_per_block, "the next sum is taken after the last word"
            assert config.scale_significand_max < 2**config.digits
        if config.round_places:
            passed = terms[-1] + config.words
            shifts = ceil((config.word_bits - 1) / config.round_places)
            assert config.round_cycles == shifts + 2
            assert passed + config.round_cycles <= following[0], "NaN and overflow begin anew after the result"
        else:
            assert config.round_cycles == 2
    assert forms == {(False, 0), (False, 1), (False, 3), (True, 1)}


def test_ports() -> None:
    """Fields from bit 0, with the scales that the formats have and no more."""
    for config in everything():
        a, w = config.formats
        expected = {"a_codes": 4 * config.lanes, "w_codes": 4 * config.lanes}
        for side, f in (("a", a), ("w", w)):
            expected[f"{side}_scales"] = f.scale.bits * (2 if f.asymmetric else 1)
            expected |= {f"{side}_halved": 2} if f.halving else {}
        widths = {name: field.width for name, field in config.beat_layout}
        assert widths == expected | {"last": 1}
        order = ["a_codes", "w_codes", "a_scales", "a_halved", "w_scales", "w_halved", "last"]
        assert list(widths) == [name for name in order if name in widths]
        assert [(name, field.offset, field.width) for name, field in config.result_layout] == [
            ("value", 0, 32),
            ("nan", 32, 1),
            ("overflow", 33, 1),
        ]


def test_names_are_unique_and_fit_for_files() -> None:
    configs = list(everything())
    configs += [MacConfig(lanes=lanes, front_registers=1 - MacConfig(lanes=lanes).front_registers) for lanes in LANES]
    configs += [MacConfig(lanes=lanes, accumulator_bits=width) for lanes in LANES for width in (77, 95, 97, 128)]
    names = {config.name for config in configs}
    assert len(names) == len(configs)
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_as_dict_makes_the_same_config_again() -> None:
    for config in everything():
        assert MacConfig(**config.as_dict()) == config  # type: ignore[arg-type]


# -- elaboration -----------------------------------------------------------------------------------------------------


def elaborate(config: MacConfig) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rtlil.convert(MacUnit(config), name=config.name, emit_src=False)


@pytest.mark.parametrize("config", Random(SEED).sample([c for c in everything() if c.lanes <= 8], 12), ids=str)
def test_a_sample_elaborates(config: MacConfig) -> None:
    elaborate(config)


@pytest.mark.full
@pytest.mark.parametrize("pair", list(product(BLOCK_FORMAT_NAMES, repeat=2)), ids=" x ".join)
def test_every_pair_elaborates(pair: tuple[str, str]) -> None:
    """With every number of lanes and accumulator in blocks of 32, and with one lane in all."""
    for config in everything():
        if (config.activation, config.weight) == pair and (config.block_size == 32 or config.lanes == 1):
            elaborate(config)
