"""Dot products in Python's unbounded integers, one term at a time, with the flags of a unit.

This is slow and plain, and what a bench compares a unit with. `dot` and `matmul` give the same values faster.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.accumulator import (
    Accumulator,
    default_accumulator_bits,
    least_exponent,
    resolve_accumulator,
)
from amxfp4.golden.arguments import check_type, is_integer
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.deprecated import takes_accumulate
from amxfp4.golden.float32 import INFINITY_BITS, NAN_BITS, SIGN_BIT, fixed_point, float32_bits
from amxfp4.golden.formats import BlockFormat
from amxfp4.golden.operands import check_blocks, check_broadcast, check_pair, paired
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.terms import block_terms, nan_blocks
from amxfp4.golden.windowed import DEFAULT_WINDOW, Window, add_terms


@dataclass(frozen=True)
class DotResult:
    """Results of dot products, with the flags that a unit gives.

    Attributes:
        bits: uint32, the bits of the float32 result; 0x7FC00000 where `nan`.
        nan: bool, whether a scale was NaN or a fixed-point accumulator overflowed.
        overflow: bool. With the exact accumulator, whether the running sum left the accumulator's range after some
            block; with a window, that or whether a term's scales lay above it; with fp32, whether the result is an
            infinity. False where a scale was NaN.
    """

    bits: NDArray[np.uint32]
    nan: NDArray[np.bool_]
    overflow: NDArray[np.bool_]

    @property
    def values(self) -> NDArray[np.float32]:
        """The results as float32."""
        return self.bits.view(np.float32)


@takes_accumulate
@in_own_settings
def dot_detailed(
    a: Blocks,
    w: Blocks,
    accumulator: Accumulator | None = None,
    *,
    accumulator_bits: int | None = None,
    window: Window = DEFAULT_WINDOW,
) -> DotResult:
    """Dot products over the quantised axis, with the flags of a unit. The other axes broadcast.

    Tensor scales are left out, as a unit does not see them: `dot` multiplies these results by them.

    Args:
        a: the activations, with any codes that `Blocks.from_codes` takes.
        w: the weights likewise, of the same length. Where block sizes differ, each larger block counts as several with
            the same scales.
        accumulator: "exact", "fp32" or "window". None takes "exact" when both scales are FP8, otherwise "fp32".
        accumulator_bits: two's complement width of the exact accumulator, whose least bit weighs 2**`least_exponent`.
            None takes `default_accumulator_bits`, which holds 2^24 largest products.
        window: which bits a "window" accumulator keeps.

    Raises:
        UsageError: operands that are not Blocks, do not pair up or do not broadcast; or an accumulator or a width that
            does not take these formats.
    """
    check_blocks(a=a, w=w)
    check_type(Window, window=window)
    check_pair(a, w)
    a, w = paired(a, w)
    check_broadcast(a, w)
    accumulator = resolve_accumulator(accumulator, a.fmt, w.fmt)
    width = _width(accumulator_bits, accumulator, a.fmt, w.fmt)
    nan = np.array((nan_blocks(a) | nan_blocks(w)).any(axis=-1))
    if accumulator == "window":
        return _in_window(a, w, nan, window)
    base = least_exponent(a.fmt, w.fmt)
    # Integers in units of 2**base, (..., blocks, terms).
    terms = np.stack(
        [significand.astype(object) << (exponent - base) for significand, exponent in block_terms(a, w)],
        axis=-1,
    )
    bits = np.full(nan.shape, NAN_BITS, np.uint32)
    overflow = np.zeros(nan.shape, np.bool_)
    for index in np.ndindex(nan.shape):
        if nan[index]:
            continue
        if accumulator == "exact":
            overflow[index], total = _accumulate_exact(terms[index].tolist(), width)
            if not overflow[index]:
                bits[index] = float32_bits(total, base)
        else:
            bits[index] = _accumulate_fp32(terms[index].ravel().tolist(), base)
            overflow[index] = bits[index] & ~np.uint32(SIGN_BIT) == INFINITY_BITS
    if accumulator == "exact":
        nan |= overflow
    return DotResult(bits, nan, overflow)


def _width(bits: int | None, accumulator: Accumulator, activation: BlockFormat, weight: BlockFormat) -> int:
    """The exact accumulator's width, and 0 with the others."""
    if bits is None:
        return default_accumulator_bits(activation, weight) if accumulator == "exact" else 0
    if accumulator != "exact" or not is_integer(bits) or bits < 2:
        raise UsageError(
            f"accumulator_bits {shown(bits)} is not allowed; "
            "it is the exact accumulator's width, at least 2, and fp32 has none; a window has its own"
        )
    return int(bits)


def _in_window(a: Blocks, w: Blocks, nan: NDArray[np.bool_], window: Window) -> DotResult:
    """The results of windowed accumulators, where no scale is NaN."""
    limit = window.largest_exponent(a.fmt, w.fmt)
    bits = np.full(nan.shape, NAN_BITS, np.uint32)
    overflow = np.zeros(nan.shape, np.bool_)
    # (..., blocks, terms, 2): significands and exponents, as Python's integers.
    terms = np.stack([np.stack(np.broadcast_arrays(*term), axis=-1) for term in block_terms(a, w)], axis=-2)
    for index in np.ndindex(nan.shape):
        if nan[index]:
            continue
        overflow[index], total = add_terms(terms[index].tolist(), window, limit)
        if not overflow[index]:
            bits[index] = float32_bits(total, window.exponent)
    return DotResult(bits, nan | overflow, overflow)


def _accumulate_exact(blocks: list[list[int]], width: int) -> tuple[bool, int]:
    """Whether the running sum ever left the range of `width` bits after a block, and the whole sum."""
    total, overflow = 0, False
    for terms in blocks:
        total += sum(terms)
        # Bits of the magnitude in two's complement, in which -8 needs as many as 7.
        overflow |= (total if total >= 0 else ~total).bit_length() >= width
    return overflow, total


def _accumulate_fp32(terms: list[int], base: int) -> int:
    """float32 bits of the running sum of `terms` (in units of 2**base), rounded after each."""
    # The accumulator must be a multiple of the unit too; a subnormal float32 is one of 2**-149.
    unit = min(base, -149)
    bits = 0
    for term in terms:
        if bits & ~SIGN_BIT == INFINITY_BITS:
            break
        total = fixed_point(bits, unit) + (term << (base - unit))
        bits = float32_bits(total, unit)
    return bits
