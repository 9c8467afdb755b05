"""Files: written whole or not at all, and read so that whatever is wrong with one is a sentence.

Text is UTF-8, whatever the locale is.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amxfp4.errors import UsageError
from amxfp4.temporaries import temporary_beside

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_WRITING = (*_FULL, errno.EIO, errno.EROFS)
"""Errors that a file which is open gives when it is written to."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`. The temporary file replaces `path` on success and is removed on failure.

    The file's mode is what the umask leaves of 0666.

    Raises:
        UsageError: the folder cannot be made or written, the disk is full, or `path` is no file's name.
    """
    with temporary_beside(path) as temporary:
        _make(path, temporary)
        try:
            yield temporary
        except OSError as error:
            if error.errno in _WRITING and error.filename in (None, str(temporary)):
                raise _unwritable(path, error, "a disk that takes it") from None
            raise
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise _unwritable(path, error, "a file's name") from None


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Text may name a file whose name is no UTF-8; what UTF-8 lacks is written as an escape.

    Raises:
        UsageError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _make(path: Path, temporary: Path) -> None:
    """Makes an empty file `temporary`, which is to become `path`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file() and not path.is_dir():
            raise UsageError(f"cannot write {str(path)!r}: it is a device or a pipe; a file's name is needed")
        # `tempfile` would give it the mode 0600, whatever the umask is.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
    except OSError as error:
        raise _unwritable(path, error, "a writable folder") from None


def _unwritable(path: Path, error: OSError, needed: str) -> UsageError:
    if error.errno == errno.ENAMETOOLONG:
        needed = "a shorter name"
    elif error.errno in _FULL:
        needed = "room for the whole file"
    return UsageError(f"cannot write {str(path)!r}: {error.strerror}; {needed} is needed")


def check_readable(path: Path, needed: str) -> None:
    """Checks that there is a file to read.

    Args:
        path: a user's file.
        needed: what kind of file it must be, as a sentence names it: "a .npy file".

    Raises:
        UsageError: it is missing, a folder, a device or a pipe, or its folder cannot be searched.
    """
    try:
        found = path.exists()
        if found and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise UsageError(f"{str(path)!r} is {what}; {needed} is needed")
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r} ({error.strerror}); {needed} is needed") from None
    if not found:
        raise UsageError(f"there is no file {str(path)!r}; {needed} is needed")


@contextmanager
def reading(path: Path, needed: str) -> Iterator[None]:
    """A context in which libraries read a user's file.

    Libraries raise whatever comes to pass in them when a file is broken: besides `OSError` and `ValueError` for example
    `zlib.error`, `SyntaxError`, `RecursionError` or `MemoryError`. So nothing but such calls belongs within.

    Args:
        path, needed: as `check_readable`.

    Raises:
        UsageError: anything was raised, as one sentence.
    """
    check_readable(path, needed)
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"cannot read {str(path)!r} ({_reason(error)}); {needed} is needed") from None


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "there is too little memory for it"
    if isinstance(error, UnicodeDecodeError):
        return f"it is no UTF-8 text, from byte {error.start} on"
    words = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(words.split()).split(". ")[0].rstrip(".")


def read_text(path: Path, needed: str) -> str:
    """The text of a user's file.

    Raises:
        UsageError: it cannot be read, or is no UTF-8 text.
    """
    with reading(path, needed):
        return path.read_text(encoding="utf-8")


def read_json(path: Path, shape: Any, needed: str) -> Any:
    """What a user's JSON file holds, checked.

    Args:
        path: the file.
        shape: a type, such as a list of a `TypedDict`. Keys that it does not name are allowed, and are kept.
        needed: as `check_readable`.

    Raises:
        UsageError: it cannot be read, is no JSON, as with NaN in it, or does not fit `shape`; says where.
    """
    with reading(path, needed):
        return parse_json(path.read_bytes(), shape)


def parse_json(text: bytes, shape: Any) -> Any:
    """What a JSON text holds, checked as `read_json` does.

    Raises:
        ValueError: it is no JSON or does not fit; says where.
    """
    import msgspec

    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
    check_shape(found, shape)
    return found


def check_shape(found: Any, shape: Any) -> None:
    """Checks what a JSON text held, as `read_json` does.

    Raises:
        ValueError: it does not fit; says where.
    """
    import msgspec

    try:
        msgspec.convert(found, shape)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None
