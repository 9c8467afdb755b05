"""Whole files or none: a file is written under a temporary name, then renamed."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amxfp4.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`. The temporary file replaces `path` on success and is removed on failure.

    Raises:
        UsageError: the folder cannot be made or written, or `path` is no file's name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; a writable folder is needed") from None
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; a file's name is needed") from None
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        UsageError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_text(text)
