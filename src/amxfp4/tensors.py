"""Tensors from files: .npy, .npz and .safetensors.

Memory is taken as data is read, never for what a header merely claims.
"""

import importlib.util
import json
import math
import os
import warnings
import zipfile
from pathlib import Path
from typing import IO, Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.files import check_readable, reading

SUFFIXES = (".npy", ".npz", ".safetensors")

_PIECE = 1 << 24
"""Bytes read at a time."""

_LONGEST_HEADER = 10_000
"""Bytes that NumPy allows the header of an .npy file."""

_DTYPES: dict[str, Any] = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": ml_dtypes.bfloat16,
    "C64": "<c8",
    "BOOL": "?",
    **{f"{kind}{8 * size}": f"<{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)},
}
"""The data types of .safetensors that are arrays as they are."""

_SMALL_FLOATS: dict[str, Any] = {
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F4": ml_dtypes.float4_e2m1fn,
}
"""Those that are read as float32, which holds each of their values."""


def read_tensor(source: str) -> NDArray[Any]:
    """The tensor that `source` names: `file.npy`, `file.npz:key` or `file.safetensors:key`.

    The key may be left out where the file holds one tensor. NumPy stores bfloat16 as two-byte void, so two-byte void is
    read as bfloat16. The floats of .safetensors with 8 bits or 4, E8M0 among them, are read as float32 with the same
    values.

    Returns:
        The tensor in the machine's byte order, C-contiguous.

    Raises:
        UsageError: there is no such file or key, the file is of another kind, or it cannot be read.
    """
    path, key = _split(source)
    if path.suffix == ".npz":
        return _from_npz(path, key)
    if path.suffix == ".safetensors":
        header = _Safetensors(path)
        return header.read(_choose(path, key, list(header.entries)))
    with reading(path, _needed(path)), path.open("rb") as file:
        return _read_npy(file, path.stat().st_size)


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a .safetensors file by name, as `read_tensor` gives them.

    Raises:
        UsageError: the file is missing or cannot be read.
    """
    header = _Safetensors(path)
    return {name: header.read(name) for name in header.entries}


def _needed(path: Path) -> str:
    return f"an intact {path.suffix} file"


def _split(source: str) -> tuple[Path, str | None]:
    for suffix in SUFFIXES:
        if source.endswith(suffix):
            return Path(source), None
        before, separator, key = source.partition(f"{suffix}:")
        if separator and suffix != ".npy":
            return Path(before + suffix), key
    raise UsageError(f"cannot read a tensor from {source!r}; give file.npy, file.npz:key or file.safetensors:key")


def _choose(path: Path, key: str | None, keys: list[str]) -> str:
    if key is None and len(keys) == 1:
        return keys[0]
    if key is None or key not in keys:
        problem = "holds more than one tensor" if key is None and keys else f"has no tensor {key or ''!r}"
        shown = ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
        raise UsageError(f"{str(path)!r} {problem}; write {path.name}:key, the key one of {shown or 'none at all'}")
    return key


def _from_npz(path: Path, key: str | None) -> NDArray[Any]:
    with reading(path, _needed(path)), zipfile.ZipFile(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        info = members[_choose(path, key, list(members))]
        with archive.open(info) as member:
            return _read_npy(member, info.file_size)


def _read_npy(file: IO[bytes], size: int) -> NDArray[Any]:
    """The array that a stream in .npy format has.

    Args:
        file: the stream, at its beginning.
        size: its length in bytes.

    Raises:
        Exception: it is not in that format, or holds more or less than it claims.
    """
    formats = np.lib.format
    version = formats.read_magic(file)
    if version not in ((1, 0), (2, 0)):  # 3.0 is for names of fields
        raise ValueError(f"it is of version {version[0]}.{version[1]} of the format, not 1.0 or 2.0")
    if version == (2, 0):
        length = int.from_bytes(file.read(4), "little")
        file.seek(-4, os.SEEK_CUR)
        if length > _LONGEST_HEADER:  # for which NumPy would take the memory before it finds the file too short
            raise ValueError(f"its header claims {length} bytes for itself")
    with warnings.catch_warnings():  # of Python's parser, about what is no header in the first place
        warnings.simplefilter("ignore")
        header = formats.read_array_header_1_0 if version == (1, 0) else formats.read_array_header_2_0
        shape, fortran, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which would run code as they are read")
    claimed, held = math.prod(shape) * dtype.itemsize, size - file.tell()
    if claimed != held or min(shape, default=0) < 0:
        raise ValueError(f"its header claims shape {shape} of {dtype}, {claimed} bytes, and {held} follow")
    data = _exactly(file, claimed)
    if file.read(1):  # at its end a member of a .zip is held to its checksum, so the end has to be met
        raise ValueError("it goes on behind its data")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    array = np.asarray(array, dtype.newbyteorder("="), order="C")
    return array.view(ml_dtypes.bfloat16) if dtype == np.dtype("V2") else array


def _exactly(file: IO[bytes], size: int) -> bytearray:
    """The stream's next `size` bytes."""
    data = bytearray()
    while len(data) < size and (piece := file.read(min(_PIECE, size - len(data)))):
        data += piece
    if len(data) != size:
        raise EOFError(f"{size} bytes of data are claimed, and {len(data)} are there")
    return data


class _Safetensors:
    """A .safetensors file whose header was read and found right.

    Attributes:
        entries: `dtype`, `shape` and `data_offsets` of each tensor by name.

    Raises:
        UsageError: the file is missing, is of another kind, or the library for it is not installed.
    """

    def __init__(self, path: Path) -> None:
        check_readable(path, _needed(path))
        if importlib.util.find_spec("safetensors") is None:
            raise UsageError(
                f"safetensors, which reads {str(path)!r}, is not installed; install the extra amxfp4[accuracy]"
            )
        from safetensors import safe_open

        self._path = path
        with reading(path, _needed(path)):
            with safe_open(path, framework="np"):
                pass  # the library checks every entry, and that the data is as long as the header says
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                self.entries: dict[str, Any] = json.loads(file.read(length))
            self.entries.pop("__metadata__", None)
            self._data = 8 + length

    def read(self, name: str) -> NDArray[Any]:
        """A tensor.

        The library reads none of the small floats into NumPy, though `ml_dtypes` has them.

        Raises:
            UsageError: the file has changed, or the tensor is of a data type that is not read.
        """
        entry = self.entries[name]
        kind, shape = entry["dtype"], entry["shape"]
        dtype = _DTYPES.get(kind) or _SMALL_FLOATS.get(kind)
        if dtype is None:
            allowed = ", ".join((*_DTYPES, *_SMALL_FLOATS))
            raise UsageError(f"tensor {name!r} of {str(self._path)!r} is {kind}; allowed are {allowed}")
        if kind == "F4" and shape and shape[-1] % 2:
            raise UsageError(
                f"tensor {name!r} of {str(self._path)!r} is F4 of shape {shape}; rows of whole bytes are needed, "
                f"two elements each"
            )
        begin, end = entry["data_offsets"]
        with reading(self._path, _needed(self._path)), self._path.open("rb") as file:
            file.seek(self._data + begin)
            data = np.frombuffer(_exactly(file, end - begin), np.uint8)
            if kind == "F4":  # the first of two elements is in the lower half of their byte
                data = np.stack([data & 15, data >> 4], axis=-1).ravel()
            array = data.view(dtype).reshape(shape)
            meant = np.dtype(np.float32) if kind in _SMALL_FLOATS else array.dtype.newbyteorder("=")
            return array.astype(meant, copy=False)
