"""The process's standard streams: they may be closed, full, or of an encoding that lacks a character."""

import contextlib
import errno
import io
import os
import sys

from amxfp4.errors import UsageError

_OF_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def prepare_streams() -> None:
    """Makes the streams fit to be written to.

    What an encoding lacks is printed as "?". In the place of a closed stream stands the null device, as the next file
    to be opened would otherwise be taken for it, by tools above all.

    Raises:
        UsageError: standard output is closed.
    """
    closed = [number for number in range(3) if not _is_open(number)]
    for number in closed:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
        assert _is_open(number)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    if 1 in closed:
        raise UsageError("standard output is closed; a file, a pipe or a terminal is needed, or /dev/null")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def flush_output() -> None:
    """Writes what is still to be written.

    Raises:
        OSError: it cannot be written.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Drops what cannot be written, which Python would otherwise try and complain about at the very end."""
    try:
        flush_output()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):  # it may be no real file
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, sys.stdout.fileno())
            os.close(null)


def explain(error: OSError) -> str:
    """A sentence for what the system refused and nothing nearer to it has explained."""
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"cannot use {os.fsdecode(error.filename)!r}: {reason}; a place that can be read and written is needed"
    if error.errno in _OF_WRITING:  # `amxfp4.files` has explained those of files
        return f"cannot write to standard output: {reason}; a place that takes it is needed"
    return f"the system refused a file or a process: {reason}; room, rights and a working folder are needed"
