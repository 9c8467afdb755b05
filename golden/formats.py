"""The facts: E2M1 elements, the scale formats and the block formats.

Sources:

- OCP Microscaling Formats (MX) v1.0: E2M1, E8M0 and the block of 32.
- OCP 8-bit floating point (OFP8) v1.0: E5M2 and E4M3. A scale uses their seven magnitude bits.
- The AMXFP4 paper: the second scale of a block.
- NVIDIA: NVFP4, blocks of 16 with an E4M3 scale and a float32 scale per tensor.
- This project: UE5M3, which has E4M3's significand and E5M2's exponent in the eight bits that a missing sign leaves;
  AMXFP4-X2, whose second scale is the first one or half of it; AMXFP4-Z8 and AMXFP4-Z, in which the code of negative
  zero means a value beyond 6 on one side of the block.

A new scale format is an entry of `SCALE_FORMATS`, a new block format an entry of the table behind `block_format`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import is_integer

Rounding = Literal["nearest-away", "nearest-even"]
"""Where a tie goes: away from zero, or to the neighbour whose code is even."""

ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)

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

NEGATIVE_ZERO = ELEMENT_SIGN
"""The element code of negative zero. Formats with special values give it another meaning."""

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

NEGATIVE_SPECIAL = 0b01
"""Bit of an asymmetry code, in formats with special values: the special value is negative."""

SECOND_SPECIAL = 0b10
"""Bit of an asymmetry code, in formats with two special values: the second of them is meant."""

SPECIAL_LIMIT = 7
"""From this magnitude on, in scales, the smaller side of a block with the special value 8 needs a scale of its own.

A smaller magnitude saturates at 6 and so is off by at most 1, as with `HALVING_LIMIT`.
"""

SIDE_BITS = 7
"""To find the larger side of a block with special values, maxima are cut to so many significant bits.

A quantiser holds no more of them. Where both sides are equal so far, the scale does not depend on which is the larger.
"""

ALONE_BITS = 3
"""To find whether a block's largest element stands alone, magnitudes are cut to so many significant bits.

