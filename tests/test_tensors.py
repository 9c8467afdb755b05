"""Tensors from files, and every way in which that fails."""

import importlib.util
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from amxfp4.errors import UsageError
from amxfp4.tensors import read_safetensors, read_tensor

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Y = X.astype(np.float16) + 1


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.save("bf16.npy", X.astype(ml_dtypes.bfloat16))
    np.savez("one.npz", x=X)
    np.savez("two.npz", **{"x": X, "layer.0/y": Y})
    np.savez("bf16.npz", x=X.astype(ml_dtypes.bfloat16))
    save_file({"x": X, "y": Y}, "two.safetensors")
    save_file({"b": X.astype(ml_dtypes.bfloat16)}, "one.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x.npy", X),
        ("one.npz", X),
        ("one.npz:x", X),
        ("two.npz:layer.0/y", Y),
        ("two.safetensors:y", Y),
        ("one.safetensors", X.astype(ml_dtypes.bfloat16)),
        ("bf16.npy", X.astype(ml_dtypes.bfloat16)),
        ("bf16.npz", X.astype(ml_dtypes.bfloat16)),
    ],
)
def test_every_kind_of_file(files: Path, source: str, expected: np.ndarray) -> None:
    found = read_tensor(source)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x.bin", "cannot read a tensor from 'x.bin'; give file.npy"),
        ("x.npy:x", "cannot read a tensor from 'x.npy:x'"),
        ("none.npy", "there is no file 'none.npy'"),
        ("none.npz:x", "there is no file 'none.npz'"),
        ("two.npz", "holds more than one tensor; write two.npz:key, the key one of x, layer.0/y"),
        ("two.npz:z", "has no tensor 'z'"),
        ("two.safetensors", "holds more than one tensor; write two.safetensors:key, the key one of x, y"),
        ("text.npy", "cannot read 'text.npy'"),
        ("text.npz:x", "cannot read 'text.npz'"),
        ("text.safetensors:x", "cannot read 'text.safetensors'"),
        ("cut.npy", "cannot read 'cut.npy'"),
        ("empty.npy", "cannot read 'empty.npy'"),
        ("objects.npy", "cannot read 'objects.npy'"),
    ],
)
def test_mistakes_are_one_sentence(files: Path, source: str, says: str) -> None:
    for suffix in "npy", "npz", "safetensors":
        Path(f"text.{suffix}").write_text("These are no tensors. At all.")
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:-5])
    Path("empty.npy").touch()
    np.save("objects.npy", np.array([None, "x"]), allow_pickle=True)
    with pytest.raises(UsageError) as caught:
        read_tensor(source)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_tensor_of_a_file(files: Path) -> None:
    found = read_safetensors(Path("two.safetensors"))
    assert set(found) == {"x", "y"}
    np.testing.assert_array_equal(found["y"], Y)
    with pytest.raises(UsageError, match=r"none\.safetensors"):
        read_safetensors(Path("none.safetensors"))


def test_without_safetensors_the_extra_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"is not installed; install the extra amxfp4\[accuracy\]"):
        read_tensor("two.safetensors:y")
    np.testing.assert_array_equal(read_tensor("x.npy"), X)
