"""The float32 accumulator against exact sums, each rounded once: cancellation, underflow, infinity, NaN."""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.comb import evaluate, generator, run
from helpers.gates import signed

from amxfp4.golden.float32 import float32_bits
from amxfp4.hw.mac.acc_float32 import TermNormaliser
from amxfp4.hw.mac.acc_float32_steps import float32_accumulator
from amxfp4.hw.mac.config import FLOAT32_STEPS, MacConfig

# Each scale format, and each combination of the loop's stages and of float32's range.
CONFIGS = [
    MacConfig("MXFP4", "MXFP4", lanes=32),
    MacConfig("MXFP4", "MXFP4", lanes=8),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=8),
    MacConfig("MXFP4", "AMXFP4-E4M3", lanes=4),
    MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32"),
    MacConfig("AMXFP4", "AMXFP4", lanes=4, accumulator="fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4-E4M3", lanes=32, block_size=128, accumulator="fp32"),
    MacConfig("MXFP4-E4M3", "MXFP4-E5M2", lanes=8, block_size=8, accumulator="fp32"),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=32, block_size=128, accumulator="fp32"),
    MacConfig("MXFP4", "MXFP4", lanes=1),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", block_size=128, lanes=1),
    MacConfig("MXFP4-UE5M3", "MXFP4-UE5M3", lanes=1, accumulator="fp32"),
    MacConfig("AMXFP4", "AMXFP4", block_size=128, lanes=1, accumulator="fp32"),
]
CONFIG_IDS = [config.name for config in CONFIGS]


def test_every_kind_of_accumulator_is_here() -> None:
    assert {(c.loop_stages, c.beyond_float32) for c in CONFIGS} == {
        (stages, wide) for stages in (1, 2, FLOAT32_STEPS) for wide in (False, True)
    }


# -- normalising a term ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", CONFIGS, ids=CONFIG_IDS)
def test_terms_are_normalised(config: MacConfig) -> None:
    """Every exponent, and magnitudes with the highest bit in every place (all of them where they are short)."""
    rng = generator()
    exponents = np.arange(config.exponent_min, config.exponent_max + 1)
    bits = config.term_bits
    if bits <= 13:
        magnitudes = np.arange(1 << bits)
    else:
        below = rng.integers(1 << bits, size=(bits, 40), dtype=np.int64)
        top = np.int64(1) << np.arange(bits)[:, None]
        magnitudes = np.concatenate([[0], (top | (below & (top - 1))).ravel(), np.arange(32)])
    count = 60_000
    magnitude = np.resize(magnitudes, count)
    exponent = rng.choice(exponents, size=count)
    exponent[::7], exponent[1::7] = exponents[0], exponents[-1]
    negative, nan = rng.integers(2, size=(2, count))
    term = {"magnitude": magnitude, "negative": negative, "exponent": exponent, "nan": nan}
    found = evaluate(TermNormaliser(config), term=term)["normal"]
    np.testing.assert_array_equal(found["negative"], negative)
    np.testing.assert_array_equal(found["nan"], nan)
    some = magnitude != 0
    assert not found["significand"][~some].any() and not found["exponent"][~some].any()
    power = found["exponent"]
    if config.beyond_float32:
        power = signed(power, config.normal_exponent_bits)
    assert (found["significand"][some] >> (bits - 1) == 1).all()
    shift = (exponent - config.exponent_offset) - (power - 127 - (bits - 1))
    expected = np.ldexp(magnitude.astype(float), shift)
    np.testing.assert_array_equal(found["significand"][some], expected[some])


# -- adding ----------------------------------------------------------------------------------------------------------


