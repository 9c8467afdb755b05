"""Dot products for a bench: random ones, and the beats and expected results of dot products."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amxfp4.golden import Accumulator, Blocks, Window, dot_detailed
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
from amxfp4.sim.scoreboard import Expected, Result
from amxfp4.sim.stimuli.packing import integers, operand_fields, pack

Codes = ArrayLike
"""Integers that fit into uint8."""


@dataclass(frozen=True)
class DotProduct:
    """One dot product to send through a unit.

    Attributes:
        what: the dot product in words, for reports.
        a, w: the operands, both of shape (1, blocks x block size).
    """

    what: str
    a: Blocks
    w: Blocks


def dot_product(
    what: str,
    config: MacConfig,
    a_codes: Codes,
    w_codes: Codes,
    a_scales: Codes,
    w_scales: Codes,
    *,
    a_asymmetry: Codes = 0,
    w_asymmetry: Codes = 0,
) -> DotProduct:
    """A dot product from codes.

    Args:
        what: the dot product in words.
        config: the unit.
        a_codes, w_codes: element codes, broadcast to (blocks, block size).
        a_scales, w_scales: scale codes, broadcast to (blocks, scales per block).
        a_asymmetry, w_asymmetry: asymmetry codes, broadcast to (blocks, 1). They count only for formats that have some.
    """
    arrays = [np.asarray(x) for x in (a_codes, a_scales, a_asymmetry, w_codes, w_scales, w_asymmetry)]
    blocks = max(x.shape[0] if x.ndim == 2 else 1 for x in arrays)
    a, w = (_blocks(fmt, blocks, *parts) for fmt, parts in zip(config.formats, (arrays[:3], arrays[3:]), strict=True))
    return DotProduct(what, a, w)


def _blocks(
    fmt: BlockFormat,
    blocks: int,
    codes: NDArray[np.integer],
    scales: NDArray[np.integer],
    asymmetry: NDArray[np.integer],
) -> Blocks:
    fields = [np.broadcast_to(scales, (blocks, fmt.scales_per_block))]
    if fmt.has_asymmetry_code:
        fields.append(np.broadcast_to(asymmetry, (blocks, 1)))
    return Blocks.from_codes(
        codes=np.broadcast_to(codes, (blocks, fmt.block_size)).astype(np.uint8).reshape(1, -1),
        scales=np.concatenate(fields, axis=1).astype(np.uint8)[None],
        fmt=fmt,
    )


def to_beats(
    config: MacConfig, dots: Sequence[DotProduct], rng: np.random.Generator
) -> tuple[list[int], list[bool], list[Expected]]:
    """The beats of dot products, in order.

    A unit reads scales in a block's first beat only, and `last` in a block's last beat only. Both are junk in other
    beats.

    Returns:
        The payloads, their `last` bits, and the expected results.
    """
    beats: list[int] = []
    last: list[bool] = []
    expected: list[Expected] = []
    for dot in dots:
        first_beat = len(beats)
        flags = last_flags(dot.a.block_count, config.beats_per_block, rng)
        last += flags.astype(bool).tolist()
        beats += integers(pack(config.beat_layout, beat_fields(config, dot, rng) | {"last": flags}))
        what = f"{dot.what}, {dot.a.block_count} blocks"
        expected.append(Expected(golden_result(config, dot.a, dot.w), what, first_beat, len(beats) - 1))
    return beats, last, expected


def golden_result(config: MacConfig, a: Blocks, w: Blocks) -> Result:
    """What the golden model says of a dot product in a unit, as the unit gives it."""
    accumulator, window = golden_accumulator(config)
    bits = config.accumulator_bits if config.exact else None
    detail = dot_detailed(a, w, accumulator, accumulator_bits=bits, window=window)
    return Result(int(detail.bits[0]), bool(detail.nan[0]), bool(detail.overflow[0]))


def golden_accumulator(config: MacConfig) -> tuple[Accumulator, Window]:
    """A unit's accumulator as the golden model names it, and its window, which counts for a windowed one only."""
    if not config.windowed:
        return ("exact" if config.exact else "fp32"), Window()
    assert config.window_exponent is not None
    assert config.accumulator_bits is not None
    return "window", Window(config.window_exponent, config.accumulator_bits)


