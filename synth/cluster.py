"""An existing Dask cluster as an executor, for sweeps beyond one machine."""

from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amxfp4.errors import UsageError
from amxfp4.synth.cells.liberty import Library

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10


def connect(scheduler: str, wait: float = CONNECT_SECONDS) -> "Client":
    """A client of a scheduler that has a worker.

    Args:
        scheduler: Its address, such as tcp://host:8786.
        wait: Seconds for an answer, and for a worker to come.

    Raises:
        UsageError: Nothing answers there, or no worker comes.
        ModuleNotFoundError: distributed is not installed.
    """
    from distributed import Client

    try:
        client = Client(scheduler, timeout=wait)
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(
            f"no Dask scheduler answers at {scheduler!r} ({reason}); e.g. tcp://host:8786 is needed"
        ) from None
    try:
        client.wait_for_workers(1, timeout=wait)
    except TimeoutError:
        client.close()
        raise UsageError(f"the Dask scheduler at {scheduler!r} has no worker; start one with `dask worker`") from None
    return client


def executor(client: "Client") -> Executor:
    """Runs each call on some worker. The calls of a worker that dies go to another."""
    pool: Executor = client.get_executor(pure=False)
    return pool


def upload(client: "Client", library: Library, folder: Path) -> "partial[Path]":
    """Sends a library to every worker, those to come included.

    Args:
        client: Of the cluster.
        library: What is sent.
        folder: Where a copy is made on this machine, under a name that tells libraries apart.

    Returns:
        A call that finds the library on the worker that runs it.
    """
    file = folder / f"{library.digest[:16]}.lib"
    file.write_text(library.text, encoding="utf-8")
    client.upload_file(str(file), load=False)
    return partial(_uploaded, file.name)


def _uploaded(name: str) -> Path:
    from distributed import get_worker

    return Path(get_worker().local_directory) / name


def errors() -> tuple[type[Exception], ...]:
    """What a call raises when its workers died again and again, or when its scheduler went away."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    found: tuple[Any, ...] = (KilledWorker, CancelledError)
    return found
