"""Broken files of every kind that a user may name: one sentence or what they hold, in little memory."""

import json
import re
import struct
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from helpers import report_samples
from hypothesis import given, settings
from hypothesis import strategies as st

from amxfp4.accuracy.weights import load_encoder
from amxfp4.errors import UsageError
from amxfp4.report import inputs
from amxfp4.synth import sweep
from amxfp4.tensors import read_safetensors, read_tensor

MEGABYTES = 16
"""Far more than any of these files holds, and far less than what a broken one may claim."""

X = np.arange(48, dtype=np.float32).reshape(4, 12)


def saved(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def zipped(save: Callable[..., None]) -> bytes:
    file = BytesIO()
    save(file, x=X, **{"layer.0/w": X.astype(np.float16)})
    return file.getvalue()


def safetensors(*kinds: tuple[str, int]) -> bytes:
    """A file with a tensor of two rows of four of each data type."""
    header, data = {}, b""
    for kind, bits in kinds:
        header[kind] = {"dtype": kind, "shape": [2, 4], "data_offsets": [len(data), len(data) + bits]}
        data += bytes(range(bits))
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def lines() -> bytes:
    return b"".join(json.dumps({"key": str(n), **r}).encode() + b"\n" for n, r in enumerate(REPORT["area"]))


REPORT = {
    "area": report_samples.area_records()[:2],
    "sweep": report_samples.sweep_records()[:2],
    "accuracy": report_samples.study() | {"cases": report_samples.study()["cases"][:1]},
    "fpga": report_samples.fpga_records()[:1],
    "energy": report_samples.energy_records()[:1],
}

CONFIG = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute", "layer_norm_eps": 1e-12}


def report(path: Path) -> None:
    """Reads it in place of one of the report's files."""
    files = {name: path.with_name(f"whole-{name}.json") for name in REPORT}
    inputs.read_inputs(**files | {path.stem: path})


KINDS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "x.npy": (saved(X), lambda path: read_tensor(str(path))),
    "fortran.npy": (saved(np.asfortranarray(X.astype(">f2"))), lambda path: read_tensor(str(path))),
    "bf16.npy": (saved(X.astype(ml_dtypes.bfloat16)), lambda path: read_tensor(str(path))),
    "stored.npz": (zipped(np.savez), lambda path: read_tensor(f"{path}:x")),
    "packed.npz": (zipped(np.savez_compressed), lambda path: read_tensor(f"{path}:layer.0/w")),
    "x.safetensors": (
        safetensors(("F32", 32), ("BF16", 16), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F4", 4)),
        read_safetensors,
    ),
    "results.jsonl": (lines(), lambda path: sweep.Results(path).__exit__(None, None, None)),
    "config.json": (
        json.dumps(CONFIG | {"num_attention_heads": 2, "num_hidden_layers": 1}).encode(),
        lambda path: load_encoder(path.parent),
    ),
    **{f"{name}.json": (json.dumps(content).encode(), report) for name, content in REPORT.items()},
}
"""A whole file of each kind, and what reads it."""

HOSTILE = [
    *(b"-1", b"0", b"7", b"10000000", b"1e999", b"9" * 30, b"NaN", b"null", b"true", b"[]", b"{}", b'""', b"[[[["),
    *(b"O", b">f8", b"V2", b"c16", b"(10000000, 10000000)", b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\0" * 8, b"\xf0"),
]


@st.composite
def broken(draw: st.DrawFn, whole: bytes) -> bytes:
    """The file with some of it flipped, cut off, inserted, repeated, or put in the place of a word or a number."""
    data = whole
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        kind = draw(st.sampled_from(("flip", "cut", "insert", "repeat", "word")))
        if kind == "flip" and data:
            data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at] + draw(st.sampled_from((b"", data[at + draw(st.integers(1, 9)) :])))
        elif kind == "insert":
            data = data[:at] + draw(st.sampled_from(HOSTILE) | st.binary(max_size=8)) + data[at:]
        elif kind == "repeat":
            data = data[: at + draw(st.integers(1, 99))] + data[at:]
        elif words := list(re.finditer(rb"[\w.+-]+|[][{}()]", data)):
            word = draw(st.sampled_from(words))
            data = data[: word.start()] + draw(st.sampled_from(HOSTILE)) + data[word.end() :]
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a whole file for each of the report's."""
    folder = tmp_path_factory.mktemp("readers")
    for name, content in REPORT.items():
        (folder / f"whole-{name}.json").write_text(json.dumps(content))
    return folder


def check(path: Path, data: bytes, read: Callable[[Path], object]) -> bool:
    """Whether a file is read. Anything else is refused in one sentence, and neither takes much memory."""
    path.write_bytes(data)
    tracemalloc.start()
    try:
        read(path)
        return True
    except UsageError as error:
        assert "\n" not in str(error)
        return False
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < MEGABYTES << 20


@pytest.mark.parametrize("name", [name for name in KINDS if name != "config.json"])  # whose model is not there
def test_whole_files_are_read(folder: Path, name: str) -> None:
    data, read = KINDS[name]
    assert check(folder / name, data, read)


@pytest.mark.parametrize("name", KINDS)
def test_broken_files(folder: Path, name: str) -> None:
    whole, read = KINDS[name]

    @given(broken(whole))
    @settings(max_examples=40)
    def holds(data: bytes) -> None:
        check(folder / name, data, read)

    holds()


@pytest.mark.fuzz
@pytest.mark.parametrize("name", KINDS)
def test_broken_files_for_minutes(folder: Path, name: str) -> None:
    whole, read = KINDS[name]

    @given(broken(whole) | st.binary())
    @settings(max_examples=2000, derandomize=False)
    def holds(data: bytes) -> None:
        check(folder / name, data, read)

    holds()
