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
from amxfp4.golden.element_tables import scaled_elements
from amxfp4.golden.formats import BlockFormat, block_format
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import check_tensor_scale

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
            positive side's before the negative side's. In a format with asymmetry codes, the block's scale code comes
            before its asymmetry code.
        shape: the tensor's true shape, with the quantised axis where it was and its true length.
        fmt: the block format.
        axis: the index of the quantised axis in `shape`, counted from the front.
        tensor_scale: a float32 that all values are multiplied by; 1 in most formats.

    Raises:
        UsageError: a wrong dtype, code, shape or padding.
    """

    codes: NDArray[np.uint8]
    scales: NDArray[np.uint8]
    shape: tuple[int, ...]
    fmt: BlockFormat
    axis: int
    tensor_scale: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.fmt, BlockFormat):
            raise UsageError(f"fmt is {shown(self.fmt)}; a BlockFormat is needed, which block_format gives")
        shape = check_shape(self.shape)
        if shape != self.shape or check_axis(self.axis, shape) != self.axis:
            raise UsageError(
                f"shape {shown(self.shape)}, axis {self.axis!r} is not allowed; a tuple and an axis from 0 on are"
            )
        object.__setattr__(self, "tensor_scale", check_tensor_scale(self.tensor_scale))
        check_codes("element", self.codes, len(ELEMENT_VALUES) - 1)
        check_codes("scale", self.scales, 255)
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
        check_scales(self.scales[..., : self.fmt.scales_per_block], self.fmt.scale)
        if self.fmt.has_asymmetry_code:
            check_codes("asymmetry", self.scales[..., 1], self.fmt.asymmetry_codes - 1)
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
        factor = "" if self.tensor_scale == 1 else f" tensor_scale={self.tensor_scale:g}"
        return f"<Blocks {self.fmt.name} k={self.fmt.block_size} {self.shape}{axis}{factor}>"

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
        tensor_scale: float = 1.0,
    ) -> "Blocks":
        """Blocks along the last axis from codes and scales found elsewhere.

        Args:
            codes: uint8 (..., K), K a multiple of the block size. Code 8 is allowed: negative zero, or a special value.
            scales: uint8 (..., K / block size, 1 or 2), as the attribute `scales` has them. NaN codes are allowed.
            fmt: a block format or its name.
            length: true length when the last block is ragged: at most K, and less than a block below K.
            tensor_scale: a float32 that all values are multiplied by.

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
        return cls(codes, scales, (*codes.shape[:-1], length), fmt, codes.ndim - 1, tensor_scale)

    @in_own_settings
    def dequantize(self, dtype: Any = np.float32) -> NDArray[Any]:
        """The exact values, in the true shape. Every element of a block with a NaN scale is NaN.

        Everything that `quantize` gives fits a float32. Only E8M0 scales of 2^126 and 2^127 from elsewhere can exceed
        its range. With a tensor scale that is no power of two, float32 values are rounded once, ties to even.

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
            if self.tensor_scale == 1:
                _dequantize_blocks(flat_codes[part], flat_scales[part], self.fmt, flat_values[part])
            else:  # an element times its scale times the tensor's scale takes at most 31 bits, so float64 is exact
                exact = np.empty(flat_codes[part].shape, np.float64)
                _dequantize_blocks(flat_codes[part], flat_scales[part], self.fmt, exact)
                flat_values[part] = exact * self.tensor_scale
        if dtype == np.float32 and np.isinf(values).any():
            raise UsageError("a scale takes elements beyond float32's range; use dtype=np.float64")
        return np.moveaxis(values[..., : self.length], -1, self.axis)

    def to_bytes(self) -> bytes:
        """The blocks one after another, in the C order of `codes`, padding included. The tensor's scale is not in it.

        Each block is `fmt.bytes_per_block` bytes. First come its scales, one byte each, the positive side's first. Then
        come its element codes, two per byte, the earlier element in the low four bits.

        The low bits of the asymmetry code lie in the idle top bits of the scale's byte, if it has any. The other bits
        of all blocks follow the last block, packed without gaps, the earlier block in the lower bits. Unused bits are
        zero.
        """
        codes = self.codes.reshape(-1, self.fmt.block_size)
        packed = codes[:, 0::2] | (codes[:, 1::2] << 4)
        fields = self.scales.reshape(-1, self.fmt.scale_fields)
        scales = fields[:, : self.fmt.scales_per_block]
        apart = b""
        if self.fmt.has_asymmetry_code:
            scales, apart = _pack_asymmetry(scales, fields[:, -1], self.fmt)
        return np.concatenate([scales, packed], axis=1).tobytes() + apart

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        shape: Sequence[int],
        fmt: BlockFormat | str,
        axis: int = -1,
        tensor_scale: float = 1.0,
    ) -> "Blocks":
        """The inverse of `to_bytes`.

        Args:
            data: what `to_bytes` gave.
            shape: the tensor's true shape.
            fmt: a block format or its name.
            axis: the quantised axis.
            tensor_scale: a float32 that all values are multiplied by.

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
        if fmt.has_asymmetry_code:
            scales = _unpack_asymmetry(scales, every[packed.size :], fmt)
        codes = np.stack([pairs & 0xF, pairs >> 4], axis=-1)
        return cls(
            codes.reshape(*leading, blocks * fmt.block_size),
            scales.reshape(*leading, blocks, fmt.scale_fields),
            shape,
            fmt,
            axis,
            tensor_scale,
        )


