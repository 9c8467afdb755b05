"""Whole files or none: a file is written under a temporary name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amxfp4.errors import UsageError
from amxfp4.temporaries import temporary_beside


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`. The temporary file replaces `path` on success and is removed on failure.

    Raises:
        UsageError: the folder cannot be made or written, or `path` is no file's name.
    """
    with temporary_beside(path) as temporary:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch(exist_ok=False)
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; a writable folder is needed") from None
        yield temporary
        temporary.chmod(0o644)
        try:
            os.replace(temporary, path)
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; a file's name is needed") from None


def write_text(path: Path, text: str) -> None:
    """Writes a text file, whole or not at all.

    Raises:
        UsageError: as `replacing`.
    """
    with replacing(path) as temporary:
        temporary.write_text(text)
