"""The contract's dot products in `fractions.Fraction`, element by element, from nothing but codes and values."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from amxfp4.golden import BLOCK_FORMAT_NAMES, BlockFormat, Blocks, block_format
from amxfp4.golden.formats import ELEMENT_MAGNITUDES

NAN_BITS = 0x7FC00000
INFINITY = Fraction(2) ** 128
"""Stands for float32's infinity."""


def random_blocks(
    rng: np.random.Generator, shape: tuple[int, ...], fmt: BlockFormat, low: int = 0, high: int = 256
) -> Blocks:
    """Any element and asymmetry codes, and scale codes from `low` to below `high`, as far as the format has them."""
    codes = rng.integers(0, 16, shape, dtype=np.uint8)
    scales_shape = (*shape[:-1], shape[-1] // fmt.block_size, fmt.scales_per_block)
    high = min(high, 1 << fmt.scale.bits)
    scales = rng.integers(min(low, high - 1), high, scales_shape).astype(np.uint8)
    if fmt.has_asymmetry_code:
        asymmetry = rng.integers(0, 2 if fmt.name == "AMXFP4-Z8" else 4, scales_shape, dtype=np.uint8)
        scales = np.concatenate([scales, asymmetry], axis=-1)
    return Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)


def side_scale(fmt: BlockFormat, fields: list[int], negative: bool) -> Fraction:
    """The scale of one side of a block from its fields in `Blocks.scales`; none of them NaN."""
    if not fmt.halving:
        return Fraction(float(fmt.scale.values[fields[1 if negative and fmt.asymmetric else 0]]))
    halved = fields[1] in ((2, 3) if negative else (1, 3))
    return Fraction(float(fmt.scale.values[fields[0]])) / (2 if halved else 1)


def scale_codes(blocks: Blocks) -> list[int]:
    """Every scale code, without asymmetry codes."""
    return blocks.scales[..., : blocks.fmt.scales_per_block].ravel().tolist()


def element(code: int, fmt: BlockFormat | None = None, fields: Sequence[int] = ()) -> Fraction:
    """Value of an element code, in scales. In a format with special values code 8 is one, by the block's `fields`."""
    if code == 8 and fmt is not None and fmt.name in ("AMXFP4-Z8", "AMXFP4-Z"):
        return Fraction({0: 8, 1: -8, 2: 12, 3: -12}[fields[1]])
    return (-1 if code & 8 else 1) * Fraction(ELEMENT_MAGNITUDES[code & 7])


def round_to_float32(value: Fraction) -> Fraction:
    """Nearest float32, ties to even (as `round` does); `INFINITY` beyond the range."""
    if value == 0:
        return value
    magnitude = abs(value)
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude < Fraction(2) ** exponent:
        exponent -= 1
    ulp = Fraction(2) ** max(exponent - 23, -149)
    rounded = round(value / ulp) * ulp
    return max(-INFINITY, min(INFINITY, rounded))


def bits_of(value: Fraction, negative_zero: bool = False) -> int:
    if abs(value) == INFINITY:
        return 0xFF800000 if value < 0 else 0x7F800000
    if value == 0:
        return 0x80000000 if negative_zero else 0
    return int(np.float32(float(value)).view(np.uint32))