def _own(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    copy = np.array(codes)
    copy.flags.writeable = False
    return copy


def _pack_asymmetry(
    scales: NDArray[np.uint8], asymmetry: NDArray[np.uint8], fmt: BlockFormat
) -> tuple[NDArray[np.uint8], bytes]:
    """Scale bytes (n, 1) with as many bits of the asymmetry codes (n,) as they have room for, and the other bits."""
    within = fmt.asymmetry_bits_in_scale
    low = asymmetry & ((1 << within) - 1)
    # A shift by 8 leaves nothing of a byte, as no bit of the code lies in it then.
    scales = scales | (low.astype(np.uint16) << fmt.scale.bits)[:, None].astype(np.uint8)
    bits = (asymmetry >> within)[:, None] >> np.arange(fmt.asymmetry_bits_apart) & 1
    return scales, np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()


def _unpack_asymmetry(scales: NDArray[np.uint8], apart: NDArray[np.uint8], fmt: BlockFormat) -> NDArray[np.uint8]:
    """Scale codes and asymmetry codes (n, 2), the inverse of `_pack_asymmetry`."""
    within = fmt.asymmetry_bits_in_scale
    bits = np.unpackbits(apart, bitorder="little")
    used = len(scales) * fmt.asymmetry_bits_apart
    if bits[used:].any():
        raise UsageError(f"a bit is set beyond the last of {len(scales)} asymmetry codes; unused bits are zero")
    high = bits[:used].reshape(len(scales), fmt.asymmetry_bits_apart)
    codes = (high << np.arange(fmt.asymmetry_bits_apart)).sum(axis=1).astype(np.uint8) << within
    if within:
        codes |= scales[:, 0] >> fmt.scale.bits
        scales = scales & np.uint8((1 << fmt.scale.bits) - 1)
    return np.column_stack([scales, codes])


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


def _dequantize_blocks(
    codes: NDArray[np.uint8], scales: NDArray[np.uint8], fmt: BlockFormat, out: NDArray[Any]
) -> None:
    """Write the values of blocks with `codes` (n, k) under `scales` (n, 1 or 2) to `out` (n, k)."""
    factors = np.ldexp(fmt.scale.values, fmt.unit_exponent).astype(out.dtype)
    out[:] = scaled_elements(codes, scales, fmt, factors[scales[:, : fmt.scales_per_block]])
