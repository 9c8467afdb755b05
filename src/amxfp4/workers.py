"""Processes that work side by side, and end with the one that began them.

A command is stopped by SIGINT, SIGTERM or SIGHUP, which raise `Stopped`. Its workers are then told to stop, and killed
if they do not: z3, for one, never looks at a signal.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

from amxfp4.errors import RunError

P = ParamSpec("P")
T = TypeVar("T")

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that stop a command."""

DIED = "a process died, perhaps for want of memory; fewer --jobs may help"

GROUP = "AMXFP4_GROUP"
"""The environment variable that names the process group of a command that has one to itself."""

_GRACE = 0.6
"""Seconds that workers have for cleaning up."""


class Stopped(KeyboardInterrupt):
    """The command is to stop.

    It is no `Exception` and no `SystemExit`, so that nothing on the way out takes it for its own.

    Attributes:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def stop(number: int, frame: FrameType | None = None) -> None:
    """What a process does at a signal: it raises `Stopped`. A second one does not disturb it while it cleans up."""
    for other in STOPPING:
        signal.signal(other, lambda *_: None)  # Python complains of one set to SIG_IGN that has already come
    raise Stopped(number)


def on_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Sets what the signals do, but those that this process was started to ignore, as `nohup` does."""
    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def end_group() -> None:
    """Ends this process, and with it all of its command's, if the command has a process group to itself."""
    if os.environ.get(GROUP) == str(os.getpgrp()):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class Workers(ProcessPoolExecutor):
    """A pool of processes, as a context manager that leaves none behind.

    They are spawned: a fork would copy the threads of a progress display, and may wait for ever for a thread of z3's.

    Args:
        jobs: How many.
        initializer: Called in each with `arguments` before anything else.
        arguments: For `initializer`.

    Raises:
        RunError: At the end of the context: a process died.
    """

    def __init__(
        self, jobs: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(jobs, multiprocessing.get_context("spawn"), _begin, (initializer, arguments))
        # All processes are begun at once. Of one that is begun later Python's pool may not notice the death: its thread
        # may already wait, for results and for the end of those processes that it knows.
        self._safe_to_dynamically_spawn_children = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return super().submit(_until_stopped, fn, *args, **kwargs)  # type: ignore[arg-type]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if error is None:
            self.shutdown()
        else:
            self._end()
        if isinstance(error, BrokenExecutor):
            raise RunError(DIED) from error

    def _end(self) -> None:
        processes = list((self._processes or {}).values())  # Python 3.14 has `terminate_workers` and `kill_workers`
        self.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + _GRACE
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in processes:
            process.kill()
            process.join()


def _begin(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    on_signals(_stop_worker)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


_at_work: list[bool] = []
"""Not empty while this process, a worker, is in a call."""


def _stop_worker(number: int, frame: FrameType | None) -> None:
    if not _at_work:
        os._exit(128 + number)
    stop(number)


def _end_with_parent() -> None:
    """Ends this process when its parent has ended, in whatever way: a worker itself would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    end_group()


def _until_stopped(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Runs a call that, when it is stopped, cleans up behind itself and then takes its process with it.

    Otherwise the process would begin another call.
    """
    try:
        _at_work.append(True)
        return call(*args, **kwargs)
    except Stopped as stopped:
        os._exit(128 + stopped.number)
    finally:
        _at_work.clear()
