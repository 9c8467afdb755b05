"""Broken liberties: one sentence or a library, and never long."""

import time
from pathlib import Path

import pytest
from helpers.broken_liberties import broken, read_all
from helpers.liberties import TIMED
from hypothesis import given, settings
from hypothesis import strategies as st

from amxfp4.errors import UsageError
from amxfp4.synth.cells import liberty

SECONDS = 5
"""Far more than any of these takes, and far less than what grows with the square of its length."""


def check(data: bytes, folder: Path) -> bool:
    """Whether a file is a library. Anything else is refused in one sentence that names the file or the library."""
    path = folder / "x.lib"
    path.write_bytes(data)
    liberty._read.cache_clear()
    started = time.process_time()
    try:
        read_all(liberty.read(path))
    except UsageError as error:
        assert "\n" not in str(error)
        return False
    finally:
        assert time.process_time() - started < SECONDS
    return True


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("liberty")


def test_the_unbroken_library_is_read(folder: Path) -> None:
    assert check(TIMED.encode(), folder)


@given(broken(TIMED))
@settings(max_examples=80)
def test_broken_libraries(folder: Path, data: bytes) -> None:
    check(data, folder)


@pytest.mark.fuzz
@given(broken(TIMED) | st.binary())
@settings(max_examples=10_000, derandomize=False)
def test_broken_libraries_for_minutes(folder: Path, data: bytes) -> None:
    check(data, folder)


@pytest.mark.parametrize(
    "token",
    ['"', '\\"', "/*", "/", "\\", "(", "{", "a (", "a : b ", "a : b c (", "a (b) ", ":", "a : (", "a = b ", "'"],
)
def test_a_token_many_times(folder: Path, token: str) -> None:
    """Nothing takes time that grows with the square of a file's length."""
    assert not check(b"library (x) { " + token.encode() * 50_000, folder)
