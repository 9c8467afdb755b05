"""The facts: E2M1 elements, the four scale formats and the eight block formats.

Sources:

- OCP Microscaling Formats (MX) v1.0: E2M1, E8M0 and the block of 32.
- OCP 8-bit floating point (OFP8) v1.0: E5M2 and E4M3. A scale uses their seven magnitude bits.
- The AMXFP4 paper: the second scale of a block.
- This project: UE5M3, which has E4M3's significand and E5M2's exponent in the eight bits that a missing sign leaves,
  and AMXFP4-X2, whose second scale is the first one or half of it.

A new scale format is an entry of `SCALE_FORMATS`, a new block format an entry of the table behind `block_format`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import is_integer

Table = TypeVar("Table", NDArray[np.int64], NDArray[np.float64])

ELEMENT_BITS = 4
ELEMENT_CODES = 1 << ELEMENT_BITS
ELEMENT_SIGN = 0b1000
"""The sign bit of an element code; the other three bits are its magnitude code."""

ELEMENT_MAGNITUDES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""Value of each of the eight E2M1 magnitude codes."""

ELEMENT_HALVES = (0, 1, 2, 3, 4, 6, 8, 12)
"""`ELEMENT_MAGNITUDES` in units of 1/2. Each is a significand of two bits, shifted by 0, 1 or 2."""

ELEMENT_SIGNIFICANDS = (0, 1, 2, 3, 2, 3, 2, 3)
"""`ELEMENT_HALVES[m] == ELEMENT_SIGNIFICANDS[m] << ELEMENT_SHIFTS[m]`."""

ELEMENT_SHIFTS = (0, 0, 0, 0, 1, 1, 2, 2)
"""The shift that goes with each of `ELEMENT_SIGNIFICANDS`."""

ELEMENT_MAX = 6.0
"""Largest magnitude of an element. An FP8 scale is a block's largest magnitude divided by this, and rounded."""

POSITIVE_HALVED = 0b01
"""Bit of an asymmetry code: the positive side's scale is half the block's scale."""

NEGATIVE_HALVED = 0b10
"""Bit of an asymmetry code: the negative side's scale is half the block's scale.

A code with both bits set is legal and halves both sides, though the quantiser never makes it.
"""

HALVING_LIMIT = 7
"""The quantiser halves a block's smaller side when its largest magnitude is at most this times half the scale.

Why 7: a magnitude of up to 7 half scales, saturated to 6 of them, is off by at most 1, which is half the step from 4 to
6. Of the limits 6, 6.5, 7 and 7.5, the limit 7 gives the best mean SQNR on MiniLM-L6's linear layers, in inputs, in
weights and in outputs alike.
"""

ASYMMETRY_BITS = 2
ASYMMETRY_CODES = 1 << ASYMMETRY_BITS

_MAX_MANTISSA_BITS = 3
"""With four, a block's sum times two significands would not fit the 24 bits of a float32, as `golden.terms` needs."""

_LEAST_EXPONENT, _TOP_EXPONENT = -61, 48
"""Of scales with a mantissa. Products of two of them, and 2^24 of those in a sum, stay in float32's normal range."""

MIN_BLOCK_SIZE = 8
MAX_BLOCK_SIZE = 128
DEFAULT_BLOCK_SIZE = 32
_BLOCK_SIZES = "8, 16, 32, 64, 128"


