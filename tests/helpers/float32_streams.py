"""Streams of terms for the float32 accumulators, and each sum as integers of any size round it."""

from fractions import Fraction
from typing import Any

import numpy as np

from amxfp4.golden.float32 import float32_bits
from amxfp4.hw.mac.acc_float32 import Float32
from amxfp4.hw.mac.acc_float32_steps import Float32InSteps
from amxfp4.hw.mac.config import MacConfig
from helpers.comb import generator, run

Float32Plan = Float32 | Float32InSteps

# Each scale format, and each combination of the loop's stages and of float32's range.
FLOAT32_CONFIGS = [
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


def plan_of(config: MacConfig) -> Float32Plan:
    """Of the float32 accumulator of a unit."""
    plan = config.plan.accumulator
    assert isinstance(plan, Float32 | Float32InSteps)
    return plan


class Stream:
    """A reference accumulator in units of 2^-`UNIT`, below every term, that also makes up the terms."""

    UNIT = 320

    def __init__(self, plan: Float32Plan, rng: np.random.Generator) -> None:
        self.plan, self.rng = plan, rng
        scale = plan.exponent_offset
        # Of a magnitude's highest bit, biased: as scales and sums can make it.
        self.least = scale + plan.term.scales.exponent_min - (plan.term.bits - 1)
        self.most = scale + plan.term.exponent_max
        self.style, self.level = 0, 127
        self.begin()

    def begin(self) -> None:
        self.total, self.bits, self.nan = 0, 0, False
        self.style = int(self.rng.integers(6))
        if not self.plan.wide:
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
        rng, width = self.rng, self.plan.term.bits
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
        shift = exponent - 127 - (self.plan.term.bits - 1) + self.UNIT if significand else 0
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


def check_streams(plan: Float32Plan) -> None:
    """Each sum, rounded once from its exact value, shows `cycles_per_term` cycles after its term."""
    rng = generator()
    streams = [Stream(plan, rng) for _ in range(STREAMS)]
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
        steps.append(inputs(plan, terms, nan, first, last, valid=True))
        # A term every `cycles_per_term` cycles at most, and sometimes later. In steps, it is held until then, and
        # one more clears the accumulator after a dot product.
        for _ in range(plan.cycles_per_term - 1 + int(rng.random() < 0.2 or isinstance(plan, Float32InSteps))):
            if isinstance(plan, Float32InSteps):
                steps.append(steps[-1] | {"valid": np.array([0])})
                continue
            junk = [stream.next_term() for stream in streams]
            flags = rng.random((3, STREAMS)) < 0.5
            steps.append(inputs(plan, junk, *flags, valid=False))
        expected[number] = [(s.bits, s.nan, s.infinite) for s in streams]
    for _ in range(plan.cycles_per_term):
        steps.append(steps[-1] | {"valid": np.array([0])})
    outputs = run(plan.accumulator(), before_first(plan, STREAMS) + steps, STREAMS, simulated=120)
    outputs = outputs[len(outputs) - len(steps) :]
    taken = [cycle for cycle, step in enumerate(steps) if step["valid"][0]]
    complete = {cycle + plan.cycles_per_term: begins[number + 1] for number, cycle in enumerate(taken)}
    for cycle, found in enumerate(outputs):
        assert (found["complete"] == complete.get(cycle, False)).all()
    for number, cycle in enumerate(taken):
        found = outputs[cycle + plan.cycles_per_term]
        bits, nans, infinite = (np.array(column) for column in zip(*expected[number], strict=True))
        np.testing.assert_array_equal(found["nan"], nans, err_msg=f"term {number}")
        np.testing.assert_array_equal(found["value"], bits, err_msg=f"term {number}")
        np.testing.assert_array_equal(found["infinite"], infinite, err_msg=f"term {number}")
    wanted = {"zero", "normal"} | ({"subnormal", "infinity", "negative zero"} if plan.wide else set())
    assert seen >= wanted, "the streams reach everything"


def before_first(plan: Float32Plan, count: int) -> list[dict[str, Any]]:
    """The cycle after reset, before which no term can have come through a unit."""
    none = np.zeros(count, int)
    return [inputs(plan, [(0, 0, 0)] * count, none, none, none, valid=False)]


def inputs(
    plan: Float32Plan,
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
        "exponent": exponent & ((1 << plan.exponent_bits) - 1),
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