class Dot:
    """One dot product of 1-D blocks `a` and `w`."""

    def __init__(self, a: Blocks, w: Blocks) -> None:
        self.a, self.w, self.size = a, w, a.fmt.block_size
        scales = [(blocks.fmt.scale, code) for blocks in (a, w) for code in scale_codes(blocks)]
        self.nan = any(code in scale.nan_codes for scale, code in scales)

    def scale(self, blocks: Blocks, block: int, code: int) -> Fraction:
        return side_scale(blocks.fmt, blocks.scales[block].tolist(), bool(code & 8))

    def value(self, blocks: Blocks, block: int, code: int) -> Fraction:
        return element(code, blocks.fmt, blocks.scales[block].tolist())

    def products(self, block: int) -> list[tuple[bool, bool, Fraction]]:
        """Sign of the activation, sign of the weight, scaled product, for each element pair of a block."""
        found = []
        for index in range(block * self.size, (block + 1) * self.size):
            a, w = int(self.a.codes[index]), int(self.w.codes[index])
            scale = self.scale(self.a, block, a) * self.scale(self.w, block, w)
            found.append(
                (bool(a & 8), bool(w & 8), scale * self.value(self.a, block, a) * self.value(self.w, block, w))
            )
        return found

    def exact(self) -> int:
        """float32 bits of the result of the exact accumulator."""
        if self.nan:
            return NAN_BITS
        total = sum((p for block in range(self.a.block_count) for _, _, p in self.products(block)), Fraction(0))
        return bits_of(round_to_float32(total))

    def terms(self, block: int) -> list[Fraction]:
        """What the fp32 accumulator adds for a block, in order; pairs under equal scales make one term."""
        a_signs = [[False], [True]] if self.a.fmt.asymmetric else [[False, True]]
        w_signs = [[False], [True]] if self.w.fmt.asymmetric else [[False, True]]
        products = self.products(block)
        return [
            sum((p for s, t, p in products if s in a_sign and t in w_sign), Fraction(0))
            for a_sign in a_signs
            for w_sign in w_signs
        ]

    def fp32(self) -> int:
        """float32 bits of the result of the fp32 accumulator."""
        if self.nan:
            return NAN_BITS
        total, negative_zero = Fraction(0), False
        for block in range(self.a.block_count):
            for term in self.terms(block):
                if abs(total) == INFINITY:
                    continue
                exact = total + term
                total = round_to_float32(exact)
                negative_zero = total == 0 and exact < 0
        return bits_of(total, negative_zero)

    def window(self, exponent: int = -32, bits: int = 54) -> int:
        """float32 bits of the result of the accumulator over a window whose least bit weighs 2**exponent."""
        if self.nan:
            return NAN_BITS
        least, top = Fraction(2) ** exponent, Fraction(2) ** (exponent + bits - 1)
        total, overflow = Fraction(0), False
        for block in range(self.a.block_count):
            for term, largest in zip(self.terms(block), self.largest_terms(block), strict=True):
                overflow |= term != 0 and largest > top
                total += least * (term / least).__floor__()
            overflow |= not -top <= total < top
        return NAN_BITS if overflow else bits_of(round_to_float32(total))

    def largest_terms(self, block: int) -> list[Fraction]:
        """For each term, a power of two above any that scales of the same exponents could give."""
        found = []
        for a_code in (0, 8)[: self.a.fmt.scales_per_block]:
            for w_code in (0, 8)[: self.w.fmt.scales_per_block]:
                most, weight = self.size, Fraction(1)
                for blocks, code in ((self.a, a_code), (self.w, w_code)):
                    scale = blocks.fmt.scale
                    field = int(blocks.scales[block, 1 if code and blocks.fmt.asymmetric else 0])
                    mantissa = scale.mantissa_bits
                    exponent = field >> mantissa
                    weight *= Fraction(2) ** (max(exponent, 1 if mantissa else 0) - scale.bias - mantissa)
                    halves = {"AMXFP4-X2": 24, "AMXFP4-Z8": 16, "AMXFP4-Z": 24}.get(blocks.fmt.name, 12)
                    weight /= 4 if blocks.fmt.name == "AMXFP4-X2" else 2
                    # No finite code of E4M3 has its largest significand and exponent, but it has either.
                    most *= halves * {0: 1, 2: 7, 3: 15}[mantissa]
                found.append(weight * (1 << most.bit_length()))
        return found


def formats(block_size: int = 8) -> list[BlockFormat]:
    return [block_format(name, block_size) for name in BLOCK_FORMAT_NAMES]
