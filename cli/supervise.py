"""Runs a command in a process of its own, of which nothing is left when it has ended, however it ended.

The process that was called, the supervisor, forks at once. The command runs in the new process, which leads a process
group, and every process that the command begins is in that group. The supervisor waits. A signal that stops it is
passed on to the command, which cleans up; a little later the whole group is killed. A process group is killed in one
go, those included whose parents have died, and those in C code that look at no signal. Then temporary files are
removed: all lie in the command's own folder, or are noted there (`amxfp4.temporaries`).

When the supervisor itself is killed, the command sees a pipe close, stops, and kills its group.
"""

import contextlib
import os
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from amxfp4 import temporaries, workers
from amxfp4.errors import ending

_GRACE = 1.2
"""Seconds that a command has for cleaning up."""

_END = 1.0
"""Seconds that killed processes may take to be gone."""


@contextlib.contextmanager
def supervised() -> Iterator[None]:
    """A context that is entered in the process that runs the command. The one that called this exits after it.

    The exit status is the command's, or 128 and the number of the signal that stopped it.
    """
    watched = (*workers.STOPPING, signal.SIGTSTP, signal.SIGCHLD)
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    _adopt_orphans()
    folder = Path(tempfile.mkdtemp(prefix="amxfp4-"))
    alive, held = os.pipe()
    supervisor = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    command = os.fork()
    if command == 0:
        os.close(held)
        _become_the_command(folder, alive)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        try:
            yield
        finally:
            if os.getppid() != supervisor:
                _end_alone(folder)
        return
    os.close(alive)
    with contextlib.suppress(OSError):  # the command may have done so itself, and may have ended
        os.setpgid(command, command)
    came = _signals(watched)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
    stopped, status = _wait(command, came)
    _end_group(command)
    temporaries.remove_all(folder)
    sys.exit(_exit_status(stopped, status))


def _become_the_command(folder: Path, alive: int) -> None:
    os.setpgid(0, 0)
    signal.signal(
        signal.SIGTTOU, signal.SIG_IGN
    )  # a terminal may want to stop the output of a group that is not its own
    workers.on_signals(workers.stop)
    os.environ |= {workers.GROUP: str(os.getpgrp()), temporaries.VARIABLE: str(folder), "TMPDIR": str(folder)}
    tempfile.tempdir = None
    threading.Thread(target=_end_with_supervisor, args=(folder, alive), daemon=True).start()


def _end_with_supervisor(folder: Path, alive: int) -> None:
    os.read(alive, 1)  # nothing is ever written: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    _end_alone(folder)


def _end_alone(folder: Path) -> None:
    """Ends a command that has lost its supervisor."""
    temporaries.remove_all(folder)
    workers.end_group()


def _adopt_orphans() -> None:
    """Makes processes whose parents die this one's children, so that it can wait for their end. Linux only."""
    if sys.platform == "linux":
        import ctypes

        pr_set_child_subreaper = 36
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


def _signals(watched: tuple[signal.Signals, ...]) -> int:
    """A file descriptor from which the numbers of signals can be read as they come."""
    came, wakes = os.pipe()
    os.set_blocking(came, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in watched:
        if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGCHLD:
            signal.signal(number, lambda *_: None)
    return came


def _wait(command: int, came: int) -> tuple[int, int]:
    """Waits for the end of the command, and passes signals on to it.

    Returns:
        The number of the signal that stopped it, or 0; and its status, as `os.waitpid` gives it.
    """
    stopped, killed_at = 0, float("inf")
    while True:
        left = killed_at - time.monotonic()
        ready, _, _ = select.select([came], [], [], None if left == float("inf") else max(left, 0.0))
        if not ready:
            os.killpg(command, signal.SIGKILL)
            killed_at = float("inf")
        for number in os.read(came, 64) if ready else b"":
            if number == signal.SIGTSTP:
                _pause(command)
            elif number in workers.STOPPING and not stopped:
                stopped, killed_at = number, time.monotonic() + _GRACE
                os.kill(command, number)
        ended, status = os.waitpid(command, os.WNOHANG)
        if ended:
            return stopped, status


def _pause(command: int) -> None:
    """Pauses the command's processes and this one, as Ctrl-Z does, until this one is continued."""
    os.killpg(command, signal.SIGSTOP)
    os.kill(os.getpid(), signal.SIGSTOP)
    os.killpg(command, signal.SIGCONT)


def _end_group(group: int) -> None:
    deadline = time.monotonic() + _END
    with contextlib.suppress(ProcessLookupError, PermissionError):  # none is left; macOS refuses where only zombies are
        while time.monotonic() < deadline:
            os.killpg(group, signal.SIGKILL)
            for _ in _reaped():
                pass
            time.sleep(0.01)


def _reaped() -> Iterator[int]:
    with contextlib.suppress(ChildProcessError):
        while child := os.waitpid(-1, os.WNOHANG)[0]:
            yield child


def _exit_status(stopped: int, status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if stopped:
        return 128 + stopped
    if code >= 0:
        return code
    print(f"error: the command's process {ending(code)}", file=sys.stderr)
    return 128 - code
