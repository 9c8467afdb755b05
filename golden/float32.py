"""A float32 by its bits, from and to Python's unbounded integers."""

NAN_BITS = 0x7FC00000
"""The float32 that every NaN result is."""

INFINITY_BITS = 0x7F800000
"""The float32 +infinity."""

SIGN_BIT = 0x80000000
"""The sign bit of a float32."""


def fixed_point(bits: int, unit: int) -> int:
    """The value of a finite float32 in units of 2**unit, for a unit of at most -149. Both zeros are 0."""
    field, fraction = (bits >> 23) & 0xFF, bits & 0x7FFFFF
    significand = fraction | (0x800000 if field else 0)
    magnitude = significand << (max(field, 1) - 150 - unit)
    return -magnitude if bits & SIGN_BIT else magnitude


def float32_bits(value: int, exponent: int) -> int:
    """Bits of the float32 nearest to value * 2**exponent, ties to even, with gradual underflow and infinity.

    Zero gives +0. A value other than zero that rounds to zero keeps its sign.
    """
    sign = SIGN_BIT if value < 0 else 0
    magnitude = abs(value)
    # The last bit of the result weighs 2**last: 24 bits are kept, but nothing below 2**-149.
    last = max(magnitude.bit_length() + exponent - 24, -149)
    significand = _shift_to_nearest(magnitude, last - exponent)
    # A carry out of the 24 bits, or out of the largest subnormal, runs into the exponent field and makes it right.
    if significand < 0x800000:
        return sign | significand
    return sign | min(((last + 149) << 23) + significand, INFINITY_BITS)


def _shift_to_nearest(magnitude: int, places: int) -> int:
    if places <= 0:
        return magnitude << -places
    kept, left_out = magnitude >> places, magnitude & ((1 << places) - 1)
    half = 1 << (places - 1)
    return kept + (left_out > half or (left_out == half and kept & 1))
