"""The facts: E2M1 elements, the four scale formats and the eight block formats.

Sources: OCP Microscaling Formats (MX) v1.0 for E2M1, E8M0 and the block of 32; OCP 8-bit floating point
(OFP8) v1.0 for E5M2 and E4M3, of which a scale uses the seven magnitude bits; AMXFP4 for the second scale.
UE5M3 and AMXFP4-X2 are this project's: E4M3's significand with E5M2's exponent in the eight bits that no sign
leaves free, and a second scale that is the first or half of it.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError

Table = TypeVar("Table", NDArray[np.int64], NDArray[np.float64])

ELEMENT_BITS = 4
ELEMENT_CODES = 1 << ELEMENT_BITS
ELEMENT_SIGN = 0b1000
"""The sign bit of an element code; the other three bits are its magnitude code."""

ELEMENT_MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Value of each of the eight E2M1 magnitude codes."""

ELEMENT_HALVES = (0, 1, 2, 3, 4, 6, 8, 12)
"""The same in units of 1/2, each a significand of two bits shifted by 0, 1 or 2."""

ELEMENT_SIGNIFICANDS = (0, 1, 2, 3, 2, 3, 2, 3)
"""`ELEMENT_HALVES[m] == ELEMENT_SIGNIFICANDS[m] << ELEMENT_SHIFTS[m]`."""

ELEMENT_SHIFTS = (0, 0, 0, 0, 1, 1, 2, 2)
"""See `ELEMENT_SIGNIFICANDS`."""

ELEMENT_MAX = 6.0
"""Largest magnitude of an element; an FP8 scale is a block's largest magnitude divided by this."""

POSITIVE_HALVED = 0b01
"""Bit of an asymmetry code: the positive side's scale is half the block's scale."""

NEGATIVE_HALVED = 0b10
"""The same of the negative side. Both bits set is legal, though the quantiser never makes it: both are halved."""

HALVING_LIMIT = 7
"""The quantiser halves a block's smaller side when its largest magnitude is at most this times half the scale.

Up to 7, saturating at 6 costs no more than half the step from 4 to 6. Of limits of 6, 6.5, 7 and 7.5, 7 is the best
on MiniLM-L6's linear layers, by 0.014 dB or more of mean SQNR in inputs, in weights and in outputs alike.
"""

ASYMMETRY_BITS = 2
ASYMMETRY_CODES = 1 << ASYMMETRY_BITS

MIN_BLOCK_SIZE = 8
MAX_BLOCK_SIZE = 128
DEFAULT_BLOCK_SIZE = 32
_BLOCK_SIZES = "8, 16, 32, 64, 128"