class Stream:
    """A reference accumulator in units of 2^-`UNIT`, below every term, that also makes up the terms."""

    UNIT = 320

    def __init__(self, config: MacConfig, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng
        scale = config.normal_exponent_offset
        # Of a magnitude's highest bit, biased: as scales and sums can make it.
        self.least = scale + config.exponent_min - (config.term_bits - 1)
        self.most = scale + config.exponent_max
        self.style, self.level = 0, 127
        self.begin()

    def begin(self) -> None:
        self.total, self.bits, self.nan = 0, 0, False
        self.style = int(self.rng.integers(6))
        if not self.config.beyond_float32:
            places = [self.least + 3, self.most - 3, 127]
        else:
            # About the least subnormal, the least normal, the largest float32, and beyond both ends.
            places = [-22, 1, 253, 127, self.least + 3, self.most - 3]
        self.level = int(self.rng.choice(places))

    @property
    def infinite(self) -> bool:
        return self.bits & 0x7FFFFFFF == 0x7F800000

    def next_term(self) -> tuple[int, int, int]:
        """Significand (0 for zero), sign and biased exponent of the next term."""
        rng, width = self.rng, self.config.term_bits
        significand = int(rng.integers(1 << (width - 1), 1 << width))
        negative = int(rng.integers(2))
        exponent = self.level + int(rng.integers(-3, 4))
        match self.style:
            case 0:  # anything
                exponent = int(rng.integers(self.least, self.most + 1))
            case 1 if rng.random() < 0.7 and self.total:  # almost or fully cancels
                length = abs(self.total).bit_length()
                significand = (abs(self.total) << width >> length) + int(rng.choice([0, 0, 0, 1, -1, 2]))
                significand = min(max(significand, 1 << (width - 1)), (1 << width) - 1)
                negative = int(self.total > 0)
                exponent = length - 1 - self.UNIT + 127 + int(rng.choice([0, 0, 0, 0, 1, -1]))
            case 2:  # all of one sign, so that the sum grows
                negative = self.level & 1
            case 3:  # far apart: only the rounding's sticky bit sees some
                exponent = self.level + int(rng.choice([-27, -26, -25, -24, -23, -2, 0, 23, 24, 25, 26, 27]))
            case 4:  # few bits, so that ties come up
                significand = 1 << (width - 1) | int(rng.integers(2)) << (width - 2) | int(rng.integers(2))
                exponent = self.level + int(rng.integers(-26, 3))
            case _:
                if rng.random() < 0.3:
                    significand = 0
        if significand == 0:
            return 0, negative, 0
        return significand, negative, min(max(exponent, self.least), self.most)

    def add(self, significand: int, negative: int, exponent: int, nan: bool) -> None:
        self.nan |= nan
        if self.infinite:
            return
        # A zero term has exponent 0, which means nothing then.
        shift = exponent - 127 - (self.config.term_bits - 1) + self.UNIT if significand else 0
        assert shift >= 0
        total = self.total + (-1 if negative else 1) * (significand << shift)
        self.bits = float32_bits(total, -self.UNIT)
        self.total = 0 if self.infinite else _fixed(self.bits, self.UNIT)


def _fixed(bits: int, unit: int) -> int:
    """A finite float32 in units of 2^-unit."""
    value = Fraction(float(np.uint32(bits).view(np.float32))) * 2**unit
    assert value.denominator == 1
    return value.numerator


STREAMS, TERMS = 100, 60


@pytest.mark.parametrize("config", CONFIGS, ids=CONFIG_IDS)
def test_streams_of_terms(config: MacConfig) -> None:
    """Each sum, rounded once from its exact value, shows `loop_stages` cycles after its term."""
    rng = generator()
    streams = [Stream(config, rng) for _ in range(STREAMS)]
    steps: list[dict[str, Any]] = []
    expected: dict[int, list[tuple[int, bool, bool]]] = {}
    begins = rng.random((TERMS + 1, STREAMS)) < 0.05
    begins[0] = True
    seen: set[str] = set()
    for number in range(TERMS):
        first, last = begins[number], begins[number + 1]
        for stream, begin in zip(streams, first, strict=True):
            if begin:
                stream.begin()
        nan = rng.random(STREAMS) < 0.003
        terms = [stream.next_term() for stream in streams]
        for stream, term, is_nan in zip(streams, terms, nan, strict=True):
            stream.add(*term, bool(is_nan))
            seen |= kinds_of(stream)
        steps.append(inputs(config, terms, nan, first, last, valid=True))
        # A term every `loop_stages` cycles at most, and sometimes later; where it has many, it is held until then, and
        # one more clears the accumulator after a dot product.
        for _ in range(config.loop_stages - 1 + int(rng.random() < 0.2 or config.float32_steps)):
            if config.float32_steps:
                steps.append(steps[-1] | {"valid": np.array([0])})
                continue
            junk = [stream.next_term() for stream in streams]
            flags = rng.random((3, STREAMS)) < 0.5
            steps.append(inputs(config, junk, *flags, valid=False))
        expected[number] = [(s.bits, s.nan, s.infinite) for s in streams]
    for _ in range(config.loop_stages):
        steps.append(steps[-1] | {"valid": np.array([0])})
    outputs = run(float32_accumulator(config), before_first(config, STREAMS) + steps, STREAMS, simulated=120)
    outputs = outputs[len(outputs) - len(steps) :]
    taken = [cycle for cycle, step in enumerate(steps) if step["valid"][0]]
    complete = {cycle + config.loop_stages: begins[number + 1] for number, cycle in enumerate(taken)}
    for cycle, found in enumerate(outputs):
        assert (found["complete"] == complete.get(cycle, False)).all()
    for number, cycle in enumerate(taken):
        found = outputs[cycle + config.loop_stages]
        bits, nans, infinite = (np.array(column) for column in zip(*expected[number], strict=True))
        np.testing.assert_array_equal(found["nan"], nans, err_msg=f"term {number}")
        np.testing.assert_array_equal(found["value"], bits, err_msg=f"term {number}")
        np.testing.assert_array_equal(found["infinite"], infinite, err_msg=f"term {number}")
    wanted = {"zero", "normal"} | ({"subnormal", "infinity", "negative zero"} if config.beyond_float32 else set())
    assert seen >= wanted, "the streams reach everything"


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.float32_steps], ids=lambda config: config.name)
def test_every_distance(config: MacConfig) -> None:
    """Two terms make an accumulator with bits in all its places; a third one is added at each distance of exponents
    until long after nothing but the sticky bit is left, of either sign, with the significands at both ends."""
    rng = generator()
    width, level = config.term_bits, 127
    ends = [1 << (width - 1), (1 << width) - 1, (1 << (width - 1)) | 1]
    cases = [
        ((a, 0, level), (b, sign, level - lower), (c, other, level + distance))
        for a, b, c in product(ends, ends, [*ends, int(rng.integers(1 << (width - 1), 1 << width))])
        for sign, other, lower in product((0, 1), (0, 1), (24 - width, 1))
        for distance in range(-32, 33)
    ]
    streams = [Stream(config, rng) for _ in cases]
    for stream in streams:
        stream.begin()
    steps = before_first(config, len(cases))
    for number in range(3):
        terms = [case[number] for case in cases]
        for stream, term in zip(streams, terms, strict=True):
            stream.add(*term, nan=False)
        for wait in range(config.loop_stages):
            none, first = np.zeros(len(cases), int), np.full(len(cases), number == 0)
            steps.append(inputs(config, terms, none, first, none, valid=wait == 0))
    outputs = run(float32_accumulator(config), [*steps, steps[-1]], len(cases), simulated=100)
    np.testing.assert_array_equal(outputs[-1]["value"], [stream.bits for stream in streams])


