"""Temporary files that are gone when a command has ended, however it ended.

Most lie in the system's temporary folder, where a command has a folder of its own (see `amxfp4.cli.supervise`). Those
that become results lie beside them, as a rename works within one disk only. They are noted in the command's folder, so
that the process that outlives a command that was killed knows of them.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

VARIABLE = "AMXFP4_TEMPORARY"
"""The environment variable that names the command's own folder."""

_NOTES = "beside"


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Yields a new name beside `path`, for a file or a folder. What is left under that name in the end is removed."""
    # Some writers go by the suffix. A long name is cut, so that none but the name asked for can be too long.
    beginning = os.fsdecode(os.fsencode(path.name)[:64])
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= 16 else ""
    temporary = path.with_name(f".{beginning}.{uuid.uuid4().hex[:12]}{suffix}")
    note = _note(temporary)  # before there is anything to remove
    try:
        yield temporary
    finally:
        remove(temporary)
        if note is not None:
            note.unlink(missing_ok=True)


def _note(temporary: Path) -> Path | None:
    folder = os.environ.get(VARIABLE)
    if folder is None:
        return None
    note = Path(folder, _NOTES, uuid.uuid4().hex)
    try:
        note.parent.mkdir(exist_ok=True)
        note.symlink_to(temporary.absolute())  # a link is there at once and whole
    except OSError:  # the command that named the folder is gone; this process has outlived it
        return None
    return note


def remove(path: Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()


def remove_all(folder: Path) -> None:
    """Removes a command's folder, and what was noted in it."""
    for note in folder.glob(f"{_NOTES}/*"):
        remove(note.parent / os.readlink(note))
    remove(folder)
