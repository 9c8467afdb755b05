"""A quantised tensor: element codes and scales, to bytes and back, and its exact values."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.arguments import is_integer
from amxfp4.golden.codes import ELEMENT_VALUES, check_codes, check_scales
from amxfp4.golden.formats import ASYMMETRY_BITS, ASYMMETRY_CODES, BlockFormat, block_format
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.sides import side_codes, side_tables

_CHUNK_ELEMENTS = 1 << 16
"""Elements dequantised at a time: few enough for their temporaries to stay in a core's cache."""


@dataclass(frozen=True, eq=False, repr=False)
class Blocks:
    """A tensor in a block format. All of its parts are checked when it is made.

    `quantize` makes Blocks of floats, `Blocks.from_codes` of codes found elsewhere, `Blocks.from_bytes` of memory.

    The quantised axis is stored last: `codes` and `scales` keep the other axes in their order. They are copies of what
    was given and cannot be written, so that what was checked stays so.

    Attributes:
        codes: uint8 (..., K padded to whole blocks), each an element code 0..15; zero in the padding.
        scales: uint8 (..., blocks, 1 or 2). A symmetric format has one scale code per block, an asymmetric one two, the
            positive side's before the negative side's. With halving, the block's scale code comes before its asymmetry
            code 0..3.
        shape: the tensor's true shape, with the quantised axis where it was and its true length.
        fmt: the block format.
        axis: the index of the quantised axis in `shape`, counted from the front.

    Raises:
        UsageError: a wrong dtype, code, shape or padding.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.uint8]
    shape: tuple[int, ...]
    fmt: BlockFormat
    axis: int

    def __post_init__(self) -> None:
        if not isinstance(self.fmt, BlockFormat):
            raise UsageError(f"fmt is {shown(self.fmt)}; a BlockFormat is needed, which block_format gives")
        shape = check_shape(self.shape)
        if shape != self.shape or check_axis(self.axis, shape) != self.axis:
            raise UsageError(
                f"shape {shown(self.shape)}, axis {self.axis!r} is not allowed; a tuple and an axis from 0 on are"
            )
        check_codes("element", self.codes, len(ELEMENT_VALUES) - 1)
        check_scales(self.scales, self.fmt.scale)
        own = {"shape": shape, "axis": int(self.axis), "codes": _own(self.codes), "scales": _own(self.scales)}
        for name, value in own.items():
            object.__setattr__(self, name, value)
        leading = self.shape[: self.axis] + self.shape[self.axis + 1 :]
        blocks = -(-self.length // self.fmt.block_size)
        codes_shape = (*leading, blocks * self.fmt.block_size)
        scales_shape = (*leading, blocks, self.fmt.scale_fields)
        if self.codes.shape != codes_shape:
            raise UsageError(f"codes have shape {self.codes.shape}; {self._described()} needs {codes_shape}")
        if self.scales.shape != scales_shape:
            raise UsageError(f"scales have shape {self.scales.shape}; {self._described()} needs {scales_shape}")
        if self.fmt.halving:
            check_codes("asymmetry", self.scales[..., 1], ASYMMETRY_CODES - 1)
        if self.codes[..., self.length :].any():
            raise UsageError(f"an element code beyond the length {self.length} is not 0; padding is zero")

    @property
    def length(self) -> int:
        """Elements along the quantised axis, padding not counted."""
        return self.shape[self.axis]

    @property
    def block_count(self) -> int:
        """Blocks along the quantised axis, a ragged last one included."""
        return self.scales.shape[-2]

    def __repr__(self) -> str:
        axis = "" if self.axis == len(self.shape) - 1 else f" axis={self.axis}"
        return f"<Blocks {self.fmt.name} k={self.fmt.block_size} {self.shape}{axis}>"

    def _described(self) -> str:
        fmt = self.fmt
        return f"{fmt.name} in blocks of {fmt.block_size} along axis {self.axis} of a {self.shape} tensor"

    @classmethod
    def from_codes(
        cls,
        *,
        codes: NDArray[np.uint8],
        scales: NDArray[np.uint8],
        fmt: BlockFormat | str,
        length: int | None = None,
    ) -> "Blocks":
        """Blocks along the last axis from codes and scales found elsewhere.

        Args:
            codes: uint8 (..., K), K a multiple of the block size. Code 8, negative zero, is allowed.
            scales: uint8 (..., K / block size, 1 or 2), as the attribute `scales` has them. NaN codes are allowed.
            fmt: a block format or its name.
            length: true length when the last block is ragged: at most K, and less than a block below K.

        Raises:
            UsageError: a wrong dtype, code or shape, a reserved bit that is set, or padding that is not zero.
        """
        fmt = block_format(fmt)
        check_codes("element", codes, len(ELEMENT_VALUES) - 1)
        if codes.ndim == 0 or codes.shape[-1] % fmt.block_size:
            raise UsageError(
                f"codes have shape {codes.shape}; the last axis is a multiple of the block size, {fmt.block_size}"
            )
        padded = codes.shape[-1]
        length = padded if length is None else length
        if not is_integer(length):
            raise UsageError(f"length {shown(length)} is not an integer")
        if not max(padded - fmt.block_size, -1) < length <= padded:
            raise UsageError(
                f"length {length} does not fit {padded} codes; it is at most {padded}, "
                f"and more than {padded - fmt.block_size}"
            )
        return cls(codes, scales, (*codes.shape[:-1], length), fmt, codes.ndim - 1)

    @in_own_settings
    def dequantize(self, dtype: Any = np.float32) -> NDArray[Any]:
        """The exact values, in the true shape. Every element of a block with a NaN scale is NaN.

        Everything that `quantize` gives fits a float32. Only E8M0 scales of 2^126 and 2^127 from elsewhere can exceed
        its range.

        Args:
            dtype: np.float32, or np.float64, which holds all values.

        Raises:
            UsageError: a value beyond float32's range, or a dtype other than float32 and float64.
        """
        try:
            dtype = np.dtype(dtype if dtype is not None else object)  # None would be float64
        except Exception:  # of many kinds: whatever NumPy has against it
            raise UsageError(f"cannot dequantize to {shown(dtype)}; it is float32 or float64") from None
        if dtype not in (np.float32, np.float64):
            raise UsageError(f"cannot dequantize to {dtype}; it is float32 or float64")
        values = np.empty(self.codes.shape, dtype)
        flat_values = values.reshape(-1, self.fmt.block_size)
        flat_codes = self.codes.reshape(-1, self.fmt.block_size)
        flat_scales = self.scales.reshape(-1, self.fmt.scale_fields)
        rows = max(1, _CHUNK_ELEMENTS // self.fmt.block_size)
        for start in range(0, len(flat_codes), rows):
            part = slice(start, start + rows)
            _dequantize_blocks(flat_codes[part], flat_scales[part], self.fmt, flat_values[part])
        if dtype == np.float32 and not self.fmt.scale.is_fp8 and np.isinf(values).any():
            raise UsageError(
                f"a {self.fmt.scale.name} scale takes elements beyond float32's range; use dtype=np.float64"
            )
        return np.moveaxis(values[..., : self.length], -1, self.axis)

    def to_bytes(self) -> bytes:
        """The blocks one after another, in the C order of `codes`, padding included.

        Each block is `fmt.bytes_per_block` bytes. First come its scales, one byte each, the positive side's first. Then
        come its element codes, two per byte, the earlier element in the low four bits.

        With halving, the asymmetry codes of all blocks follow the last block, four per byte, the earlier block in the
        lower bits. Unused bits are zero.
        """
        codes = self.codes.reshape(-1, self.fmt.block_size)
        packed = codes[:, 0::2] | (codes[:, 1::2] << 4)
        fields = self.scales.reshape(-1, self.fmt.scale_fields)
        scales = fields[:, : self.fmt.scales_per_block]
        data = np.concatenate([scales, packed], axis=1).tobytes()
        return data + _pack_asymmetry(fields[:, 1]) if self.fmt.halving else data

    @classmethod
    def from_bytes(cls, data: bytes, *, shape: Sequence[int], fmt: BlockFormat | str, axis: int = -1) -> "Blocks":
        """The inverse of `to_bytes`.

        Args:
            data: what `to_bytes` gave.
            shape: the tensor's true shape.
            fmt: a block format or its name.
            axis: the quantised axis.

        Raises:
            UsageError: a wrong number of bytes, a wrong axis, or contents that `from_codes` would refuse.
        """
        fmt = block_format(fmt)
        shape = check_shape(shape)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise UsageError(f"data is of type {type(data).__name__}; it must be bytes")
        axis = check_axis(axis, shape)
        leading = shape[:axis] + shape[axis + 1 :]
        blocks = -(-shape[axis] // fmt.block_size)
        count = prod(leading) * blocks
        needed = fmt.bytes_of(count)
        if len(data) != needed:
            raise UsageError(f"{len(data)} bytes were given; {fmt.name} of shape {shape} takes {needed}")
        every = np.frombuffer(data, np.uint8)
        packed = every[: count * fmt.bytes_per_block].reshape(count, fmt.bytes_per_block)
        scales, pairs = packed[:, : fmt.scales_per_block], packed[:, fmt.scales_per_block :]
        if fmt.halving:
            scales = np.column_stack([scales, _unpack_asymmetry(every[packed.size :], count)])
        codes = np.stack([pairs & 0xF, pairs >> 4], axis=-1)
        return cls(
            codes.reshape(*leading, blocks * fmt.block_size),
            scales.reshape(*leading, blocks, fmt.scale_fields),
            shape,
            fmt,
            axis,
        )


def _own(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    copy = np.array(codes)
    copy.flags.writeable = False
    return copy


_ASYMMETRY_SHIFTS = np.arange(0, 8, ASYMMETRY_BITS, dtype=np.uint8)
"""The lowest bit of each asymmetry code in a byte."""


def _pack_asymmetry(codes: NDArray[np.uint8]) -> bytes:
    missing = -len(codes) % len(_ASYMMETRY_SHIFTS)
    by_byte = np.pad(codes, (0, missing)).reshape(-1, len(_ASYMMETRY_SHIFTS))
    return np.bitwise_or.reduce(by_byte << _ASYMMETRY_SHIFTS, axis=1).tobytes()


def _unpack_asymmetry(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    codes = ((packed[:, None] >> _ASYMMETRY_SHIFTS) & np.uint8(ASYMMETRY_CODES - 1)).ravel()
    if codes[count:].any():
        raise UsageError(f"a bit is set beyond the last of {count} asymmetry codes; unused bits are zero")
    return codes[:count]


def check_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """`shape` as a tuple of integers. Anything but a sequence of whole numbers, each at least 0, is refused."""
    if not isinstance(shape, Sequence) or not all(is_integer(size) and size >= 0 for size in shape):
        raise UsageError(f"shape {shown(shape)} is not allowed; it is a sequence of integers, each at least 0")
    return tuple(int(size) for size in shape)


def check_axis(axis: int, shape: tuple[int, ...]) -> int:
    """`axis` counted from the front. An axis that `shape` does not have is refused."""
    if not shape:
        raise UsageError("a scalar has no axis to quantize along; it needs at least one dimension")
    if not is_integer(axis):
        raise UsageError(f"axis {shown(axis)} is not an integer")
    if not -len(shape) <= axis < len(shape):
        raise UsageError(f"axis {axis} is out of range; shape {shape} has axes {-len(shape)} to {len(shape) - 1}")
    return int(axis) % len(shape)


_POSITIVE_VALUES = np.maximum(ELEMENT_VALUES, 0)
_NEGATIVE_VALUES = np.minimum(ELEMENT_VALUES, 0)


def _dequantize_blocks(
    codes: NDArray[np.uint8], scales: NDArray[np.uint8], fmt: BlockFormat, out: NDArray[Any]
) -> None:
    """Write the values of blocks with `codes` (n, k) under `scales` (n, 1 or 2) to `out` (n, k)."""
    factors = side_tables(fmt).values.astype(out.dtype)[side_codes(scales, fmt)]
    with np.errstate(over="ignore"):  # the caller looks for infinities
        if fmt.two_sided:
            # The sum is exact: one addend is zero, unless a scale is NaN and makes the sum NaN.
            np.multiply(_POSITIVE_VALUES.astype(out.dtype)[codes], factors[:, :1], out=out)
            out += _NEGATIVE_VALUES.astype(out.dtype)[codes] * factors[:, 1:]
        else:
            np.multiply(ELEMENT_VALUES.astype(out.dtype)[codes], factors, out=out)
            out += 0  # a negative element under a zero scale is 0, not -0
