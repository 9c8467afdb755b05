"""Directed corner cases of a quantiser: the rows of floats that lie at the edges of its contract."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from amxfp4.golden.formats import ALONE_BITS, CUT_LIMIT, ELEMENT_MAGNITUDES, ELEMENT_MAX, HALVING_LIMIT, SPECIAL_LIMIT
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.sim.stimuli.floats import Bits, beside, bits_of, floats, negated, random_bits

Rng = np.random.Generator
Corner = Callable[[QuantizerConfig, Rng], "Iterator[Row]"]

_MIDPOINTS = [(a + b) / 2 for a, b in pairwise(ELEMENT_MAGNITUDES)]
"""The magnitudes from which element codes 1 .. 7 begin, in units of the scale."""


@dataclass(frozen=True)
class Row:
    """Floats to send through a quantiser.

    Attributes:
        what: the row in words, for reports.
        bits: the floats' bits, (blocks, block size).
        tensor_scale: of the tensor that the row is from, a float32; 1 where the config has none.
    """

    what: str
    bits: Bits
    tensor_scale: float = 1.0

    @property
    def reciprocal(self) -> np.float32:
        """What the unit multiplies floats by."""
        return np.float32(1) / np.float32(self.tensor_scale)


def specials(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """NaNs of every kind and infinities in every place of a block, among zeros or anything; then a clean block."""
    one = 1 << config.input_fraction_bits
    inf = 0xFF << config.input_fraction_bits
    sign = 1 << (config.float_bits - 1)
    kinds = [inf, inf | sign, inf | one >> 1, inf | 1, inf | sign | (one - 1)]
    places = range(config.block_size)
    blocks = []
    for index, place in enumerate(places):
        for kind in kinds if index < 2 else [kinds[index % len(kinds)]]:
            block = random_bits(config, rng, (1,))[0] if index % 2 else np.zeros(config.block_size, np.uint32)
            block[place] = kind
            blocks += [block, _plain(config, rng)]
    yield Row("NaN and infinity", np.array(blocks))


def subnormals(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Subnormal inputs, alone and beside normal inputs of the lowest binades."""
    largest = (1 << config.input_fraction_bits) - 1
    shape = (6, config.block_size)
    bits = rng.integers(1, largest + 1, shape, dtype=np.uint32)
    yield Row("subnormal inputs", _signed(config, rng, bits))
    for top in (1, 2, largest // 2, largest, largest + 1):
        block = _signed(config, rng, rng.integers(0, top + 1, shape, dtype=np.uint32))
        block[:, rng.integers(config.block_size)] = top
        yield Row("smallest inputs", block)
    for field in (1, 2, 3, 4, 5):
        mixed = bits.copy()
        mixed[:, ::3] |= field << config.input_fraction_bits
        yield Row("subnormal inputs beside normal ones", _signed(config, rng, mixed))


def zeros(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Blocks of zeros of one sign or both, alone and between other blocks; and negative zeros in one-sided blocks."""
    minus = np.uint32(1 << (config.float_bits - 1))
    zero = np.zeros(config.block_size, np.uint32)
    mixed = _signed(config, rng, zero[None])[0]
    plain = [_plain(config, rng) for _ in range(5)]
    yield Row("zeros", np.array([zero, plain[0], zero | minus, plain[1], mixed, mixed, plain[2], zero]))
    for sign in (0, minus):
        block = (np.array(plain) & ~minus | sign).astype(np.uint32)
        block[:, rng.random(config.block_size) < 0.5] = minus
        yield Row("negative zeros in a one-sided block", block)


def one_sided(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Blocks of one sign, and blocks with a single element of the other sign: large or small, first or last."""
    minus = np.uint32(1 << (config.float_bits - 1))
    for sign in (np.uint32(0), minus):
        base = bits_of(config, rng.uniform(0.01, 8, (2, config.block_size))) | sign
        yield Row("one-sided", base)
        for place, value in product((0, config.block_size - 1), (1e-3, 1.0, 100.0)):
            block = base.copy()
            block[:, place] = bits_of(config, value) | (sign ^ minus)
            yield Row("a single one of the other sign", block)


def maximum_everywhere(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """The largest magnitude in each place of a block, of each sign."""
    for sign in (1, -1):
        values = rng.uniform(-1, 1, (config.block_size, config.block_size))
        np.fill_diagonal(values, sign * rng.uniform(4, 8, config.block_size))
        yield Row("the largest in each place", bits_of(config, values))


def scale_ties(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Maxima on the thresholds of scales, and a step before and after, of each sign."""
    scale = config.block_format.scale
    values = scale.values[: scale.max_code + 1]
    # A block's largest element is at least so many times the scale below where scales are E8M0.
    multiple = {"floor": 8, "even": 7, "ceil": 6}.get(config.rule, ELEMENT_MAX)
    thresholds = ELEMENT_MAX * (values[:-1] + values[1:]) / 2 if scale.is_fp8 else values[1:] / 2 * multiple
    octave = 1 << scale.mantissa_bits
    some = rng.choice(len(thresholds), 16, replace=False)
    codes = {*range(2 * octave + 2), *range(len(thresholds) - octave - 2, len(thresholds)), *some.tolist()}
    rows = []
    for code in sorted(codes):
        maximum = bits_of(config, min(thresholds[code], 1.75 * 2.0**127))
        for step in (-1, 0, 1):
            rows.append(_with_maximum(config, rng, beside(maximum, step)))
    yield Row("maxima at the thresholds of scales", np.array(rows))


def element_ties(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Elements on every threshold and a step before and after, of each sign, under scales of every significand."""
    scale = config.block_format.scale
    octave = 1 << scale.mantissa_bits
    low, middle, high = 1, scale.bias * octave, scale.max_code
    codes = [*range(low, low + 2 * octave), *range(middle, middle + octave), high - octave, high - 3]
    rows = []
    for code in codes:
        s = float(scale.values[code])
        near = np.concatenate([beside(bits_of(config, [t * s for t in _MIDPOINTS]), step) for step in (-1, 0, 1)])
        near = near[near < 0xFF << config.input_fraction_bits]
        top = bits_of(config, ELEMENT_MAX * s)
        for sign in (0, 1):
            block = rng.choice(near, config.block_size)
            block = np.where(block > top, top, block)  # so that the scale stays `code`
            block[rng.integers(config.block_size)] = top
            block = negated(config, block) if sign else block
            other = negated(config, block[: config.block_size // 4])
            block[: config.block_size // 4] = other
            rows.append(block)
    yield Row("elements at thresholds", np.array(rows))


def underflow(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Sides whose scale rounds to the smallest codes or to zero, beside larger sides and beside empty ones."""
    scale = config.block_format.scale
    least = float(scale.values[scale.values > 0].min())
    rows = []
    for maximum, other in product((2.9, 3.0, 3.1, 3.49, 3.5, 3.51, 5, 6, 9, 1e-3), (0.0, 2.9, 3.0, 3.3, 3.5, 1e6)):
        for sign in (1, -1):
            values = rng.uniform(0, 1, config.block_size) * maximum
            values[rng.integers(1, config.block_size)] = maximum
            values[0] = -other
            rows.append(bits_of(config, sign * values * least))
    yield Row("underflowing scales", np.array(rows))


def largest(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Scales and elements that saturate, up to the largest float there is."""
    scale = config.block_format.scale
    top = np.array((0xFF << config.input_fraction_bits) - 1, np.uint32)
    limit = min(ELEMENT_MAX * scale.max_value, 2.0**127)
    rows = []
    about = [beside(bits_of(config, limit), step) for step in (-1, 0, 1)]
    for maximum in (top, beside(top, -1), *about, bits_of(config, 2e37)):
        rows += [_with_maximum(config, rng, maximum, everywhere) for everywhere in (False, True)]
    yield Row("largest", np.array(rows))


def far_apart(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Magnitudes of any exponent in one block, so that most elements become zero or saturate."""
    for spread in (8, 40, 254):
        field = rng.integers(0, spread + 1, (12, config.block_size)) + rng.integers(0, 255 - spread, (12, 1))
        fraction = rng.integers(0, 1 << config.input_fraction_bits, field.shape)
        bits = field.astype(np.uint32) << config.input_fraction_bits | fraction.astype(np.uint32)
        yield Row("far apart", _signed(config, rng, bits.astype(np.uint32)))


def halving(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """The smaller side's maximum at the limit of halving, and a step before and after, under scales of every kind."""
    scale = config.block_format.scale
    octave = 1 << scale.mantissa_bits
    middle = scale.bias * octave
    codes = [*range(2 * octave), *range(middle, middle + octave), scale.max_code - 1, scale.max_code]
    rows = []
    for code in codes:
        s = float(scale.values[code])
        small = bits_of(config, HALVING_LIMIT * s / 2)
        for step, sign in product((-1, 0, 1), (0, 1)):
            if not s and step < 0:
                continue
            block = random_near(config, rng, s)
            block[1] = bits_of(config, ELEMENT_MAX * s)
            block[rng.integers(2, config.block_size)] = negated(config, beside(small, step))
            rows.append(negated(config, block) if sign else block)
    yield Row("sides at the limit of halving", np.array(rows))


def special_values(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Blocks at the edges of what decides on a special value, a step before and after each, for scales of every kind.

    These are the smaller side at 7 scales and equal to the larger, elements at the threshold of 8, other elements at
    half the largest, and blocks of which all elements are just zero.
    """
    scale = config.block_format.scale
    octave = 1 << scale.mantissa_bits
    middle = scale.bias * octave
    codes = [*range(1, 2 * octave), *range(middle, middle + octave), scale.max_code - 1, scale.max_code]
    edges: dict[str, list[Bits]] = {}
    for code, step, sign in product(codes, (-1, 0, 1), (1, -1)):
        s, below = float(scale.values[code]), float(scale.values[code - 1])
        alone = _cut(12.48 * s)  # nothing is cut off it, so what is no rival yet is as large as can be
        rival = _least_rival(alone)
        for what, largest, own, other in (
            ("smaller side at the limit", 8, 1, SPECIAL_LIMIT),
            ("sides alike", 7.5, 0.3, 7.5),
            ("elements at the least of 8", 8.2, SPECIAL_LIMIT, 1),
            ("the largest element stands just alone", alone / s, rival / s, 2),
            ("it stands just alone of the other side", alone / s, 2, rival / s),
        ):
            block = bits_of(config, rng.uniform(-1, 1, config.block_size) * min(own, other, 5) * s)
            block[0] = bits_of(config, sign * largest * s)
            places = rng.choice(np.arange(1, config.block_size), 2, replace=False)
            block[places] = beside(bits_of(config, np.array([sign * own, -sign * other]) * s), step)
            edges.setdefault(what, []).append(block)
        for special, second in product(config.specials, (0.2, 0.7)):
            tie = special * (s + below) / 2
            block = bits_of(config, rng.uniform(-0.2, 0.2, config.block_size) * tie)
            block[:2] = beside(bits_of(config, sign * tie * np.array([1, second])), step)
            edges.setdefault("scales at ties", []).append(block)
    for what, blocks in edges.items():
        yield Row(what, np.array(blocks))
    yield from _far_beyond(config, rng)
    least = bits_of(config, float(scale.values[1]) / 4)
    blocks = [np.minimum(random_bits(config, rng, (1,))[0], beside(least, step)) for step in (-1, 0, 1)]
    for step, block in zip((-1, 0, 1), blocks, strict=True):
        block[rng.integers(config.block_size)] = beside(least, step)
    yield Row("blocks that are just zero", np.array([*blocks, *(negated(config, block) for block in blocks)]))


def _cut(magnitude: float) -> float:
    """A magnitude cut to `ALONE_BITS` significant bits."""
    unit = _unit(magnitude)
    return float(np.floor(magnitude / unit)) * unit


def _least_rival(largest: float) -> float:
    """The least magnitude that exceeds half of another when both are cut to `ALONE_BITS` bits."""
    half = _cut(largest) / 2
    return half + _unit(half)


def _unit(magnitude: float) -> float:
    """The last of a magnitude's `ALONE_BITS` significant bits."""
    return float(2.0 ** (np.floor(np.log2(magnitude)) + 1 - ALONE_BITS))


def _far_beyond(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Largest elements for which no scale is large enough, others at 9 of the largest scale; and 2^16 and beyond."""
    scale = config.block_format.scale
    nine = bits_of(config, 9 * scale.max_value)
    tops = [beside(bits_of(config, top), step) for top in (2.0**13, CUT_LIMIT, 8 * CUT_LIMIT) for step in (-1, 0, 1)]
    blocks = []
    for top, step, sides in product(tops, (-1, 0, 1), ((1, 1), (1, -1), (-1, 1), (-1, -1))):
        block = bits_of(config, rng.uniform(-5, 5, config.block_size) * scale.max_value)
        second = rng.choice([beside(nine, step), bits_of(config, _value(config, top) * rng.choice([0.5, 1]))])
        for place, bits, sign in zip(
            rng.choice(config.block_size, 2, replace=False), (top, second), sides, strict=True
        ):
            block[place] = bits if sign > 0 else negated(config, bits)
        blocks.append(block)
    yield Row("far beyond the largest scale", np.array(blocks))


def random_near(config: QuantizerConfig, rng: Rng, s: float) -> Bits:
    """A block of magnitudes below three and a half scales, of both signs."""
    return bits_of(config, rng.uniform(-3.4, 3.4, config.block_size) * s)


def tensor_scales(config: QuantizerConfig, rng: Rng) -> Iterator[Row]:
    """Tensor scales that take floats to the thresholds of scales and elements, as near as rounding leads; and the
    least and the largest tensor scale."""
    values = config.block_format.scale.values[: config.block_format.scale.max_code + 1]
    codes = [1, 2, 9, 40, *rng.choice(len(values) - 1, 12, replace=False).tolist(), len(values) - 2]
    thresholds = [ELEMENT_MAX * (values[code] + values[code + 1]) / 2 for code in codes]
    thresholds += [midpoint * values[code] for code, midpoint in zip(codes, _MIDPOINTS * 3, strict=False)]
    for threshold in thresholds:
        values_near = _near(config, rng, threshold * 2.0 ** int(rng.integers(-20, 20)))
        scale = np.float32(floats(config, values_near[:1]).astype(np.float64)[0] / threshold)
        for towards in (0, scale, np.inf):
            yield Row("products at a threshold", values_near[None], float(np.nextafter(scale, np.float32(towards))))
    for exponent in (-126, 126):
        centre = 2.0 ** min(exponent, 120)
        yield Row("an extreme tensor scale", _near(config, rng, centre)[None], 2.0**exponent)
        yield Row("an extreme tensor scale", random_bits(config, rng, (2,)), 2.0**exponent)


def _near(config: QuantizerConfig, rng: Rng, centre: float) -> Bits:
    """A block of both signs, of which the first magnitude is a random one about `centre` and none is larger."""
    first = bits_of(config, centre * rng.uniform(1, 2))
    block = bits_of(config, rng.uniform(-1, 1, config.block_size) * _value(config, first))
    block[0] = first
    return block


def corners(config: QuantizerConfig) -> dict[str, Corner]:
    """The corner cases that this config has, by name."""
    cases: Sequence[Corner] = (
        specials, subnormals, zeros, one_sided, maximum_everywhere, scale_ties, element_ties, underflow, largest,
        far_apart,
    )  # fmt: skip
    if config.block_format.halving:
        cases = (*cases, halving)
    if config.tensor_scale:
        cases = (*cases, tensor_scales)
    if config.block_format.specials:
        cases = (*cases, special_values)
    return {case.__name__: case for case in cases}


def _plain(config: QuantizerConfig, rng: Rng) -> Bits:
    """An ordinary block."""
    return bits_of(config, rng.normal(size=config.block_size))


def _signed(config: QuantizerConfig, rng: Rng, bits: Bits) -> Bits:
    """The magnitudes with random signs."""
    return bits | rng.integers(2, size=bits.shape, dtype=np.uint32) << np.uint32(config.float_bits - 1)


def _with_maximum(config: QuantizerConfig, rng: Rng, maximum: Bits, everywhere: bool = False) -> Bits:
    """A block without a magnitude above `maximum`, which one element of each sign has."""
    block = np.minimum(bits_of(config, rng.uniform(0, 1, config.block_size) * _value(config, maximum)), maximum)
    if everywhere:
        block[:] = maximum
    block = _signed(config, rng, block)
    first, second = rng.choice(config.block_size, 2, replace=False)
    block[first], block[second] = maximum, negated(config, maximum)
    return block


def _value(config: QuantizerConfig, bits: Bits) -> float:
    return float(floats(config, np.asarray([bits]))[0])
