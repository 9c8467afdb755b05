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
    """A client of the scheduler at this address, which has a worker.

    Raises:
        UsageError: nothing answers there, or no worker comes within `wait` seconds.
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
    """Runs each call on some worker. One that dies costs nothing but time: its calls go to another."""
    pool: Executor = client.get_executor(pure=False)
    return pool


def upload(client: "Client", library: Library, folder: Path) -> "partial[Path]":
    """Sends a library to every worker, those to come too; what is returned finds it there.

    Args:
        folder: where a copy is made on this machine, under a name that tells libraries apart.
    """
    file = folder / f"{library.digest[:16]}.lib"
    file.write_text(library.text)
    client.upload_file(str(file), load=False)
    return partial(_uploaded, file.name)


def _uploaded(name: str) -> Path:
    from distributed import get_worker

    return Path(get_worker().local_directory) / name


def errors() -> tuple[type[Exception], ...]:
    """What a call raises whose workers died again and again, or whose scheduler went away."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker

    found: tuple[Any, ...] = (KilledWorker, CancelledError)
    return found
