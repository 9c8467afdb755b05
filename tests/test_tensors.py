"""Tensors from files, and every way in which that fails."""

import importlib.util
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
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
    np.savez_compressed("packed.npz", x=X, y=Y)
    np.save("big.npy", X.astype(">f4"))
    np.save("fortran.npy", np.asfortranarray(X))
    np.save("scalar.npy", X[1, 1])
    np.save("nothing.npy", X[:0])
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
        ("big.npy", X),
        ("fortran.npy", X),
        ("scalar.npy", X[1, 1]),
        ("nothing.npy", X[:0]),
        ("packed.npz:y", Y),
    ],
)
def test_every_kind_of_file(files: Path, source: str, expected: np.ndarray) -> None:
    found = read_tensor(source)
    assert found.dtype == expected.dtype
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)


def as_safetensors(kind: str, shape: list[int], data: bytes) -> bytes:
    header = json.dumps({"t": {"dtype": kind, "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    return len(header).to_bytes(8, "little") + header + data


@pytest.mark.parametrize(
    ("kind", "codes", "values"),
    [
        ("F8_E4M3", [0x00, 0x01, 0x38, 0x7E, 0xB8, 0x7F], [0, 2**-9, 1, 448, -1, np.nan]),
        ("F8_E5M2", [0x00, 0x01, 0x3C, 0x7B, 0xFC, 0x7E], [0, 2**-16, 1, 57344, -np.inf, np.nan]),
        ("F8_E4M3FNUZ", [0x00, 0x01, 0x40, 0x7F, 0xC0, 0x80], [0, 2**-10, 1, 240, -1, np.nan]),
        ("F8_E5M2FNUZ", [0x00, 0x01, 0x40, 0x7F, 0xC0, 0x80], [0, 2**-17, 1, 57344, -1, np.nan]),
        ("F8_E8M0", [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF], [2**-127, 2**-126, 1, 2, 2.0**127, np.nan]),
        # Two elements a byte, the first in its lower half.
        ("F4", [0x10, 0x32, 0x54, 0x76, 0x98, 0xFA], [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -6]),
    ],
)
def test_small_floats_are_read_by_value(tmp_path: Path, kind: str, codes: list[int], values: list[float]) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(as_safetensors(kind, [2, len(values) // 2], bytes(codes)))
    found = read_tensor(str(path))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32(values).reshape(2, -1))
    signs = (np.signbit(values).reshape(2, -1), np.signbit(found))
    assert np.array_equal(*(sign & ~np.isnan(found) for sign in signs))


@pytest.mark.parametrize("kind", ["F64", "I8", "U64", "BOOL"])
def test_other_numbers_are_read_as_they_are(tmp_path: Path, kind: str) -> None:
    dtype = {"F64": np.float64, "I8": np.int8, "U64": np.uint64, "BOOL": np.bool_}[kind]
    save_file({"t": X.astype(dtype)}, tmp_path / "x.safetensors")
    found = read_tensor(str(tmp_path / "x.safetensors"))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, X.astype(dtype))


def damaged(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "packed"])
@pytest.mark.parametrize("back", [40, 400])
def test_a_flipped_bit_in_an_archive_is_noticed(tmp_path: Path, save: Callable[..., None], back: int) -> None:
    path = tmp_path / "x.npz"
    save(path, x=np.random.default_rng(1).normal(size=3000))
    whole = path.read_bytes()
    with pytest.raises(UsageError, match=r"an intact \.npz file is needed"):
        path.write_bytes(damaged(whole, whole.rfind(b"PK\1\2") - back))
        read_tensor(str(path))


@pytest.mark.parametrize("claimed", ["(10000000, 10000000)", "(-1, 3)", "(2, 2)", "(2, 3, 'x')", "2", "(0, 10**99)"])
def test_what_a_header_claims_is_not_taken_for_granted(files: Path, claimed: str) -> None:
    whole = Path("x.npy").read_bytes()
    old = b"(2, 3), }"
    assert old in whole
    header = whole.replace(old + b" " * (len(claimed) - 6), claimed.encode() + b", }")
    assert len(header) == len(whole) or len(claimed) < 6
    Path("claims.npy").write_bytes(header)
    with zipfile.ZipFile("claims.npz", "w") as archive:
        archive.writestr("x.npy", header)
    for name in ("claims.npy", "claims.npz"):
        tracemalloc.start()
        with pytest.raises(UsageError, match="cannot read 'claims"):
            read_tensor(name)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


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
        ("objects.npy", "cannot read 'objects.npy' (it holds Python objects"),
        ("longer.npy", "24 bytes, and 30 follow"),
        ("header.npy", "cannot read 'header.npy'"),
        ("second.npy", "its header claims 1701062523 bytes for itself"),
        ("third.npy", "version 3.0 of the format, not 1.0 or 2.0"),
        ("zeroth.npy", "version 0.0 of the format, not 1.0 or 2.0"),
        ("renamed.npz", "cannot read 'renamed.npz' (File is not a zip file)"),
        ("folder.npy", "'folder.npy' is a folder; an intact .npy file is needed"),
        ("pipe.npz", "'pipe.npz' is a device or a pipe"),
        ("empty.npz", "cannot read 'empty.npz'"),
        ("none.safetensors", "there is no file 'none.safetensors'"),
        ("nothing.npz", "'nothing.npz' has no tensor ''; write nothing.npz:key, the key one of none at all"),
        ("six.safetensors", "tensor 't' of 'six.safetensors' is F6_E2M3; allowed are F64, F32, F16, BF16"),
        ("odd.safetensors", "is F4 of shape [2, 3]; rows of whole bytes are needed, two elements each"),
        ("short.safetensors", "cannot read 'short.safetensors'"),
        ("a" * 300 + ".npy", "; an intact .npy file is needed"),
    ],
)
def test_mistakes_are_one_sentence(files: Path, source: str, says: str) -> None:
    for suffix in "npy", "npz", "safetensors":
        Path(f"text.{suffix}").write_text("These are no tensors. At all.")
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:-5])
    Path("empty.npy").touch()
    np.save("objects.npy", np.array([None, "x"]), allow_pickle=True)
    whole = Path("x.npy").read_bytes()
    Path("longer.npy").write_bytes(whole + b"longer")
    Path("header.npy").write_bytes(whole[:60])
    Path("second.npy").write_bytes(b"\x93NUMPY\2\0{'de" + whole[12:])
    Path("zeroth.npy").write_bytes(b"\x93NUMPY\0\0{'de" + whole[12:])
    Path("third.npy").write_bytes(whole.replace(b"NUMPY\1", b"NUMPY\3"))
    Path("renamed.npz").write_bytes(whole)
    Path("folder.npy").mkdir()
    os.mkfifo("pipe.npz")
    Path("empty.npz").touch()
    np.savez("nothing.npz")
    Path("six.safetensors").write_bytes(as_safetensors("F6_E2M3", [2, 4], bytes(6)))
    Path("odd.safetensors").write_bytes(as_safetensors("F4", [2, 3], bytes(3)))
    Path("short.safetensors").write_bytes(as_safetensors("F32", [2, 4], bytes(32))[:-1])
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
