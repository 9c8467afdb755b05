"""What is asked: what is refused and how, the exact accumulator's width, ports and names over all configs."""

import dataclasses
from fractions import Fraction
from itertools import product

import pytest
from helpers.configs import every_mac

from amxfp4.errors import UsageError
from amxfp4.golden.accumulator import default_accumulator_bits, least_exponent
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, BlockFormat
from amxfp4.golden.windowed import MAX_WINDOW_BITS, MIN_WINDOW_EXPONENT, Window
from amxfp4.hw.config import BLOCK_SIZES, LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.mac.window import EXPONENT_AND_BITS_MAX, MAX_BITS, MIN_EXPONENT


def allowed(a: str, w: str, block_size: int, lanes: int, accumulator: str) -> bool:
    """Whether the contract allows a config, from the names alone."""
    if lanes > block_size:
        return False
    if accumulator in ("exact", "window"):
        return bool({a, w} & {"MXFP4", "AMXFP4-E8M0"}) == (accumulator == "window")
    two_scales = ("AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-E8M0")
    terms = (1 + (a in two_scales)) * (1 + (w in two_scales))
    return lanes <= block_size // terms


# -- refusals --------------------------------------------------------------------------------------------------------

WINDOW = {"activation": "MXFP4", "weight": "MXFP4", "accumulator": "window"}

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
    ({"block_size": 16.0}, ["block_size", "16.0", "8, 16, 32, 64, 128"]),
    ({"block_size": True}, ["block_size", "True", "8, 16, 32, 64, 128"]),
    ({"block_size": 32, "weight": "AMXFP4-Z8/16"}, ["'AMXFP4-Z8/16'", "block size 32", "contradict"]),
    ({"activation": "AMXFP4-Z8/12"}, ["block size 12", "8, 16, 32, 64, 128"]),
    ({"activation": "AMXFP4-Z8/x"}, ["'x'", "'AMXFP4-Z8/x'", "8, 16, 32, 64, 128"]),
    ({"activation": "NVFP4", "lanes": 32}, ["lanes", "32", "block_size = 16"]),
    ({"accumulator": "fp16"}, ["accumulator", "'fp16'", "exact, fp32, window"]),
    ({"accumulator": 32}, ["accumulator", "32", "exact, fp32, window"]),
    ({"weight": "MXFP4", "accumulator": "exact"}, ["'exact'", "MXFP4", "FP8", "fp32"]),
    ({"activation": "AMXFP4-E8M0", "accumulator": "exact"}, ["'exact'", "AMXFP4-E8M0", "FP8", "fp32"]),
    ({"accumulator": "fp32", "lanes": 16}, ["lanes", "16", "4 terms", "8 lanes"]),
    ({"accumulator": "fp32", "lanes": 32, "weight": "MXFP4"}, ["lanes", "32", "2 terms", "16 lanes"]),
    ({"accumulator_bits": 76}, ["accumulator_bits", "76", "77", "128"]),
    ({"accumulator_bits": 129}, ["accumulator_bits", "129", "77", "128"]),
    ({"accumulator_bits": 96.0}, ["accumulator_bits", "96.0", "77", "128"]),
    ({"accumulator_bits": True}, ["accumulator_bits", "True", "77", "128"]),
    ({"accumulator": "fp32", "accumulator_bits": 96}, ["accumulator_bits", "96", "fp32", "not allowed"]),
    ({"accumulator": "window"}, ["'window'", "AMXFP4-E5M2 x AMXFP4-E5M2", "E8M0", "exact", "fp32"]),
    (WINDOW | {"accumulator_bits": 13}, ["accumulator_bits", "13", "14", "96"]),
    (WINDOW | {"accumulator_bits": 97}, ["accumulator_bits", "97", "14", "96"]),
    (WINDOW | {"window_exponent": -127}, ["window_exponent", "-127", "-126", "74"]),
    (WINDOW | {"window_exponent": 75}, ["window_exponent", "75", "-126", "74"]),
    (WINDOW | {"window_exponent": 65, "accumulator_bits": 64}, ["window_exponent", "65", "-126", "64"]),
    (WINDOW | {"window_exponent": -32.0}, ["window_exponent", "-32.0", "-126", "74"]),
    ({"window_exponent": -32}, ["window_exponent", "-32", "'exact'", "not allowed"]),
    (WINDOW | {"accumulator": "fp32", "window_exponent": 0}, ["window_exponent", "0", "'fp32'", "not allowed"]),
    ({"lanes": 1, "front_registers": 1}, ["front_registers", "1", "AMXFP4-E5M2 x AMXFP4-E5M2", "one lane", "only 0"]),
    ({"front_registers": 2}, ["front_registers", "2", "0, 1"]),
    ({"front_registers": -1}, ["front_registers", "-1", "0, 1"]),
    ({"front_registers": True}, ["front_registers", "True", "0, 1"]),
]