def before_first(config: MacConfig, count: int) -> list[dict[str, Any]]:
    """The cycle after reset, before which no term can have come through a unit."""
    none = np.zeros(count, int)
    return [inputs(config, [(0, 0, 0)] * count, none, none, none, valid=False)]


def inputs(
    config: MacConfig,
    terms: list[tuple[int, int, int]],
    nan: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    *,
    valid: bool,
) -> dict[str, Any]:
    significand, negative, exponent = (np.array(column) for column in zip(*terms, strict=True))
    term = {
        "significand": significand,
        "negative": negative,
        "exponent": exponent & ((1 << config.normal_exponent_bits) - 1),
        "nan": nan.astype(int),
    }
    return {"term": term, "valid": np.array([int(valid)]), "first": first.astype(int), "last": last.astype(int)}


def kinds_of(stream: Stream) -> set[str]:
    field, fraction = (stream.bits >> 23) & 255, stream.bits & 0x7FFFFF
    if stream.infinite:
        return {"infinity"}
    if field:
        return {"normal"}
    if fraction:
        return {"subnormal"}
    return {"negative zero" if stream.bits else "zero"}


def test_the_reference_rounds_as_fractions_do() -> None:
    """The sums above are rounded in integers; the plainest arithmetic there is agrees."""
    rng = generator()
    for _ in range(3000):
        power = int(rng.choice([-150, -140, -126, 0, 96]) + rng.integers(-12, 3))
        value = int(rng.integers(1 << 30)) - (1 << 29)
        exact = Fraction(value) * Fraction(2) ** power
        last = Fraction(2) ** max(abs(value).bit_length() + power - 24, -149)
        rounded = round(exact / last) * last  # ties to even
        found = float32_bits(value, power)
        assert Fraction(float(np.uint32(found).view(np.float32))) == rounded
        assert found >> 31 == (value < 0)


