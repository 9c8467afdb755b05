"""Directed corner cases of a MAC unit: the dot products that lie at the edges of its contract."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from amxfp4.golden.formats import (
    ELEMENT_SIGN,
    NEGATIVE_HALVED,
    NEGATIVE_SPECIAL,
    NEGATIVE_ZERO,
    POSITIVE_HALVED,
    BlockFormat,
    ScaleFormat,
)
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.stimuli.dots import DotProduct, dot_product, random_dot, window_ends

Rng = np.random.Generator
Corner = Callable[[MacConfig, Rng], Iterator[DotProduct]]

_HALF, _FOUR, _SIX, _MINUS_SIX = 1, 6, 7, 15
_POWERS = (1, 2, 4, 6)
"""Element codes of 1/2, 1, 2 and 4."""


def nan_scale(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Every NaN code, on every scale, in the first, a middle and the last block. A clean dot product follows each."""
    for operand, fmt in enumerate(config.formats):
        for place, code, block in product(range(fmt.scales_per_block), fmt.scale.nan_codes, range(3)):
            scales = [np.tile(_one(f.scale), (3, f.scales_per_block)) for f in config.formats]
            scales[operand][block, place] = code
            codes = rng.integers(16, size=(2, 3, config.block_size))
            yield dot_product(f"NaN code {code:#x} on scale {place}", config, *codes, *scales)
            yield random_dot(config, 1, rng)


