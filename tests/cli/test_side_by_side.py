"""Calls side by side: results, failures, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from amxfp4.cli.side_by_side import processes, run_all


def test_results_and_failures_come_in_their_order() -> None:
    def slow(number: int) -> int:
        time.sleep(0.02 * (3 - number))
        if number == 1:
            raise ValueError("no\n  good")
        return number

    done: list[str] = []
    calls = {name: partial(slow, number) for number, name in enumerate(("zero", "one", "two", "three"))}
    log = StringIO()
    found, failed = run_all(
        calls,
        ThreadPoolExecutor(4),
        Console(file=log),
        "test",
        (ValueError,),
        lambda name, result: done.append(f"{name} {result}"),
    )
    assert list(found.items()) == [("zero", 0), ("two", 2), ("three", 3)]
    assert failed == {"one": "one: no good"}
    assert sorted(done) == ["three 3", "two 2", "zero 0"]
    lines = [line.split(": ") for line in log.getvalue().splitlines() if ": " in line]
    assert [count for count, _ in lines] == ["test 1/4", "test 2/4", "test 3/4", "test 4/4"]
    assert {name for _, name in lines} == set(calls)


def test_another_error_ends_everything() -> None:
    with pytest.raises(ZeroDivisionError):
        run_all({"a": partial(divmod, 1, 0)}, ThreadPoolExecutor(1), Console(file=StringIO()), "test", (ValueError,))


def test_a_process_that_dies_is_said() -> None:
    found, failed = run_all({"a": partial(os._exit, 1)}, processes(1), Console(file=StringIO()), "test", ())
    assert found == {}
    assert failed == {"a": "a: a process died, perhaps for want of memory; fewer --jobs may help"}


def test_ctrl_c_stops_at_once_and_quietly(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        """
import pathlib, signal, subprocess, sys
from functools import partial
from rich.console import Console
from amxfp4.cli.side_by_side import processes, run_all

def call(number):
    with pathlib.Path(f"{number}.began").open("w"):
        try:
            subprocess.run(["sleep", "60"])
        finally:
            pathlib.Path(f"{number}.cleaned").touch()

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would this
    try:
        run_all({str(n): partial(call, n) for n in range(4)}, processes(1), Console(stderr=True), "test", ())
    except KeyboardInterrupt:
        sys.exit(130)
"""
    )
    run = subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "0.began").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    os.killpg(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "Traceback" not in said
    # What ran has cleaned up; what waited has not begun.
    assert sorted(path.name for path in tmp_path.glob("?.*")) == ["0.began", "0.cleaned"]