It stands alone where twice any other magnitude is at most the largest one. On real tensors three bits are as good as
all of them, or as the limit of 7 scales that they stand for: 12 is about the largest element, half of it 6.
"""

CUT_LIMIT = 2.0**16
"""Magnitudes from here on count as equal when they are cut, as they lie far beyond 12 of the largest E4M3 scales."""

BYTE_BITS = 8

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
        specials: the magnitudes beyond 6 that the code of negative zero can have, one or two, the smaller first. The
            block's asymmetry code says on which side, and which of two. A dot product still needs one sum only.
        tensor_scaled: whether `quantize` takes a float32 scale per tensor from the tensor unless told otherwise.
        ties: where ties go unless told otherwise, "nearest-away" or "nearest-even".
    """

    name: str
    scale: ScaleFormat
    asymmetric: bool = False
    halving: bool = False
    block_size: int = DEFAULT_BLOCK_SIZE
    specials: tuple[int, ...] = ()
    tensor_scaled: bool = False
    ties: Rounding = "nearest-away"

    def __post_init__(self) -> None:
        size = self.block_size
        if not isinstance(self.name, str) or not isinstance(self.scale, ScaleFormat):
            raise UsageError(f"{shown(self)} is not allowed; a name and a ScaleFormat are needed")
        if not {type(self.asymmetric), type(self.halving), type(self.tensor_scaled)} == {bool}:
            raise UsageError(f"{shown(self)} is not allowed; asymmetric, halving and tensor_scaled are bools")
        whole = type(self.specials) is tuple and all(map(is_integer, self.specials))
        if not whole or self.specials not in ((), (8,), (8, 12)):
            raise UsageError(f"{shown(self)} is not allowed; specials are (), (8,) or (8, 12)")
        if not isinstance(self.ties, str) or self.ties not in ROUNDINGS:
            raise UsageError(f"{shown(self)} is not allowed; ties is one of {', '.join(ROUNDINGS)}")
        if not is_integer(size):
            raise UsageError(f"block size {shown(size)} is not an integer; it is one of {_BLOCK_SIZES}")
        if not MIN_BLOCK_SIZE <= size <= MAX_BLOCK_SIZE or size & (size - 1):
            raise UsageError(f"block size {size} is not allowed; it is one of {_BLOCK_SIZES}")
        object.__setattr__(self, "block_size", int(size))
        if self.asymmetric + self.halving + bool(self.specials) > 1:
            raise UsageError(
                f"{self.name} has more than one of two free scales, halving and special values; one at most"
            )
        # 8 and 12 are what a lane places with one shift more. A scale of 7 bits leaves one of its byte for the side.
        if self.specials and self.scale.bits != 7:
            raise UsageError(f"{self.name} has special values and {self.scale.name} scales; they need scales of 7 bits")

    @property
    def default_block_size(self) -> int:
        """Elements per block where none are asked for: those of the format's entry in the table of formats."""
        return _BY_NAME.get(self.name, self).block_size

    @property
    def scales_per_block(self) -> int:
        """Free scales: 2 (positive, negative) when asymmetric, otherwise 1. Halving adds none."""
        return 2 if self.asymmetric else 1

    @property
    def label(self) -> str:
        """The name, with the block size where that is not the default: "AMXFP4-Z8/16". `block_format` reads it."""
        return self.name if self.block_size == self.default_block_size else f"{self.name}/{self.block_size}"

    @property
    def two_sided(self) -> bool:
        """Whether positive and negative elements can have different values, by scales, halving or special values."""
        return self.asymmetric or self.has_asymmetry_code

    @property
    def has_asymmetry_code(self) -> bool:
        """Whether a block has an asymmetry code beside its scale."""
        return self.asymmetry_bits > 0

    @property
    def asymmetry_bits(self) -> int:
        """Width of a block's asymmetry code: AMXFP4-X2 and AMXFP4-Z 2, AMXFP4-Z8 1, others 0."""
        return 2 if self.halving else len(self.specials)

    @property
    def asymmetry_codes(self) -> int:
        """How many asymmetry codes there are, 1 in a format without: it has one meaning."""
        return 1 << self.asymmetry_bits

    @property
    def scale_fields(self) -> int:
        """Fields of each block in `Blocks.scales`: its free scales, then the asymmetry code if there is one."""
        return self.scales_per_block + self.has_asymmetry_code

    @property
    def largest_element(self) -> float:
        """The largest magnitude of an element, in scales: 6, or the largest special value."""
        return float(max((ELEMENT_MAX, *self.specials)))

    @property
    def unit_exponent(self) -> int:
        """Every element is a multiple of 2 to this power, in scales: -1, or -2 where a side can be halved."""
        return -1 - self.halving

    @property
    def least_exponent(self) -> int:
        """The largest e for which every value is a multiple of 2**e: -17 for AMXFP4."""
        return self.scale.least_exponent + self.unit_exponent

    @property
    def asymmetry_bits_in_scale(self) -> int:
        """How many of the asymmetry code's bits, the low ones, lie in the idle top bits of the scale's byte."""
        return min(self.asymmetry_bits, BYTE_BITS - self.scale.bits)

    @property
    def asymmetry_bits_apart(self) -> int:
        """How many bits of the asymmetry code lie behind the tensor's last block: AMXFP4-X2 2, AMXFP4-Z 1, others 0."""
        return self.asymmetry_bits - self.asymmetry_bits_in_scale

    @property
    def bits_per_block(self) -> int:
        """Memory per block: a byte per free scale, four bits per element, and the asymmetry bits that lie apart."""
        return BYTE_BITS * self.scales_per_block + self.asymmetry_bits_apart + ELEMENT_BITS * self.block_size

    @property
    def bits_per_element(self) -> float:
        """Memory per element with its share of the scales: 4.25 for MXFP4, 4.5 for AMXFP4, 4.3125 for AMXFP4-X2."""
        return self.bits_per_block / self.block_size

    @property
    def bytes_per_block(self) -> int:
        """Bytes of a block's scales and elements. Asymmetry bits that lie apart are not counted, see `bytes_of`."""
        return self.scales_per_block + self.block_size // 2

    def bytes_of(self, blocks: int) -> int:
        """Bytes of `blocks` blocks in memory. Asymmetry bits that lie apart share bytes."""
        return blocks * self.bytes_per_block + -(-blocks * self.asymmetry_bits_apart // BYTE_BITS)


_TABLE = (
    BlockFormat("MXFP4", E8M0),
    BlockFormat("MXFP4-E5M2", E5M2),
    BlockFormat("MXFP4-E4M3", E4M3),
    BlockFormat("MXFP4-UE5M3", UE5M3),
    BlockFormat("AMXFP4-E5M2", E5M2, asymmetric=True),
    BlockFormat("AMXFP4-E4M3", E4M3, asymmetric=True),
    BlockFormat("AMXFP4-E8M0", E8M0, asymmetric=True),
    BlockFormat("AMXFP4-X2", UE5M3, halving=True),
    BlockFormat("AMXFP4-Z8", E4M3, specials=(8,)),
    BlockFormat("AMXFP4-Z", E4M3, specials=(8, 12)),
    BlockFormat("NVFP4", E4M3, block_size=16, tensor_scaled=True, ties="nearest-even"),
)
"""The facts of each block format. Its `block_size` here is its default; names are in upper case."""

_BY_NAME = {fmt.name: fmt for fmt in _TABLE}
_ALIASES = {"AMXFP4": "AMXFP4-E5M2"}

BLOCK_FORMAT_NAMES = tuple(_BY_NAME)
"""The names of the block formats; "AMXFP4" is another name for "AMXFP4-E5M2"."""


def block_format(name: str | BlockFormat, block_size: int | None = None) -> BlockFormat:
    """The block format called `name`, whose own name is the one in `BLOCK_FORMAT_NAMES`.

    Args:
        name: one of `BLOCK_FORMAT_NAMES` or "AMXFP4", in upper or lower case; the same with a block size, as in
            "AMXFP4-Z8/16"; or a `BlockFormat`, which passes through.
        block_size: elements per block. None takes the one in the name, otherwise the format's default (16 for NVFP4, 32
            for the others), or leaves the block size that a `BlockFormat` has.

    Raises:
        UsageError: an unknown name, a block size that is not a power of two from 8 to 128, or two block sizes.
    """
    if isinstance(name, BlockFormat):
        return name if block_size is None else replace(name, block_size=block_size)
    plain, slash, size = name.partition("/") if isinstance(name, str) else (name, "", "")
    fmt = _known(plain)
    if slash:
        if not (size.isascii() and size.isdigit()):
            raise UsageError(f"block size {size!r} of {name!r} is not an integer; it is one of {_BLOCK_SIZES}")
        if block_size not in (None, int(size)):
            raise UsageError(f"{name!r} and block size {block_size!r} contradict each other; one of them is enough")
        block_size = int(size)
    return fmt if block_size is None else replace(fmt, block_size=block_size)


def _known(name: object) -> BlockFormat:
    upper = name.upper() if isinstance(name, str) else ""
    canonical = _ALIASES.get(upper, upper)
    if canonical not in _BY_NAME:
        allowed = ", ".join((*_ALIASES, *BLOCK_FORMAT_NAMES))
        raise UsageError(f"unknown block format {shown(name)}; it is one of {allowed}")
    return _BY_NAME[canonical]