def zero_scale(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Scale code 0, which is zero for FP8 and 2^-127 for E8M0, on every choice of scales."""
    for zeros in product((0, 1), repeat=sum(f.scales_per_block for f in config.formats)):
        ones = [_one(f.scale) for f in config.formats for _ in range(f.scales_per_block)]
        scales = np.split(np.where(zeros, 0, ones), [config.formats[0].scales_per_block])
        yield dot_product("zero scales", config, *_codes(config, rng), *scales)


def subnormal_scale(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """The smallest scale codes, multiplied with each other and with ordinary ones."""
    for a, w in product(range(5), repeat=2):
        yield dot_product("smallest scales", config, *_codes(config, rng), a, w)
    for code in range(9):
        yield dot_product("small activation scales", config, *_codes(config, rng), code, _one(config.formats[1].scale))
        yield dot_product("small weight scales", config, *_codes(config, rng), _one(config.formats[0].scale), code)


def largest_scale(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """The largest scales: with the largest elements of every pair of signs, then with any elements."""
    a, w = (f.scale.max_code for f in config.formats)
    for (a_code, a_asymmetry), (w_code, w_asymmetry) in product(*(_largest(f) for f in config.formats)):
        what = "largest scales and elements"
        yield dot_product(what, config, a_code, w_code, a, w, a_asymmetry=a_asymmetry, w_asymmetry=w_asymmetry)
    for _ in range(4):
        yield dot_product("largest scales", config, *_codes(config, rng), a, w)


def opposite_extremes(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Blocks with the largest scales beside blocks with the smallest, in either order and on either operand."""
    (a_low, a_high), (w_low, w_high) = ((0 if not f.scale.is_fp8 else 1, f.scale.max_code) for f in config.formats)
    for order in ([0, 1], [1, 0], [0, 1, 0], [1, 0, 1, 0, 0]):
        pick = np.array(order)[:, None]
        for a_scales, w_scales in (
            (np.where(pick, a_high, a_low), np.where(pick, w_high, w_low)),
            (np.where(pick, a_high, a_low), np.where(pick, w_low, w_high)),
        ):
            yield dot_product("opposite extremes", config, *_codes(config, rng, len(order)), a_scales, w_scales)
    for a_code, w_code in ((_SIX, 1), (1, _MINUS_SIX), (9, 1), (1, 9)):
        codes = np.where(np.array([[1], [0]]), a_code, 1), np.where(np.array([[1], [0]]), w_code, 1)
        yield dot_product("largest beside smallest", config, *codes, [[a_high], [a_low]], [[w_high], [w_low]])
    # The two scales of one block at opposite ends.
    sides = [[f.scale.max_code, 1][: f.scales_per_block] for f in config.formats]
    for a_turn, w_turn in product((1, -1), repeat=2):
        yield dot_product(
            "sides at opposite extremes", config, *_codes(config, rng), sides[0][::a_turn], sides[1][::w_turn]
        )


def one_sided(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Blocks without negative, or without positive elements. The scale of the empty side differs, or is 0."""
    for a_sign, w_sign in product((0, 8), repeat=2):
        a_codes, w_codes = _codes(config, rng, 2)
        a_scales, w_scales = (
            rng.integers(f.scale.max_code // 3, f.scale.max_code // 2, (2, f.scales_per_block)) for f in config.formats
        )
        yield dot_product("one-sided", config, a_codes & 7 | a_sign, w_codes & 7 | w_sign, a_scales, w_scales)
        if config.formats[0].asymmetric:
            a_scales[:, 0 if a_sign else 1] = 0
        yield dot_product(
            "one-sided, other side 0", config, a_codes & 7 | a_sign, w_codes & 7 | w_sign, a_scales, w_scales
        )
        yield dot_product("one activation side", config, a_codes & 7 | a_sign, w_codes, a_scales, w_scales)
        yield dot_product("one weight side", config, a_codes, w_codes & 7 | w_sign, a_scales, w_scales)


def asymmetry_codes(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Every asymmetry code of both operands, with ordinary, smallest, largest, zero and NaN scales; then in turn."""
    for a_code, w_code in product(*(range(f.asymmetry_codes) for f in config.formats)):
        scales = [[_one(f.scale), 1, f.scale.max_code, 0, f.scale.nan_code] for f in config.formats]
        for a, w in zip(*scales, strict=True):
            codes = _codes(config, rng)
            yield dot_product("asymmetry codes", config, *codes, a, w, a_asymmetry=a_code, w_asymmetry=w_code)
    a_order, w_order = (rng.integers(f.asymmetry_codes, size=(8, 1)) for f in config.formats)
    codes, ones = _codes(config, rng, 8), (_one(f.scale) for f in config.formats)
    yield dot_product("asymmetry codes in turn", config, *codes, *ones, a_asymmetry=a_order, w_asymmetry=w_order)


def special_values(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Each special value on each side: beside every code of the other operand, alone in each place, cancelling."""
    ones = [_one(f.scale) for f in config.formats]
    for operand, fmt in enumerate(config.formats):
        for asymmetry in range(fmt.asymmetry_codes) if fmt.specials else ():
            yield from _special(config, rng, operand, asymmetry, ones)
    if all(f.specials for f in config.formats):
        for a, w in product(*(range(f.asymmetry_codes) for f in config.formats)):
            alternating = np.where(np.arange(config.block_size) % 2, NEGATIVE_ZERO, 0)[None]
            for w_codes in (NEGATIVE_ZERO, alternating, alternating[:, ::-1]):
                what = "special values on both operands"
                yield dot_product(what, config, alternating, w_codes, *ones, a_asymmetry=a, w_asymmetry=w)


def _special(config: MacConfig, rng: Rng, operand: int, asymmetry: int, ones: list[int]) -> Iterator[DotProduct]:
    """One special value of one operand. The other operand's asymmetry code is any."""

    def made(what: str, mine: np.ndarray, others: np.ndarray, codes: np.ndarray | int) -> DotProduct:
        other = rng.integers(config.formats[1 - operand].asymmetry_codes, size=(len(others), 1))
        (a, a_code), (w, w_code) = [(mine, codes), (others, other)][:: -1 if operand else 1]
        return dot_product(what, config, a, w, *ones, a_asymmetry=a_code, w_asymmetry=w_code)

    size, lanes = config.block_size, config.lanes
    for code in range(16):
        yield made(
            "special value times each code", np.full((1, size), NEGATIVE_ZERO), np.full((1, size), code), asymmetry
        )
    alone = np.zeros((lanes, size), int)
    alone[np.arange(lanes), np.arange(lanes) + lanes * rng.integers(config.beats_per_block, size=lanes)] = NEGATIVE_ZERO
    yield made("special value in each lane", alone, rng.integers(1, 8, size=(lanes, size)), asymmetry)
    codes = rng.choice([0, _SIX, NEGATIVE_ZERO, _MINUS_SIX], size=(1, size))
    other = rng.integers(1, 8, size=(1, size))
    both_sides = np.array([[asymmetry], [asymmetry ^ NEGATIVE_SPECIAL]])
    negated = np.where(codes & 7, codes ^ ELEMENT_SIGN, codes)
    yield made("special values that cancel", np.concatenate([codes, negated]), np.tile(other, (2, 1)), both_sides)


def zero_blocks(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """All-zero blocks alone, before, between and after others, and with the largest scales."""
    a, w = (f.scale.max_code for f in config.formats)
    yield dot_product("all zero", config, 0, 0, _one(config.formats[0].scale), _one(config.formats[1].scale))
    yield dot_product("all zero, largest scales", config, 0, 0, a, w)
    for zero in ([0], [2], [1], [0, 1, 2]):
        a_codes, w_codes = _codes(config, rng, 3)
        a_codes[zero] = 0
        yield dot_product("some blocks zero", config, a_codes, w_codes, _one(config.formats[0].scale), w // 2)


def negative_zeros(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Element code 8, negative zero, counts as 0 whatever it is multiplied with, or is the special value 8."""
    for a_codes, w_codes in ((8, 8), (8, 0), (0, 8), (8, _SIX), (_MINUS_SIX, 8)):
        yield dot_product("negative zeros", config, a_codes, w_codes, *(_one(f.scale) for f in config.formats))
    mixed = rng.choice([0, 8, 8, 1, 15], size=(2, 2, config.block_size))
    yield dot_product("some negative zeros", config, *mixed, *(f.scale.max_code // 2 for f in config.formats))


def one_block(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Dot products of one block, one after another and between longer ones."""
    for blocks in (1, 1, 1, 1, 2, 1, 3, 1):
        yield random_dot(config, blocks, rng)


def ties(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Sums half-way between an even and an odd float32, exactly or but for the least bit, up to a carry out."""
    top = 12 if any(f.scale.name == "E4M3" for f in config.formats) else 8
    one, half, quarter, tiny = (top - 23 - n for n in (0, 1, 2, 5))  # of the last place of 2^top
    sums = (
        [(top, 1), (half, 1)],
        [(top, 1), (one, 1), (half, 1)],
        [(top, 1), (half, 1), (tiny, 1)],
        [(top, 1), (half, 1), (tiny, -1)],
        [(top, 1), (one, 1), (half, 1), (tiny, -1)],
        [(top, 1), (half, 1), (quarter, 1)],
        [(top, 1), (quarter, 1), (tiny, 1)],
        [(top, 1), (one + 1, 1), (one, 1), (half, 1), (tiny, 1)],
        [(tiny, 1), (half, 1), (top, 1)],
        [(top + 1, 1), (one, 1), (half, 1)],
        # 2^top less a quarter of its last place is a tie in the binade below. It rounds up, and carries through all
        # places.
        [(top, 1), (quarter, -1)],
        [(top, 1), (quarter, -1), (tiny, -1)],
        [(top, 1), (quarter, -1), (tiny, 1)],
    )
    for sign, powers in product((1, -1), sums):
        yield _powers(config, rng, "tie", powers, sign)


def beyond_float32(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Both infinities and what follows them; subnormal sums; underflow to either zero, and back."""
    high, huge = 127, 130
    low = max(-149, sum(_exponents(f.scale)[0] for f in config.formats) + 2)
    normal = max(-126, low)
    cases = [
        ("largest binade", [(high, 1)]),
        ("to infinity in two steps", [(high, 1), (high, 1)]),
        ("infinity stays", [(high, 1), (high, 1), (high, -1)]),
        ("infinity stays whatever the term", [(huge, 1), (huge, -1)]),
        ("back from the largest binade", [(high, 1), (high, -1), (high, 1)]),
        ("almost infinity", [(high, 1), (high - 1, 1), (high - 24, 1)]),
        ("to infinity by rounding", [(high, 1), (high - 24, -1), (high, 1)]),
        ("to infinity at once", [(huge, 1)]),
        ("infinity, then little", [(huge, 1), (low, -1)]),
    ]
    for e in range(low - 4, low + 3):
        cases += [
            ("underflow", [(e, 1)]),
            ("underflow, then a sum", [(e, 1), (low, 1), (e, -1)]),
            ("underflow, then its negative", [(e, 1), (e, -1)]),
            ("underflow, then zero, then more", [(e, 1), (low, 1), (low, -1), (e, 1)]),
        ]
    for e in (normal, normal - 1, normal - 2):
        cases += [
            ("about the smallest normal", [(e, 1), (low, -1), (low - 1, 1)]),
            ("subnormal sum", [(e, 1), (e - 4, 1), (low, 1)]),
        ]
    for sign, (what, powers) in product((1, -1), cases):
        yield _powers(config, rng, what, powers, sign)
    for scales in (0, 1, 2, 63, 64, 65):
        yield dot_product("small scales", config, *_codes(config, rng, 2), scales, scales % 3)
    a, w = (f.scale.max_code for f in config.formats)
    nan = config.formats[0].scale.nan_code
    yield dot_product("infinity, then NaN", config, _SIX, _SIX, [[a], [nan]], w)
    yield dot_product("NaN, then infinity", config, _SIX, _SIX, [[nan], [a]], w)


def overflow(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """The exact accumulator up to its last value and one step further, in either direction.

    Overflow stays until the dot product ends, it is judged on whole blocks only, and NaN hides it.
    """
    a, w = (f.scale for f in config.formats)
    tops = _exponents(a)[1], _exponents(w)[1]
    # With elements of 4 on both sides a block's sum is a power of two, so that whole blocks fill the accumulator.
    block = 4 + sum(tops) + int(np.log2(config.block_size)) - config.lsb_exponent
    count = 1 << (_accumulator_bits(config) - 1 - block)
    scales = _power_code(a, tops[0]), _power_code(w, tops[1])
    for sign in (0, 8):
        for blocks in (count - 1, count, count + 1):
            codes = np.full((blocks, 1), _FOUR | sign)
            yield dot_product(f"{blocks} of {count} blocks to the limit", config, codes, _FOUR, *scales)
        yield _past_the_limit(config, count, sign, scales)
        there, back = (np.full((count + 1, 1), _FOUR | s) for s in (sign, sign ^ 8))
        yield dot_product("past the limit and back", config, np.concatenate([there, back]), _FOUR, *scales)
        yield _past_the_limit_within(config, count, sign, scales)
        a_scales = np.full((count + 2, 1), scales[0])
        a_scales[-1] = a.nan_code
        for order in (1, -1):
            yield dot_product("past the limit, with a NaN", config, _FOUR | sign, _FOUR, a_scales[::order], scales[1])
    for _ in range(6):
        yield random_dot(config, 1, rng)
        yield dot_product("largest scales", config, *_codes(config, rng, 6), a.max_code, w.max_code)


def _past_the_limit_within(config: MacConfig, count: int, sign: int, scales: tuple[int, int]) -> DotProduct:
    """One block less than reaches the limit, then a block whose first half passes it and whose second half comes back.

    Of the sums by sign pair, those of positive activations are added first.
    """
    a_codes, w_codes = (np.full((count, config.block_size), _FOUR) for _ in range(2))
    a_codes[-1] = w_codes[-1] = _SIX
    a_codes[-1, config.block_size // 2 :] |= 8
    return dot_product("past the limit within a block", config, a_codes, w_codes | sign, *scales)


def _past_the_limit(config: MacConfig, count: int, sign: int, scales: tuple[int, int]) -> DotProduct:
    """`count` blocks, which reach the limit, then the smallest product there is."""
    a_codes, w_codes = (np.full((count + 1, config.block_size), _FOUR) for _ in range(2))
    a_scales, w_scales = (np.full((count + 1, 1), scale) for scale in scales)
    for codes in (a_codes, w_codes):
        codes[-1] = 0
        codes[-1, 0] = _HALF
    a_scales[-1] = w_scales[-1] = 1
    halved = np.zeros((2, count + 1, 1), int)
    for operand, fmt in enumerate(config.formats):
        halved[operand, -1] = POSITIVE_HALVED | NEGATIVE_HALVED if fmt.halving else 0
    return dot_product(
        "past the limit by the least bit",
        config,
        a_codes | sign,
        w_codes,
        a_scales,
        w_scales,
        a_asymmetry=halved[0],
        w_asymmetry=halved[1],
    )


def window_low_end(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Terms that lie at the window's low end, partly under it or wholly: what is left out of each goes downwards."""
    low, high = window_ends(config)
    for level in range(low - config.plan.term.bits - 2, low + 2):
        for sign in (0, 8):
            yield dot_product("least product", config, *_single(config, _HALF | sign), *_level(config, level, rng))
        yield dot_product("at the low end", config, *_codes(config, rng, 3), *_level(config, level, rng))
    for level, sign in product((low - 1, low - 3, low - 60), (0, 8)):
        a, w = _level(config, level, rng)
        codes = np.tile(_single(config, _SIX | sign)[0], (5, 1))
        yield dot_product("five times a part of a bit", config, codes, _SIX, a, w)
        # The large blocks cancel, and what is left is what the small ones between them gave.
        large = _level(config, high, rng)
        mixed = [np.full((5, 1), small) for small in (a, w)]
        codes = np.full((5, config.block_size), _SIX | sign)
        codes[4] ^= 8
        for codes_of, scale in zip(mixed, large, strict=True):
            codes_of[[0, 4]] = scale
        yield dot_product("parts of a bit between large blocks", config, codes, _SIX, *mixed)


def window_high_end(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Scales at the window's high end and above it, with the largest sums, the smallest, and none."""
    _, high = window_ends(config)
    for level in (high - 1, high, high + 1, high + 2, high + 70):
        scales = _level(config, level, rng)
        for sign in (0, 8):
            yield dot_product("largest block at the high end", config, _SIX | sign, _SIX, *scales)
            yield dot_product("least product at the high end", config, *_single(config, _HALF | sign), *scales)
        yield dot_product("nothing at the high end", config, 0, _SIX, *scales)
        yield dot_product("at the high end", config, *_codes(config, rng), *scales)
        a_codes, w_codes = _single(config, _HALF)
        a_codes[0, -1] = _HALF | 8
        yield dot_product("cancelling at the high end", config, a_codes, w_codes, *scales)
        # Overflow of the first block, a middle one or the last stays until the dot product ends.
        for place in range(3):
            placed = [np.full((3, 1), ordinary) for ordinary in _level(config, high - 20, rng)]
            for codes_of, scale in zip(placed, scales, strict=True):
                codes_of[place] = scale
            yield dot_product("one block at the high end", config, *_codes(config, rng, 3), *placed)
            yield random_dot(config, 1, rng)


def window_overflow(config: MacConfig, rng: Rng) -> Iterator[DotProduct]:
    """Totals up to the window's last value and one step further, in either direction. NaN hides overflow."""
    low, high = window_ends(config)
    # With elements of 4 on both sides a block's sum is a power of two, so that whole blocks fill the window.
    block = 4 + high + int(np.log2(config.block_size)) - config.lsb_exponent
    count = 1 << (_accumulator_bits(config) - 1 - block)
    tops, bottoms = _level(config, high, rng), _level(config, low, rng)
    for sign in (0, 8):
        for blocks in (count - 1, count, count + 1):
            codes = np.full((blocks, 1), _FOUR | sign)
            yield dot_product(f"{blocks} of {count} blocks to the limit", config, codes, _FOUR, *tops)
        for last in (0, 8):  # the least bit, away from the limit and back
            codes = np.full((count + 1, config.block_size), _FOUR | sign)
            codes[-1] = _single(config, _HALF | last)[0]
            scales = [np.full((count + 1, 1), top) for top in tops]
            for codes_of, bottom in zip(scales, bottoms, strict=True):
                codes_of[-1] = bottom
            w_codes = np.full_like(codes, _FOUR)
            w_codes[-1] = _HALF
            yield dot_product("the limit and the least bit", config, codes, w_codes, *scales)
        codes = np.concatenate([np.full((count + 1, 1), _FOUR | s) for s in (sign, sign ^ 8)])
        yield dot_product("past the limit and back", config, codes, _FOUR, *tops)
        a_scales = np.full((count + 2, 1), tops[0])
        a_scales[-1] = config.formats[0].scale.nan_code
        for order in (1, -1):
            yield dot_product("past the limit, with a NaN", config, _FOUR | sign, _FOUR, a_scales[::order], tops[1])
    for _ in range(6):
        yield random_dot(config, 1, rng)


def _single(config: MacConfig, code: int) -> tuple[np.ndarray, int]:
    """Activations that are 0 but for the first, and weights that are all the least element."""
    codes = np.zeros((1, config.block_size), np.int64)
    codes[0, 0] = code
    return codes, _HALF


def _level(config: MacConfig, level: int, rng: Rng) -> tuple[int, int]:
    """Scale codes whose product is 2^level, or the nearest to it that the formats have."""
    (a_low, a_high), (w_low, w_high) = (_exponents(f.scale) for f in config.formats)
    # FP8 scales stay normal, so that their significands have as many zeros below as their mantissas have bits.
    lows = [low + f.scale.mantissa_bits for low, f in zip((a_low, w_low), config.formats, strict=True)]
    level = max(lows[0] + lows[1], min(level, a_high + w_high))
    a = int(rng.integers(max(lows[0], level - w_high), min(a_high, level - lows[1]) + 1))
    return _power_code(config.formats[0].scale, a), _power_code(config.formats[1].scale, level - a)


def corners(config: MacConfig) -> dict[str, Corner]:
    """The corner cases that this config has, by name."""
    cases = [
        nan_scale, zero_scale, subnormal_scale, largest_scale, opposite_extremes, one_sided, zero_blocks,
        negative_zeros, one_block, ties,
    ]  # fmt: skip
    if any(f.has_asymmetry_code for f in config.formats):
        cases.append(asymmetry_codes)
    if any(f.specials for f in config.formats):
        cases.append(special_values)
    if config.plan.scales.wide:
        cases.append(beyond_float32)
    if config.windowed:
        cases += [window_low_end, window_high_end, window_overflow]
    if config.exact and _accumulator_bits(config) < config.default_accumulator_bits:
        cases.append(overflow)
    return {case.__name__: case for case in cases}


def _accumulator_bits(config: MacConfig) -> int:
    assert config.accumulator_bits is not None
    return config.accumulator_bits


def _codes(config: MacConfig, rng: Rng, blocks: int = 1) -> tuple[np.ndarray, np.ndarray]:
    a, w = rng.integers(16, size=(2, blocks, config.block_size))
    return a, w


def _largest(fmt: BlockFormat) -> list[tuple[int, int]]:
    """Code and asymmetry code of the largest element of each side, and of each special value."""
    if fmt.specials:
        return [(NEGATIVE_ZERO, asymmetry) for asymmetry in range(fmt.asymmetry_codes)]
    return [(_SIX, 0), (_MINUS_SIX, 0)]


def _power_code(scale: ScaleFormat, exponent: int) -> int:
    """The code of 2^exponent."""
    return int(np.flatnonzero(scale.values == 2.0**exponent)[0])


def _one(scale: ScaleFormat) -> int:
    return _power_code(scale, 0)


def _exponents(scale: ScaleFormat) -> tuple[int, int]:
    """The smallest and the largest power of two among the scale's values, as exponents."""
    smallest = np.nanmin(scale.values[scale.values > 0])
    return int(np.log2(smallest)), int(np.log2(scale.max_value))


def _powers(config: MacConfig, rng: Rng, what: str, powers: list[tuple[int, int]], sign: int = 1) -> DotProduct:
    """A dot product of powers of two: for each (e, s) of `powers` a block with one product, sign * s * 2^e.

    How the exponent and the sign are divided among elements and scales is random, and so is the lane.
    """
    codes = 8 * rng.integers(2, size=(2, len(powers), config.block_size))  # zeros of either sign, where there are two
    codes[[bool(f.specials) for f in config.formats]] = 0
    scales = [rng.integers(f.scale.max_code + 1, size=(len(powers), f.scales_per_block)) for f in config.formats]
    (a_low, a_high), (w_low, w_high) = (_exponents(f.scale) for f in config.formats)
    for block, (exponent, block_sign) in enumerate(powers):
        elements = [int(rng.integers(4)) for _ in range(2)]  # 2^-1 .. 2^2
        while not a_low + w_low <= exponent - sum(elements) + 2 <= a_high + w_high:
            elements = [int(rng.integers(4)) for _ in range(2)]
        rest = exponent - sum(elements) + 2
        a_exponent = int(rng.integers(max(a_low, rest - w_high), min(a_high, rest - w_low) + 1))
        minus = int(rng.integers(2))
        signs = minus, minus ^ (sign * block_sign < 0)
        lane = rng.integers(config.block_size)
        for side, power in enumerate((a_exponent, rest - a_exponent)):
            fmt = config.formats[side]
            codes[side, block, lane] = _POWERS[elements[side]] | 8 * signs[side]
            scales[side][block, signs[side] * fmt.asymmetric] = _power_code(fmt.scale, power)
    return dot_product(what, config, *codes, *scales)