@pytest.mark.parametrize(("options", "parts"), REFUSED, ids=lambda value: str(value) if isinstance(value, dict) else "")
def test_refused_in_one_sentence(options: dict[str, object], parts: list[str]) -> None:
    """The sentence names the value and the allowed values."""
    with pytest.raises(UsageError) as refusal:
        MacConfig(**options)  # type: ignore[arg-type]
    sentence = str(refusal.value)
    for part in parts:
        assert part in sentence, f"{part!r} is not in {sentence!r}"
    assert "\n" not in sentence and ". " not in sentence and not sentence.endswith(".")


def test_everything_else_is_accepted() -> None:
    """The whole space, refused and accepted by the contract's rule."""
    space = product(BLOCK_FORMAT_NAMES, BLOCK_FORMAT_NAMES, BLOCK_SIZES, LANES, ACCUMULATORS)
    names = {"activation", "weight", "block_size", "lanes", "accumulator"}
    accepted = [tuple(v for name, v in config.as_dict().items() if name in names) for config in every_mac()]
    assert accepted == [fields for fields in space if allowed(*fields)]
    assert len(accepted) == 6327


def test_defaults() -> None:
    config = MacConfig()
    assert (config.activation, config.weight) == ("AMXFP4-E5M2", "AMXFP4-E5M2")
    assert (config.block_size, config.lanes, config.accumulator, config.accumulator_bits) == (32, 8, "exact", 96)
    assert MacConfig("MXFP4", "MXFP4").accumulator == "fp32"
    assert MacConfig("MXFP4", "AMXFP4").accumulator == "fp32"
    assert MacConfig("MXFP4", "MXFP4").accumulator_bits is None
    assert MacConfig("AMXFP4", "AMXFP4") == MacConfig("AMXFP4-E5M2", "AMXFP4-E5M2")


BLOCKS = [
    ({"activation": "AMXFP4-Z8/16", "weight": "AMXFP4-Z8/16"}, 16),
    ({"activation": "AMXFP4-Z8/16", "weight": "MXFP4-E4M3"}, 16),
    ({"activation": "MXFP4-E4M3", "weight": "amxfp4-z8/16"}, 16),
    ({"activation": "AMXFP4-Z8/128", "weight": "AMXFP4-Z8/64"}, 64),
    ({"activation": "AMXFP4-Z8/128", "weight": "MXFP4-E4M3"}, 32),
    ({"activation": "NVFP4", "weight": "NVFP4"}, 16),
    ({"activation": "NVFP4", "weight": "MXFP4-E4M3"}, 16),
    ({"activation": "NVFP4", "weight": "NVFP4", "block_size": 32}, 32),
    ({"activation": "NVFP4/32", "weight": "AMXFP4-Z"}, 32),
    ({"activation": "AMXFP4-Z8/16", "weight": "AMXFP4-Z", "block_size": 16}, 16),
]


@pytest.mark.parametrize(("options", "block_size"), BLOCKS, ids=str)
def test_block_sizes_that_formats_say(options: dict[str, object], block_size: int) -> None:
    """Of two the smaller one; the config is that of the formats without block sizes, and so is its name."""
    config = MacConfig(**options, lanes=4)  # type: ignore[arg-type]
    assert config.block_size == block_size and "/" not in config.activation + config.weight
    assert config == MacConfig(config.activation, config.weight, block_size, 4)
    assert [f.block_size for f in config.formats] == [block_size] * 2


def test_names_say_what_formats_do_not() -> None:
    assert MacConfig("NVFP4", "NVFP4").name == "mac_nvfp4_x_nvfp4_l8_exact"
    assert MacConfig("NVFP4", "NVFP4", 32).name == "mac_nvfp4_x_nvfp4_l8_exact_k32"
    assert MacConfig("NVFP4", "AMXFP4-Z8").name == "mac_nvfp4_x_amxfp4z8_l8_exact"
    assert MacConfig("AMXFP4-Z8/16", "AMXFP4-Z").name == "mac_amxfp4z8_x_amxfp4z_l8_exact_k16"


