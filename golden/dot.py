"""Dot products of quantised tensors, vectorised, with every bit as docs/numerics.md has it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.accumulator import (
    Accumulator,
    check_exact_length,
    least_exponent,
    resolve_accumulator,
)
from amxfp4.golden.arguments import check_type
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.deprecated import takes_accumulate
from amxfp4.golden.fixed import round_limbs
from amxfp4.golden.operands import check_blocks, check_broadcast, check_pair, paired
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import multiplied
from amxfp4.golden.terms import Term, block_terms, nan_blocks
from amxfp4.golden.windowed import DEFAULT_WINDOW, Window, sum_in_window

_LIMB_BITS = 16

_NO_TERM = 900
"""Stands for the exponent of a zero term, which must not limit anything.

It is above every other exponent, and 2**(900 + 52) is still a float64.
"""


@takes_accumulate
@in_own_settings
def dot(
    a: Blocks, w: Blocks, accumulator: Accumulator | None = None, *, window: Window = DEFAULT_WINDOW
) -> NDArray[np.float32]:
    """Dot products of activations `a` and weights `w` over the quantised axis. Their other axes broadcast.

    Args:
        a: the activations.
        w: the weights, of the same length. Where block sizes differ, each larger block counts as several with the same
            scales.
        accumulator: "exact", "fp32" or "window". None takes "exact" when both scales are FP8, otherwise "fp32".
        window: which bits a "window" accumulator keeps.

    Returns:
        float32, of the broadcast shape of the other axes. A result is NaN where a scale is NaN or a "window"
        accumulator overflows, and +0 where the reduction has length 0. Operands with tensor scales multiply the result
        by them (`tensor_scale.multiplied`).

    Raises:
        UsageError: operands that are not Blocks, do not pair up or do not broadcast; an accumulator that does not
            take these formats or, for "exact", more than 2^24 elements; or a window too narrow for these formats.
    """
    check_blocks(a=a, w=w)
    check_type(Window, window=window)
    check_pair(a, w)
    a, w = paired(a, w)
    check_broadcast(a, w)
    accumulator = resolve_accumulator(accumulator, a.fmt, w.fmt)
    terms = block_terms(a, w)
    if accumulator == "exact":
        check_exact_length(a.length)
        result = sum_exactly(terms, least_exponent(a.fmt, w.fmt))
    elif accumulator == "window":
        result = sum_in_window(terms, window, window.largest_exponent(a.fmt, w.fmt))
    else:
        result = sum_in_float32(terms)
    nan = (nan_blocks(a) | nan_blocks(w)).any(axis=-1)
    return np.where(nan, np.float32(np.nan), multiplied(result, a.tensor_scale, w.tensor_scale))


def sum_exactly(terms: Sequence[Term], base: int) -> NDArray[np.float32]:
    """Sum of all terms over blocks, rounded once. Every term is a multiple of 2**base."""
    significand = np.concatenate([term.significand for term in terms], axis=-1)
    exponent = np.concatenate([term.exponent for term in terms], axis=-1)
    total, exact = _sum_in_float64(significand, exponent)
    result = np.array(total, np.float32)
    if not exact.all():
        result[~exact] = _sum_in_limbs(significand[~exact], exponent[~exact] - base, base)
    return result


def _sum_in_float64(
    significand: NDArray[np.int64], exponent: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sums over the last axis, and where they are exact.

    Every term is a multiple of the least unit 2^e among them, and so is every partial sum in any order. No partial sum
    exceeds the sum of magnitudes. If that sum is below 2^53 units, every partial sum is a float64. The computed sum of
    magnitudes may be off by less than a factor of two, hence the limit of 2^52.
    """
    values = np.ldexp(significand.astype(np.float64), exponent)
    least = np.where(significand == 0, _NO_TERM, exponent).min(axis=-1, initial=_NO_TERM)
    exact = np.abs(values).sum(axis=-1) < np.ldexp(1.0, least + 52)
    return values.sum(axis=-1), exact


def _sum_in_limbs(significand: NDArray[np.int64], shift: NDArray[np.int64], base: int) -> NDArray[np.float32]:
    """Sums over the last axis of significand << shift, in units of 2**base, for any shifts.

    A limb stays below 2^57: a significand has 23 bits and is shifted by at most 15 within its limb, and 2^24 elements
    make at most 2^19 blocks with terms of that size.
    """
    limb, within = shift // _LIMB_BITS, shift % _LIMB_BITS
    placed = significand << within
    limbs = [np.where(limb == index, placed, 0).sum(axis=-1) for index in range(int(limb.max()) + 1)]
    return round_limbs(limbs, _LIMB_BITS, base)


def sum_in_float32(terms: Sequence[Term]) -> NDArray[np.float32]:
    """Sum block by block, term by term, rounded to float32 after each."""
    values = [np.ldexp(term.significand.astype(np.float64), term.exponent) for term in terms]
    total = np.zeros(values[0].shape[:-1], np.float32)
    for block in range(values[0].shape[-1]):
        for value in values:
            total = add_in_float32(total, value[..., block])
    return total


def add_in_float32(total: NDArray[np.float32], term: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32(total + term), rounded once, for terms of at most 24 significant bits and any exponent.

    The sum is rounded to float64 on the way, which does no harm. When the exact sum has at most 53 bits, float64 is
    exact. Otherwise the two operands span more than 53 bits. Let L be the larger one and 2^e its leading bit. Each
    operand has at most 24 bits, so the smaller one is below 2^(e-28).

    - If L is a float32, the sum is within 2^(e-28) of L, and the points where rounding to float32 changes are at least
      2^(e-25) away. L and those points are float64s, and rounding is monotonic, so both ways give L.
    - If L is a term below float32's range, with its last bit below 2^-149, then e < -125. The total, which is below
      2^-153, is zero then: a case with at most 24 bits.
    - If L is a term beyond float32's range, the sum exceeds 2^128 - 2^100, and both ways give infinity.

    A term is at least 2^-256 and below 2^271, well within float64. Infinity stays, as terms are finite.
    """
    # An exact zero is +0. Underflow can leave a total of -0, which adding +0 first turns into +0.
    with np.errstate(over="ignore"):
        return (total.astype(np.float64) + 0.0 + term).astype(np.float32)
