"""The pool of processes: a call that never looks at signals, a process that dies, a parent that dies."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from helpers.deaf import deaf

from amxfp4.errors import RunError, ending
from amxfp4.workers import Workers


def test_on_the_way_out_workers_are_killed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Workers(2) as pool:
        for number in range(4):
            pool.submit(deaf, tmp_path / str(number))
        deadline = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = [psutil.Process(pid) for pid in pool._processes]
        began = time.monotonic()
        1 / 0  # noqa: B018
    assert time.monotonic() - began < 2
    assert not any(worker.is_running() for worker in workers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"], "none that waited has begun"


def test_a_process_that_dies_ends_all(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="a process died, perhaps for want of memory"), Workers(2) as pool:
        waiting = pool.submit(deaf, tmp_path / "deaf")
        pool.submit(os._exit, 9)
        waiting.result()


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, pathlib\n"
        "from amxfp4.workers import Workers\n"
        "import time\n"
        "def call(path):\n    pathlib.Path(path).touch()\n    time.sleep(60)\n"
        "if __name__ == '__main__':\n"
        "    with Workers(1) as pool:\n        pool.submit(call, sys.argv[1]).result()\n"
    )
    parent = subprocess.Popen([sys.executable, script, tmp_path / "began"])
    deadline = time.monotonic() + 60
    while not (tmp_path / "began").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    _, left = psutil.wait_procs(workers, timeout=3)
    assert not [worker for worker in left if worker.status() != psutil.STATUS_ZOMBIE]


def test_how_a_process_ended() -> None:
    assert ending(3) == "ended with status 3"
    assert ending(-9) == "was killed by SIGKILL"
    assert ending(-63) == "was killed by signal 63"