def test_windows() -> None:
    """A window's defaults are the golden model's, every limit is the golden model's, and names say what differs."""
    window = Window()
    config = MacConfig("MXFP4", "MXFP4", accumulator="window")
    assert (config.window_exponent, config.accumulator_bits) == (window.exponent, window.bits) == (-32, 54)
    assert config.name == "mac_mxfp4_x_mxfp4_l8_window"
    other = MacConfig("MXFP4", "MXFP4", accumulator="window", accumulator_bits=50, window_exponent=-40)
    assert other.name == "mac_mxfp4_x_mxfp4_l8_window_b50_em40"
    assert MAX_BITS == MAX_WINDOW_BITS and MIN_EXPONENT == MIN_WINDOW_EXPONENT
    for bits in (14, 54, MAX_BITS):
        Window(EXPONENT_AND_BITS_MAX - bits, bits)
        with pytest.raises(UsageError):
            Window(EXPONENT_AND_BITS_MAX - bits + 1, bits)
    for config in every_mac():
        if config.windowed:
            narrowest = Window(0, config.least_accumulator_bits)
            assert narrowest.largest_exponent(*config.formats) == 0
            with pytest.raises(UsageError):
                Window(0, config.least_accumulator_bits - 1).largest_exponent(*config.formats)


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MacConfig().lanes = 4  # type: ignore[misc]
    assert len({MacConfig(), MacConfig("AMXFP4-E5M2"), MacConfig(lanes=4)}) == 2


# -- derived from the formats' values --------------------------------------------------------------------------------


def largest(f: BlockFormat) -> Fraction:
    """The largest value of an element: 6 times the largest scale, or the largest special value times that."""
    return {"AMXFP4-Z8": 8, "AMXFP4-Z": 12}.get(f.name, 6) * Fraction(f.scale.max_value)


def bits(number: int) -> int:
    return number.bit_length()


def test_default_accumulators_have_the_contracts_width() -> None:
    """96 bits for E5M2 x E5M2 at every block size, and the golden model's for every pair."""
    for config in every_mac():
        if config.exact:
            a, w = config.formats
            assert config.accumulator_bits == default_accumulator_bits(a, w)
            assert config.lsb_exponent == least_exponent(a, w)
            if {a.scale.name, w.scale.name} == {"E5M2"}:
                assert (config.accumulator_bits, config.lsb_exponent) == (96, -34)


def test_exact_accumulators_hold_what_they_must() -> None:
    """The default width is the least that holds 2^24 largest products. The narrowest allowed width is the least that
    holds one largest block."""
    for config in every_mac():
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


# -- ports and names --------------------------------------------------------------------------------------------------


def test_ports() -> None:
    """Fields from bit 0, with the scales that the formats have and no more."""
    for config in every_mac():
        a, w = config.formats
        expected = {"a_codes": 4 * config.lanes, "w_codes": 4 * config.lanes}
        for side, f in (("a", a), ("w", w)):
            expected[f"{side}_scales"] = f.scale.bits * (2 if f.asymmetric else 1)
            expected |= {f"{side}_halved": 2} if f.name == "AMXFP4-X2" else {}
            expected |= {f"{side}_special": 1} if f.name == "AMXFP4-Z8" else {}
            expected |= {f"{side}_special": 2} if f.name == "AMXFP4-Z" else {}
        widths = {name: field.width for name, field in config.beat_layout}
        assert widths == expected | {"last": 1}
        order = ["a_codes", "w_codes", "a_scales", "a_halved", "a_special", "w_scales", "w_halved", "w_special", "last"]
        assert list(widths) == [name for name in order if name in widths]
        assert [(name, field.offset, field.width) for name, field in config.result_layout] == [
            ("value", 0, 32),
            ("nan", 32, 1),
            ("overflow", 33, 1),
        ]


def test_names_are_unique_and_fit_for_files() -> None:
    configs = list(every_mac())
    configs += [
        MacConfig(lanes=lanes, front_registers=1 - MacConfig(lanes=lanes).front_registers) for lanes in LANES[1:]
    ]
    configs += [MacConfig(lanes=lanes, accumulator_bits=width) for lanes in LANES for width in (77, 95, 97, 128)]
    names = {config.name for config in configs}
    assert len(names) == len(configs)
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_as_dict_makes_the_same_config_again() -> None:
    for config in every_mac():
        assert MacConfig(**config.as_dict()) == config  # type: ignore[arg-type]