@dataclass(frozen=True)
class ScaleFormat:
    """An unsigned 8- or 7-bit float: exponent field above mantissa field, no sign.

    Every code up to `max_code` is finite, and every code above it means NaN.

    Attributes:
        name: "E5M2", "E4M3", "UE5M3" or "E8M0".
        exponent_bits: width of the exponent field.
        mantissa_bits: width of the mantissa field; 0 makes every value a power of two.
        bias: what is subtracted from the exponent field.
        nan_is_top_exponent: whether every code with the largest exponent field means NaN, as OFP8 has it for E5M2
            (its infinity included, for which a scale has no use). Otherwise only the largest code means NaN.
    """

    name: str
    exponent_bits: int
    mantissa_bits: int
    bias: int
    nan_is_top_exponent: bool = False

    def __post_init__(self) -> None:
        sizes = self.exponent_bits, self.mantissa_bits, self.bias
        if (
            not isinstance(self.name, str)
            or not all(map(is_integer, sizes))
            or type(self.nan_is_top_exponent) is not bool
        ):
            raise UsageError(f"{shown(self)} is not allowed; a name, three integers and a bool are needed")
        if self.exponent_bits < 1 or not 0 <= self.mantissa_bits <= _MAX_MANTISSA_BITS or not 2 <= self.bits <= 8:
            raise UsageError(
                f"{shown(self)} is not allowed; an exponent of 1 bit or more, a mantissa of at most "
                f"{_MAX_MANTISSA_BITS} and 8 bits in all are"
            )
        if self.is_fp8:
            least, top = 1 - self.bias - self.mantissa_bits, (1 << self.exponent_bits) - 1 - self.bias
            if least < _LEAST_EXPONENT or top > _TOP_EXPONENT:
                raise UsageError(
                    f"{shown(self)} is not allowed; values are multiples of 2^{_LEAST_EXPONENT} "
                    f"and below 2^{_TOP_EXPONENT + 1}"
                )
        elif (self.exponent_bits, self.bias) != (8, 127) or self.nan_is_top_exponent:
            raise UsageError(f"{shown(self)} is not allowed; of scales without a mantissa, E8M0 is")

    @property
    def bits(self) -> int:
        """Wires a scale takes: 7 for E5M2 and E4M3 (a scale has no sign), 8 for UE5M3 and E8M0."""
        return self.exponent_bits + self.mantissa_bits

    @property
    def is_fp8(self) -> bool:
        """Whether this is a float with a mantissa, a zero and subnormals, unlike E8M0's powers of two.

        An FP8 scale is a block's largest magnitude divided by 6 and rounded, and the exact accumulator takes it.
        """
        return self.mantissa_bits > 0

    @property
    def nan_code(self) -> int:
        """The code that is written for NaN: the largest one."""
        return (1 << self.bits) - 1

    @property
    def nan_codes(self) -> tuple[int, ...]:
        """Every code that reads as NaN: E5M2 0x7C to 0x7F, the other formats `nan_code` alone."""
        return tuple(range(self.max_code + 1, self.nan_code + 1))

    @property
    def max_code(self) -> int:
        """Code of the largest finite value: E5M2 0x7B, E4M3 0x7E, UE5M3 and E8M0 0xFE."""
        return self.nan_code - (1 << self.mantissa_bits if self.nan_is_top_exponent else 1)

    @property
    def has_reserved_bit(self) -> bool:
        """Whether a scale's byte in memory has a top bit that is always zero, as with E5M2 and E4M3."""
        return self.bits < 8

    @property
    def significand_bits(self) -> int:
        """Width of `significands`: the mantissa and the hidden bit."""
        return self.mantissa_bits + 1

    @property
    def least_exponent(self) -> int:
        """The largest e for which every finite value is a multiple of 2**e: E5M2 -16, E4M3 -9, UE5M3 -17, E8M0 -127."""
        return int(self.exponents.min())

    @property
    def max_float32_code(self) -> int:
        """The largest code under which the largest element fits a float32: 252 for E8M0, `max_code` for FP8."""
        fits = self.values[: self.max_code + 1] * ELEMENT_MAX <= np.finfo(np.float32).max
        return int(np.flatnonzero(fits)[-1])

    @property
    def max_value(self) -> float:
        """Largest finite value: E5M2 57344, E4M3 448, UE5M3 114688, E8M0 2^127."""
        return float(self.values[self.max_code])

    @cached_property
    def significands(self) -> NDArray[np.int64]:
        """Per code, the integer in `value == significand * 2**exponent`; 0 for NaN. Shape (2**bits,)."""
        exponent_field, mantissa = self._fields()
        hidden = (exponent_field > 0) | (not self.is_fp8)
        significand = mantissa + (hidden.astype(np.int64) << self.mantissa_bits)
        significand[list(self.nan_codes)] = 0
        return _read_only(significand)

    @cached_property
    def exponents(self) -> NDArray[np.int64]:
        """Per code, the power of two that goes with `significands`. Shape (2**bits,)."""
        exponent_field, _ = self._fields()
        if self.is_fp8:  # a subnormal has the weight of field 1
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


E5M2 = ScaleFormat("E5M2", exponent_bits=5, mantissa_bits=2, bias=15, nan_is_top_exponent=True)
E4M3 = ScaleFormat("E4M3", exponent_bits=4, mantissa_bits=3, bias=7)
UE5M3 = ScaleFormat("UE5M3", exponent_bits=5, mantissa_bits=3, bias=15)
E8M0 = ScaleFormat("E8M0", exponent_bits=8, mantissa_bits=0, bias=127)

SCALE_FORMATS = {scale.name: scale for scale in (E5M2, E4M3, UE5M3, E8M0)}
"""The scale formats by name."""