def last_flags(blocks: int, beats_per_block: int, rng: np.random.Generator) -> NDArray[np.integer]:
    """`last` of each beat of a dot product: set in the last beat of all, and junk outside a block's last beat."""
    flags = rng.integers(2, size=(blocks, beats_per_block))
    flags[:, -1] = 0
    flags[-1, -1] = 1
    return flags.ravel()


def beat_fields(config: MacConfig, dot: DotProduct, rng: np.random.Generator) -> dict[str, NDArray[np.integer]]:
    """The fields of a dot product's beats, without `last`."""
    return operand_beats(config, "a", dot.a, rng) | operand_beats(config, "w", dot.w, rng)


def operand_beats(
    config: MacConfig, side: str, blocks: Blocks, rng: np.random.Generator
) -> dict[str, NDArray[np.integer]]:
    """The fields of one operand's beats ("a" or "w"). Scales are junk outside a block's first beat."""
    fmt = blocks.fmt
    limits = [1 << fmt.scale.bits] * fmt.scales_per_block + [fmt.asymmetry_codes] * fmt.has_asymmetry_code
    scales = rng.integers(limits, size=(blocks.block_count, config.beats_per_block, fmt.scale_fields))
    scales[:, 0] = blocks.scales[0]
    codes = blocks.codes.reshape(-1, config.lanes)
    return operand_fields(side, fmt, codes, scales.reshape(-1, fmt.scale_fields))


# -- random dot products -----------------------------------------------------------------------------------------


def random_dots(config: MacConfig, beats: int, rng: np.random.Generator) -> list[DotProduct]:
    """At least four dot products of 1 to 7 blocks, of about `beats` beats in all."""
    dots: list[DotProduct] = []
    left = beats
    while left > 0 or len(dots) < 4:
        blocks = int(rng.choice([1, 1, 1, 2, 2, 3, 4, 7]))
        dots.append(random_dot(config, blocks, rng))
        left -= blocks * config.beats_per_block
    return dots


def random_dot(config: MacConfig, blocks: int, rng: np.random.Generator) -> DotProduct:
    """A random dot product. Codes and scales are drawn in one of several styles, so that all kinds of sums come up."""
    a_codes, w_codes = (_random_codes((blocks, config.block_size), fmt, rng) for fmt in config.formats)
    a_scales, w_scales = _random_scales(config, blocks, rng)
    a, w = (rng.integers(fmt.asymmetry_codes, size=(blocks, 1)) for fmt in config.formats)
    dot = dot_product("random", config, a_codes, w_codes, a_scales, w_scales, a_asymmetry=a, w_asymmetry=w)
    if blocks > 1 and rng.random() < 0.25:
        return _cancelling(config, dot, rng)
    return dot


def _cancelling(config: MacConfig, dot: DotProduct, rng: np.random.Generator) -> DotProduct:
    """The dot product with the negative of its first block as its last: the sum cancels, but for blocks in between."""
    codes = [blocks.codes.reshape(-1, config.block_size).copy() for blocks in (dot.a, dot.w)]
    scales = [blocks.scales[0].copy() for blocks in (dot.a, dot.w)]
    for array in (*codes, *scales):
        array[-1] = array[0]
    codes[1][-1], scales[1][-1] = _negated(dot.w.fmt, codes[1][0], scales[1][0])
    if rng.random() < 0.5:
        codes[0][1:-1] = 0
    a, w = (
        Blocks.from_codes(codes=c.reshape(1, -1), scales=s[None], fmt=fmt)
        for c, s, fmt in zip(codes, scales, config.formats, strict=True)
    )
    return DotProduct("random, cancelling", a, w)