@dataclass(frozen=True)
class ScaleFormat:
    """An unsigned 8- or 7-bit float: exponent field above mantissa field, no sign.

    Attributes:
        name: "E5M2", "E4M3", "UE5M3" or "E8M0".
        exponent_bits, mantissa_bits: widths of the fields.
        bias: what is subtracted from the exponent field.
        has_subnormals: whether exponent field 0 means zero and subnormals (FP8) or 2^-bias (E8M0).
        nan_code: the code written for NaN.
        nan_codes: every code that reads as NaN.
        max_code: code of the largest finite value; every code up to it is finite, every one above it NaN.
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    bias: int
    has_subnormals: bool
    nan_code: int
    nan_codes: tuple[int, ...]
    max_code: int

    @property
    def bits(self) -> int:
        """Wires a scale takes: 7 for E5M2 and E4M3 (a scale has no sign), 8 for UE5M3 and E8M0."""
        return self.exponent_bits + self.mantissa_bits

    @property
    def is_fp8(self) -> bool:
        """Whether this is a float with a mantissa and subnormals: E5M2, E4M3 or UE5M3, but not E8M0's powers of two.

        An FP8 scale is a block's largest magnitude divided by 6 and rounded, and the exact accumulator takes it.
        """
        return self.has_subnormals

    @property
    def has_reserved_bit(self) -> bool:
        """Whether the top bit of a scale's byte in memory is not part of the code, and zero: E5M2 and E4M3."""
        return self.bits < 8

    @property
    def significand_bits(self) -> int:
        """Width of `significands`: the mantissa and the hidden bit."""
        return self.mantissa_bits + 1

    @property
    def least_exponent(self) -> int:
        """Every finite value is a multiple of 2 to this power: E5M2 -16, E4M3 -9, UE5M3 -17, E8M0 -127."""
        return int(self.exponents.min())

    @property
    def max_value(self) -> float:
        """Largest finite value: E5M2 57344, E4M3 448, UE5M3 114688, E8M0 2^127."""
        return float(self.values[self.max_code])

    @cached_property
    def significands(self) -> NDArray[np.int64]:
        """Per code, the integer in `value == significand * 2**exponent`; 0 for NaN. Shape (2**bits,)."""
        exponent_field, mantissa = self._fields()
        hidden = (exponent_field > 0) | (not self.has_subnormals)
        significand = mantissa + (hidden.astype(np.int64) << self.mantissa_bits)
        significand[list(self.nan_codes)] = 0
        return _read_only(significand)

    @cached_property
    def exponents(self) -> NDArray[np.int64]:
        """Per code, the power of two that goes with `significands`. Shape (2**bits,)."""
        exponent_field, _ = self._fields()
        if self.has_subnormals:
            exponent_field = np.maximum(exponent_field, 1)
        return _read_only(exponent_field - self.bias - self.mantissa_bits)

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """Value of every code, NaN where it means NaN. Shape (2**bits,)."""
        values = np.ldexp(self.significands.astype(np.float64), self.exponents)
        values[list(self.nan_codes)] = np.nan
        return _read_only(values)

    def _fields(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        codes = np.arange(1 << self.bits, dtype=np.int64)
        return codes >> self.mantissa_bits, codes & ((1 << self.mantissa_bits) - 1)


def _read_only(table: Table) -> Table:
    table.flags.writeable = False
    return table


E5M2 = ScaleFormat(
    name="E5M2",
    exponent_bits=5,
    mantissa_bits=2,
    bias=15,
    has_subnormals=True,
    nan_code=0x7F,
    nan_codes=(0x7C, 0x7D, 0x7E, 0x7F),  # OFP8's infinity too: a scale has no use for it
    max_code=0x7B,
)
E4M3 = ScaleFormat(
    name="E4M3",
    exponent_bits=4,
    mantissa_bits=3,
    bias=7,
    has_subnormals=True,
    nan_code=0x7F,
    nan_codes=(0x7F,),
    max_code=0x7E,
)
UE5M3 = ScaleFormat(
    name="UE5M3",
    exponent_bits=5,
    mantissa_bits=3,
    bias=15,
    has_subnormals=True,
    nan_code=0xFF,
    nan_codes=(0xFF,),
    max_code=0xFE,
)
E8M0 = ScaleFormat(
    name="E8M0",
    exponent_bits=8,
    mantissa_bits=0,
    bias=127,
    has_subnormals=False,
    nan_code=0xFF,
    nan_codes=(0xFF,),
    max_code=0xFE,
)

SCALE_FORMATS = {scale.name: scale for scale in (E5M2, E4M3, UE5M3, E8M0)}


@dataclass(frozen=True)
class BlockFormat:
    """`block_size` elements along the reduction axis and what scales them; made by `block_format`.

    Attributes:
        name: one of `BLOCK_FORMAT_NAMES`.
        scale: the format of each scale.
        asymmetric: whether positive and negative elements have a free scale each. A dot product then needs a sum
            for each of the two signs.
        halving: whether the block has one scale and a 2-bit asymmetry code, by which either side's scale is that
            one or half of it. A dot product still needs one sum only.
        block_size: elements a block, a power of two from 8 to 128.
    """

    name: str
    scale: ScaleFormat
    asymmetric: bool
    halving: bool = False
    block_size: int = DEFAULT_BLOCK_SIZE

    def __post_init__(self) -> None:
        size = self.block_size
        if isinstance(size, bool) or not isinstance(size, int):
            raise UsageError(f"block size {size!r} is not an integer; it is one of {_BLOCK_SIZES}")
        if not MIN_BLOCK_SIZE <= size <= MAX_BLOCK_SIZE or size & (size - 1):
            raise UsageError(f"block size {size} is not allowed; it is one of {_BLOCK_SIZES}")
        if self.asymmetric and self.halving:
            raise UsageError(f"{self.name} is both asymmetric and halving; two free scales leave nothing to halve")

    @property
    def scales_per_block(self) -> int:
        """Free scales: 2 (positive, negative) when asymmetric, otherwise 1, also when halving."""
        return 2 if self.asymmetric else 1

    @property
    def two_sided(self) -> bool:
        """Whether positive and negative elements can be scaled differently, freely or by halving."""
        return self.asymmetric or self.halving

    @property
    def scale_fields(self) -> int:
        """Fields of a block in `Blocks.scales`: its free scales, and when halving its asymmetry code after them."""
        return self.scales_per_block + self.halving

    @property
    def least_exponent(self) -> int:
        """Every value is a multiple of 2 to this power, as every element is one of 1/2: -17 for AMXFP4."""
        return self.scale.least_exponent - 1 - self.halving

    @property
    def bits_per_block(self) -> int:
        """Memory a block takes: a byte a free scale, the asymmetry code when halving, four bits an element."""
        return 8 * self.scales_per_block + ASYMMETRY_BITS * self.halving + ELEMENT_BITS * self.block_size

    @property
    def bits_per_element(self) -> float:
        """Memory an element takes, its share of the scales included: 4.25 for MXFP4, 4.5 for AMXFP4, 4.3125 for X2."""
        return self.bits_per_block / self.block_size

    @property
    def bytes_per_block(self) -> int:
        """Bytes of a block's scales and elements; asymmetry codes are kept apart, see `bytes_of`."""
        return self.scales_per_block + self.block_size // 2

    def bytes_of(self, blocks: int) -> int:
        """Bytes that `blocks` blocks take in memory; the asymmetry codes of four share a byte."""
        codes_per_byte = 8 // ASYMMETRY_BITS
        return blocks * self.bytes_per_block + (-(-blocks // codes_per_byte) if self.halving else 0)


_FACTS = {
    # scale, asymmetric, halving
    "MXFP4": (E8M0, False, False),
    "MXFP4-E5M2": (E5M2, False, False),
    "MXFP4-E4M3": (E4M3, False, False),
    "MXFP4-UE5M3": (UE5M3, False, False),
    "AMXFP4-E5M2": (E5M2, True, False),
    "AMXFP4-E4M3": (E4M3, True, False),
    "AMXFP4-E8M0": (E8M0, True, False),
    "AMXFP4-X2": (UE5M3, False, True),
}
_ALIASES = {"AMXFP4": "AMXFP4-E5M2"}

BLOCK_FORMAT_NAMES = tuple(_FACTS)
"""The eight block formats; "AMXFP4" is another name for "AMXFP4-E5M2"."""


def block_format(name: str | BlockFormat, block_size: int | None = None) -> BlockFormat:
    """The block format called `name`, with blocks of `block_size` elements (32 unless given).

    A `BlockFormat` passes through, with its own block size unless another one is given.

    Raises:
        UsageError: unknown name, or a block size that is not a power of two from 8 to 128.
    """
    if isinstance(name, BlockFormat):
        return name if block_size is None else replace(name, block_size=block_size)
    size = DEFAULT_BLOCK_SIZE if block_size is None else block_size
    canonical = _ALIASES.get(name, name) if isinstance(name, str) else name
    if not isinstance(canonical, str) or canonical not in _FACTS:
        allowed = ", ".join((*_ALIASES, *BLOCK_FORMAT_NAMES))
        raise UsageError(f"unknown block format {name!r}; it is one of {allowed}")
    scale, asymmetric, halving = _FACTS[canonical]
    return BlockFormat(canonical, scale, asymmetric, halving, size)
