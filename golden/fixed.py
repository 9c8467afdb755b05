"""Wide fixed-point sums in int64 limbs, rounded once to float32."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_EXACT_BITS = 40
"""While a value has at most this many bits, another limb can be appended to it within an int64."""

MAX_LIMB_BITS = 22
"""The widest limb that fits an int64 behind `_EXACT_BITS` bits and a sign."""


def round_limbs(limbs: Sequence[NDArray[np.int64]], limb_bits: int, exponent: int) -> NDArray[np.float32]:
    """sum(limbs[i] * 2**(i * limb_bits)) * 2**exponent, rounded once to float32, ties to even. Zero is +0.

    Args:
        limbs: int64 arrays of one shape, least significant first. They are signed and may overlap; each magnitude is
            below 2^61.
        limb_bits: at most 22.
        exponent: such that neither subnormals nor infinities arise. The caller's formats see to that.
    """
    digits, value = _carry(limbs, limb_bits)
    full = np.zeros(value.shape, np.bool_)
    skipped = np.zeros(value.shape, np.int64)
    for digit in reversed(digits):
        # While the value is short, append the digit, which is exact. Once there are more than 40 bits, leave the digit
        # out and set the last bit if the digit was not zero. That is rounding to odd, which keeps the final rounding to
        # 24 bits correct. Negative values are right too, as what two's complement leaves out is positive.
        full |= np.abs(value) >= 1 << _EXACT_BITS
        value = np.where(full, value | (digit != 0), (value << limb_bits) + digit)
        skipped += full
    # Converting int64 to float32 rounds once, and multiplying by a power of two does not round again.
    return np.ldexp(value.astype(np.float32), skipped * limb_bits + exponent)


def _carry(limbs: Sequence[NDArray[np.int64]], limb_bits: int) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """The same sum as digits below 2**limb_bits, least significant first, and a signed rest above them."""
    assert limb_bits <= MAX_LIMB_BITS
    digits = []
    carry = np.zeros_like(limbs[0])
    for limb in limbs:
        total = limb + carry
        digits.append(total & ((1 << limb_bits) - 1))
        carry = total >> limb_bits
    return digits, carry