def _negated(
    fmt: BlockFormat, codes: NDArray[np.uint8], scales: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The negative of a block: sign bits are inverted, and the sides swap their scales.

    Where negative zero is a special value, that changes its side instead, and zero stays as it is.
    """
    if fmt.specials:
        signs = np.where(codes & 7, ELEMENT_SIGN, 0).astype(np.uint8)
        return codes ^ signs, scales ^ np.array([0, NEGATIVE_SPECIAL], np.uint8)
    if fmt.halving:
        swapped = {0: 0, POSITIVE_HALVED: NEGATIVE_HALVED, NEGATIVE_HALVED: POSITIVE_HALVED}
        asymmetry = int(scales[1])
        scales = np.array([scales[0], swapped.get(asymmetry, asymmetry)], np.uint8)
    else:
        scales = scales[::-1]
    return codes ^ np.uint8(ELEMENT_SIGN), scales


def _random_codes(shape: tuple[int, int], fmt: BlockFormat, rng: np.random.Generator) -> NDArray[np.integer]:
    anything = rng.integers(16, size=shape)
    match rng.integers(6):
        case 0:  # the largest elements, all of one sign within a block
            largest = 7 | 8 * rng.integers(2, size=(shape[0], 1))
            return np.broadcast_to(NEGATIVE_ZERO if fmt.specials else largest, shape)
        case 1:  # one sign
            return anything & 7 | 8 * rng.integers(2)
        case 2:  # mostly zeros, of either sign; with special values zeros and these
            return np.where(rng.random(shape) < 0.1, anything, 8 * rng.integers(2, size=shape))
        case _:
            return anything


def _random_scales(
    config: MacConfig, blocks: int, rng: np.random.Generator
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Scale codes of both operands, so that their products are small, moderate, large, or anything."""
    a_fmt, w_fmt = config.formats
    a = rng.integers(a_fmt.scale.max_code + 1, size=(blocks, a_fmt.scales_per_block))
    w = rng.integers(w_fmt.scale.max_code + 1, size=(blocks, w_fmt.scales_per_block))
    if rng.random() < 0.8:
        # log2 of the product of scales: near the ends of float32's range where E8M0 reaches them, else near those of
        # the window or of the FP8 range.
        lowest, highest = (-148, 122) if config.plan.scales.wide else (-30, 28)
        if config.windowed:
            lowest, highest = window_ends(config)
        target = int(rng.choice([lowest, 0, 0, highest])) + rng.integers(-4, 5, size=(blocks, 1))
        level = target - _log2(a_fmt.scale, a[:, :1])
        a[:, 1:] = np.clip(a[:, 1:] if rng.random() < 0.3 else a[:, :1] + rng.integers(-3, 4), 0, a_fmt.scale.max_code)
        noise = rng.integers(-2, 3, size=w.shape)
        w = np.clip(_code_of(w_fmt.scale, level) + noise, 0, w_fmt.scale.max_code)
    for codes, fmt in ((a, a_fmt), (w, w_fmt)):
        nan = rng.random(codes.shape) < 0.01
        codes[nan] = rng.choice(fmt.scale.nan_codes, size=codes.shape)[nan]
    return a, w


def window_ends(config: MacConfig) -> tuple[int, int]:
    """Of scales that are normal powers of two: the least and the largest log2 of a product of which a windowed unit
    keeps every bit."""
    scales = config.plan.scales
    assert scales.window is not None
    mantissas = sum(scale.mantissa_bits for scale in scales.formats)
    least = scales.window.exponent - scales.products.unit_exponent + mantissas
    return least, least + scales.window.bits - 1 - scales.window.term_bits


def _log2(scale: ScaleFormat, codes: NDArray[np.integer]) -> NDArray[np.integer]:
    """The exponent of the power of two at or below each scale, which is normal."""
    return (codes >> scale.mantissa_bits) - scale.bias


def _code_of(scale: ScaleFormat, exponent: NDArray[np.integer]) -> NDArray[np.integer]:
    """The code of 2^exponent, not clipped to the codes that exist."""
    return (exponent + scale.bias) << scale.mantissa_bits
