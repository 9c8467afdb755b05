"""Runs on a Dask cluster of two workers, one of them killed."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from helpers.report_samples import area_record
from rich.console import Console

from amxfp4.cli.side_by_side import run_all
from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.synth import cluster, sweep
from amxfp4.synth.cells import liberty

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of the scheduler of two workers, each a process with one thread."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as local:
        yield local.scheduler_address


def test_a_killed_worker_loses_nothing(address: str, tmp_path: Path) -> None:
    numbers = [str(number) for number in range(8)]

    def measure(number: str) -> dict[str, Any]:
        (tmp_path / f"{number}-{os.getpid()}").touch()
        time.sleep(0.3)
        return {"number": number, "pid": os.getpid()}

    with sweep.Results(tmp_path / "results.jsonl") as results, cluster.connect(address) as client:
        before = set(client.run(os.getpid).values())
        killed: list[int] = []

        def done(name: str, record: dict[str, Any]) -> None:
            results.add(name, area_record(MacConfig("MXFP4", "MXFP4", lanes=1)) | record)
            if not killed:  # while it runs another
                killed.append(record["pid"])
                os.kill(record["pid"], signal.SIGKILL)

        calls = {number: partial(measure, number) for number in numbers}
        console = Console(file=StringIO())
        found, failed = run_all(calls, cluster.executor(client), console, "test", cluster.errors(), done)
    assert failed == {}
    assert [record["number"] for record in found.values()] == numbers
    with sweep.Results(tmp_path / "results.jsonl") as results:
        assert sorted(results.records) == numbers
    began = [path.name.split("-") for path in tmp_path.glob("?-*")]
    assert killed[0] in before
    assert len(began) > len(numbers), "nothing was lost, so nothing was made again"
    assert {int(pid) for _, pid in began} - set(killed), "no other worker took part"


def test_a_library_reaches_the_workers(address: str, tmp_path: Path) -> None:
    library = liberty.read(liberty.find("generic"))
    with cluster.connect(address) as client:
        client.wait_for_workers(2, timeout=120)  # the test before has killed one, which is started again
        found = cluster.upload(client, library, tmp_path)
        workers = list(client.scheduler_info()["workers"])
        tasks = [client.submit(lambda: found().read_text(), workers=[worker], pure=False) for worker in workers]
        texts = client.gather(tasks)
    assert texts == [library.text, library.text]


def test_other_sources_on_a_worker_are_refused(address: str) -> None:
    with cluster.connect(address) as client:
        call = partial(sweep.run, MacConfig("MXFP4", "MXFP4", lanes=1), Path("none.lib"), "f" * 64)
        with pytest.raises(UsageError, match="ffffffffffff asks"):
            run_all({"one": call}, cluster.executor(client), Console(file=StringIO()), "test", cluster.errors())


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_no_scheduler(address: str) -> None:
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        cluster.connect(address, wait=0.5)


def test_no_worker() -> None:
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(UsageError, match="has no worker"),
    ):
        cluster.connect(empty.scheduler_address, wait=0.5)
