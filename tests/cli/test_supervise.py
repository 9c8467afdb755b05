"""A command that is stopped leaves no process and no temporary file, whatever it was doing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

IN_TIME = 3.0
"""Seconds within which all is gone."""

ENTRY = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would this
from amxfp4.cli.main import entry
entry()
"""
SUPERVISED = """
import signal, subprocess, sys, tempfile, os, time
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from amxfp4.cli.supervise import supervised
from amxfp4.temporaries import temporary_beside
"""

COMMANDS: dict[str, tuple[str, list[str]]] = {
    "area": ("run_yosys", ["area", "--unit", "mac", "--lanes", "1", "--jobs", "2", "--no-breakdown"]),
    "sweep": ("run_yosys", ["sweep", "--pair", "MXFP4", "--lanes", "1", "--lanes", "2", "--jobs", "2"]),
    "energy": ("run_yosys", ["energy", "--lanes", "1", "--jobs", "2"]),
    "fpga": ("run_yosys", ["fpga", "--unit", "mac", "--lanes", "1", "--jobs", "2"]),
    "formal": ("spawn_main", ["formal", "float32", "--jobs", "2"]),
    "benches": ("g++", ["benches", "--unit", "mac", "--jobs", "2"]),
    "mutants": ("spawn_main", ["mutants", "--only", "tie", "--jobs", "2"]),
    "layer": ("g++", ["layer", "--lanes", "1"]),
}
"""Of each command: a word in the command line of a process that shows that it is at work; its arguments."""

QUICK = {"area": signal.SIGTERM, "formal": signal.SIGINT, "layer": signal.SIGHUP, "benches": signal.SIGINT}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Started:
    """A command in a process of its own, with a folder and a temporary folder of its own."""

    def __init__(self, folder: Path, code: str, *words: str) -> None:
        self.temporary, self.work = folder / "tmp", folder / "work"
        self.temporary.mkdir()
        self.work.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=self.work,
            env=os.environ | {"TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.seen: set[psutil.Process] = set()

    def until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 100
        while not ready():
            assert self.process.poll() is None and time.monotonic() < deadline, self.process.communicate()[1]
            time.sleep(0.05)
            self.look()

    def look(self) -> None:
        self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))

    def runs(self, word: str) -> bool:
        return any(word in words for words in map(_command_line, self.seen))

    def alive(self) -> list[str]:
        return [_command_line(p) for p in self.seen if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def stop(self, number: int, status: int) -> str:
        """Sends a signal to the supervisor alone, and checks what is left."""
        self.look()
        began = time.monotonic()
        self.process.send_signal(number)
        said = self.process.communicate(timeout=30)[1]
        while (self.alive() or list(self.temporary.iterdir())) and time.monotonic() < began + IN_TIME:
            time.sleep(0.02)
        assert time.monotonic() - began < IN_TIME
        assert self.process.returncode == status
        assert not self.alive()
        assert not list(self.temporary.iterdir())
        parts = [path for path in self.work.rglob(".*") if path.suffix != ".lock"]
        assert not parts
        assert "Traceback" not in said
        return said


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, marks=() if QUICK.get(name) == number else pytest.mark.full)
        for name in COMMANDS
        for number in SIGNALS
    ],
)
def test_a_stopped_command_leaves_nothing(name: str, number: int, tmp_path: Path) -> None:
    word, words = COMMANDS[name]
    started = Started(tmp_path, ENTRY, *words)
    started.until(lambda: started.runs(word))
    started.stop(number, 128 + number)


def test_a_command_without_its_supervisor_ends_too(tmp_path: Path) -> None:
    word, words = COMMANDS["formal"]
    started = Started(tmp_path, ENTRY, *words)
    started.until(lambda: started.runs(word))
    started.stop(signal.SIGKILL, -signal.SIGKILL)


STUBBORN = (
    SUPERVISED
    + """
with supervised(), temporary_beside(Path("out.json")) as beside:
    beside.mkdir()
    tempfile.mkdtemp()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    orphaned = "import subprocess, sys; subprocess.Popen(['sleep', '60'])"
    subprocess.run([sys.executable, "-c", orphaned])
    Path("ready").touch()
    time.sleep(60)
"""
)


def test_what_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    """The command itself, a process whose parent has died, and what it has left beside its output."""
    started = Started(tmp_path, STUBBORN)
    started.until(lambda: (started.work / "ready").exists() and started.runs("sleep 60"))
    assert len(list(started.work.glob(".out.json.*.json"))) == 1
    assert started.stop(signal.SIGTERM, 143) == ""


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ("sys.exit(3)", 3, ""),
        ("pass", 0, ""),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "error: the command's process was killed by SIGKILL\n"),
    ],
)
def test_the_exit_status_is_the_commands(body: str, status: int, says: str, tmp_path: Path) -> None:
    code = SUPERVISED + f"with supervised():\n    subprocess.Popen(['sleep', '60'])\n    {body}\n"
    began = time.monotonic()
    started = Started(tmp_path, code)
    assert started.process.communicate(timeout=30)[1] == says
    assert started.process.returncode == status
    assert time.monotonic() - began < 10
    assert not list(started.temporary.iterdir())


def test_a_signal_that_was_ignored_stays_so(tmp_path: Path) -> None:
    """As `nohup` wants it."""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + SUPERVISED
    code += "with supervised():\n    Path('ready').touch()\n    time.sleep(1)\n    sys.exit(7)\n"
    started = Started(tmp_path, code)
    started.until((started.work / "ready").exists)
    started.process.send_signal(signal.SIGHUP)
    started.process.communicate(timeout=30)
    assert started.process.returncode == 7
