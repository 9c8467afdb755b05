"""A float32 by its bits, from and to Python's unbounded integers."""

NAN_BITS = 0x7FC00000
"""The float32 that every NaN result is."""

INFINITY_BITS = 0x7F800000
SIGN_BIT = 0x80000000


def fixed_point(bits: int, unit: int) -> int:
    """The finite float32 with these bits, in units of 2**unit, unit at most -149; both zeros are 0."""
    field, fraction = (bits >> 23) & 0xFF, bits & 0x7FFFFF
    significand = fraction | (0x800000 if field else 0)
    magnitude = significand << (max(field, 1) - 150 - unit)
    return -magnitude if bits & SIGN_BIT else magnitude


def float32_bits(value: int, exponent: int) -> int:
    """Bits of the float32 nearest to value * 2**exponent, ties to even, with gradual underflow and infinity.

    Zero gives +0; a non-zero value that rounds to zero keeps its sign.
    """
    sign = SIGN_BIT if value < 0 else 0
    magnitude = abs(value)
    # The result's last bit weighs 2**last: 24 bits are kept, but nothing below 2**-149.
    last = max(magnitude.bit_length() + exponent - 24, -149)
    significand = _shift_to_nearest(magnitude, last - exponent)
    # Carrying out of 24 bits, and from the largest subnormal, is right as it stands: fields follow on.
    if significand < 0x800000:
        return sign | significand
    return sign | min(((last + 149) << 23) + significand, INFINITY_BITS)


def _shift_to_nearest(magnitude: int, places: int) -> int:
    if places <= 0:
        return magnitude << -places
    kept, left_out = magnitude >> places, magnitude & ((1 << places) - 1)
    half = 1 << (places - 1)
    return kept + (left_out > half or (left_out == half and kept & 1))