@dataclass(frozen=True)
class BlockFormat:
    """`block_size` elements along the reduction axis and what scales them; made by `block_format`.

    Attributes:
        name: one of `BLOCK_FORMAT_NAMES`.
        scale: the format of each scale.
        asymmetric: whether positive and negative elements each have a free scale. A dot product then needs a sum per
            sign.
        halving: whether the block has one scale and a 2-bit asymmetry code. By the code, either side's scale is the
            block's scale or half of it. A dot product still needs one sum only.
        block_size: elements per block, a power of two from 8 to 128.
    """

    name: str
    scale: ScaleFormat
    asymmetric: bool = False
    halving: bool = False
    block_size: int = DEFAULT_BLOCK_SIZE

    def __post_init__(self) -> None:
        size = self.block_size
        if not isinstance(self.name, str) or not isinstance(self.scale, ScaleFormat):
            raise UsageError(f"{shown(self)} is not allowed; a name and a ScaleFormat are needed")
        if type(self.asymmetric) is not bool or type(self.halving) is not bool:
            raise UsageError(f"{shown(self)} is not allowed; asymmetric and halving are bools")
        if not is_integer(size):
            raise UsageError(f"block size {shown(size)} is not an integer; it is one of {_BLOCK_SIZES}")
        if not MIN_BLOCK_SIZE <= size <= MAX_BLOCK_SIZE or size & (size - 1):
            raise UsageError(f"block size {size} is not allowed; it is one of {_BLOCK_SIZES}")
        object.__setattr__(self, "block_size", int(size))
        if self.asymmetric and self.halving:
            raise UsageError(f"{self.name} is both asymmetric and halving; two free scales leave nothing to halve")

    @property
    def default_block_size(self) -> int:
        """Elements per block where none are asked for: those of the format's entry in the table of formats."""
        return _BY_NAME.get(self.name, self).block_size

    @property
    def scales_per_block(self) -> int:
        """Free scales: 2 (positive, negative) when asymmetric, otherwise 1. Halving adds none."""
        return 2 if self.asymmetric else 1

    @property
    def two_sided(self) -> bool:
        """Whether positive and negative elements can be scaled differently, freely or by halving."""
        return self.asymmetric or self.halving

    @property
    def scale_fields(self) -> int:
        """Fields of each block in `Blocks.scales`: its free scales, and with halving the asymmetry code after them."""
        return self.scales_per_block + self.halving

    @property
    def least_exponent(self) -> int:
        """The largest e for which every value is a multiple of 2**e: -17 for AMXFP4."""
        # Every element is a multiple of 1/2, or of 1/4 of the block's scale where that can be halved.
        return self.scale.least_exponent - 1 - self.halving

    @property
    def bits_per_block(self) -> int:
        """Memory per block: a byte per free scale, four bits per element, and with halving the asymmetry code."""
        return 8 * self.scales_per_block + ASYMMETRY_BITS * self.halving + ELEMENT_BITS * self.block_size

    @property
    def bits_per_element(self) -> float:
        """Memory per element with its share of the scales: 4.25 for MXFP4, 4.5 for AMXFP4, 4.3125 for AMXFP4-X2."""
        return self.bits_per_block / self.block_size

    @property
    def bytes_per_block(self) -> int:
        """Bytes of a block's scales and elements. Asymmetry codes are stored apart, see `bytes_of`."""
        return self.scales_per_block + self.block_size // 2

    def bytes_of(self, blocks: int) -> int:
        """Bytes of `blocks` blocks in memory. The asymmetry codes of four blocks share a byte."""
        codes_per_byte = 8 // ASYMMETRY_BITS
        return blocks * self.bytes_per_block + (-(-blocks // codes_per_byte) if self.halving else 0)


_TABLE = (
    BlockFormat("MXFP4", E8M0),
    BlockFormat("MXFP4-E5M2", E5M2),
    BlockFormat("MXFP4-E4M3", E4M3),
    BlockFormat("MXFP4-UE5M3", UE5M3),
    BlockFormat("AMXFP4-E5M2", E5M2, asymmetric=True),
    BlockFormat("AMXFP4-E4M3", E4M3, asymmetric=True),
    BlockFormat("AMXFP4-E8M0", E8M0, asymmetric=True),
    BlockFormat("AMXFP4-X2", UE5M3, halving=True),
)
"""The facts of each block format. Its `block_size` here is its default; names are in upper case."""

_BY_NAME = {fmt.name: fmt for fmt in _TABLE}
_ALIASES = {"AMXFP4": "AMXFP4-E5M2"}

BLOCK_FORMAT_NAMES = tuple(_BY_NAME)
"""The eight block formats; "AMXFP4" is another name for "AMXFP4-E5M2"."""


def block_format(name: str | BlockFormat, block_size: int | None = None) -> BlockFormat:
    """The block format called `name`, whose own name is the one in `BLOCK_FORMAT_NAMES`.

    Args:
        name: one of `BLOCK_FORMAT_NAMES` or "AMXFP4", in upper or lower case; or a `BlockFormat`, which passes through.
        block_size: elements per block. None takes the format's default, which is 32 for all eight, or leaves the block
            size that a `BlockFormat` has.

    Raises:
        UsageError: an unknown name, or a block size that is not a power of two from 8 to 128.
    """
    fmt = name if isinstance(name, BlockFormat) else _known(name)
    return fmt if block_size is None else replace(fmt, block_size=block_size)


def _known(name: object) -> BlockFormat:
    upper = name.upper() if isinstance(name, str) else ""
    canonical = _ALIASES.get(upper, upper)
    if canonical not in _BY_NAME:
        allowed = ", ".join((*_ALIASES, *BLOCK_FORMAT_NAMES))
        raise UsageError(f"unknown block format {shown(name)}; it is one of {allowed}")
    return _BY_NAME[canonical]
