"""Tensors from files: .npy, .npz and .safetensors."""

import importlib.util
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError

SUFFIXES = (".npy", ".npz", ".safetensors")

Result = TypeVar("Result")


def read_tensor(source: str) -> NDArray[Any]:
    """The tensor that `source` names: `file.npy`, `file.npz:key` or `file.safetensors:key`.

    The key may be left out where the file holds one tensor. NumPy stores bfloat16 as two-byte void, so two-byte void is
    read as bfloat16.

    Raises:
        UsageError: there is no such file or key, the file is of another kind, or it cannot be read.
    """
    path, key = _split(source)
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)!r}; a {path.suffix} file is needed")
    if path.suffix == ".npy":
        return _as_bfloat16(_reading(path, lambda: np.load(path, allow_pickle=False)))
    if path.suffix == ".npz":
        return _reading(path, lambda: _from_npz(path, key))
    return _reading(path, lambda: _from_safetensors(path, key))


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Every tensor of a .safetensors file by name.

    Raises:
        UsageError: the file is missing or cannot be read.
    """
    _needs_safetensors(path)
    from safetensors.numpy import load_file

    return _reading(path, lambda: load_file(path))


def _needs_safetensors(path: Path) -> None:
    if importlib.util.find_spec("safetensors") is None:
        raise UsageError(
            f"safetensors, which reads {str(path)!r}, is not installed; install the extra amxfp4[accuracy]"
        )


def _split(source: str) -> tuple[Path, str | None]:
    for suffix in SUFFIXES:
        if source.endswith(suffix):
            return Path(source), None
        before, separator, key = source.partition(f"{suffix}:")
        if separator and suffix != ".npy":
            return Path(before + suffix), key
    raise UsageError(f"cannot read a tensor from {source!r}; give file.npy, file.npz:key or file.safetensors:key")


def _reading(path: Path, read: Callable[[], Result]) -> Result:
    """The result of `read`.

    Raises:
        UsageError: whatever a library raised about the file, as one sentence.
    """
    try:
        return read()
    except UsageError:
        raise
    except Exception as error:
        # safetensors may not be installed, and its error descends from Exception alone. So it is told by its name.
        kinds = (OSError, ValueError, EOFError, zipfile.BadZipFile)
        if not isinstance(error, kinds) and type(error).__name__ != "SafetensorError":
            raise
        reason = " ".join(str(error).split()).split(". ")[0].rstrip(".")
        raise UsageError(f"cannot read {str(path)!r} ({reason}); an intact {path.suffix} file is needed") from None


def _from_npz(path: Path, key: str | None) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as file:
        return _as_bfloat16(file[_choose(path, key, list(file.files))])


def _from_safetensors(path: Path, key: str | None) -> NDArray[Any]:
    _needs_safetensors(path)
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        tensor: NDArray[Any] = file.get_tensor(_choose(path, key, list(file.keys())))
    return tensor


def _choose(path: Path, key: str | None, keys: list[str]) -> str:
    if key is None and len(keys) == 1:
        return keys[0]
    if key is None or key not in keys:
        problem = "holds more than one tensor" if key is None else f"has no tensor {key!r}"
        shown = ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")
        raise UsageError(f"{str(path)!r} {problem}; write {path.name}:key, the key one of {shown or 'none at all'}")
    return key


def _as_bfloat16(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(ml_dtypes.bfloat16) if array.dtype == np.dtype("V2") else array