WIDE = MacConfig("MXFP4", "MXFP4", lanes=8)


def exactly(values: list[float]) -> list[int]:
    """Bits after each of `values` (one or two bits each, any float64 exponent) has been added by the accumulator."""
    steps = []
    for number, value in enumerate(values):
        mantissa, power = np.frexp(abs(value))
        significand = int(mantissa * (1 << WIDE.term_bits))
        assert significand * 2.0 ** (int(power) - WIDE.term_bits) == abs(value)
        term = (significand, int(value < 0), int(power) - 1 + 127 if value else 0)
        none, first = np.zeros(1, int), np.array([number == 0])
        steps += [inputs(WIDE, [term], none, first, none, valid=valid) for valid in (True, False)]
    steps.append(steps[-1])
    return [int(output["value"][0]) for output in run(float32_accumulator(WIDE), steps, 1)[2::2]]


def test_infinity_stays() -> None:
    """Whatever finite term follows: also one that would cancel it."""
    assert exactly([2.0**127, 2.0**127, -(2.0**128), -(2.0**200), 1.0]) == [0x7F000000] + [0x7F800000] * 4
    assert exactly([-(2.0**130), 2.0**130, 0.0]) == [0xFF800000] * 3


def test_zeros() -> None:
    """x - x and a zero term are +0; a sum below half of the least subnormal leaves zero with its sign."""
    assert exactly([1.5, -1.5, 0.0]) == [0x3FC00000, 0, 0]
    assert exactly([-(2.0**-151), 0.0]) == [0x80000000, 0]
    assert exactly([2.0**-151, -(2.0**-151), -(2.0**-151)]) == [0, 0x80000000, 0x80000000]
    assert exactly([-0.0]) == [0]


def test_subnormals() -> None:
    """Ties about the least subnormal, and the step from the largest subnormal to the least normal."""
    assert exactly([2.0**-150, 1.5 * 2.0**-150, 2.0**-149]) == [0, 1, 2]
    assert exactly([2.0**-126, -(2.0**-149), 2.0**-149]) == [0x00800000, 0x007FFFFF, 0x00800000]
    assert exactly([2.0**-126, -(2.0**-150), -(2.0**-149)]) == [0x00800000, 0x00800000, 0x007FFFFF]
