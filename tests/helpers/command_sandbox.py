"""Documented commands as a reader would give them: a shell splits the text, and each program is checked or run.

The shell works in a copy of the checkout's pages with links to its rooms. The programs that it finds only write down
what they were called with. What was called is then done here, in this process: `amxfp4` and the modules of the project
truly run, up to where the long part of a command begins.
"""

import gzip
import importlib
import importlib.util
import inspect
import io
import itertools
import os
import re
import runpy
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from amxfp4.cli.main import COMMANDS, RENAMED, cli, main
from amxfp4.files import write_text
from amxfp4.report import still
from amxfp4.sim.run import BENCH, BenchOptions
from amxfp4.sim.units import kit_of
from amxfp4.synth.cells import liberty
from helpers import report_samples
from helpers.documented import PROGRAMS, ROOT

NOT_OURS = {
    "apt-get": "changes the machine",
    "expand": "a part of `make help`",
    "dask": "starts a server; tests/synth/test_cluster.py starts the same",
    "mypy": "a part of `make lint`",
    "pip": "installs",
    "ruff": "a part of `make lint`",
    "rm": "`make clean`",
    "sed": "a part of `make help`",
    "uv": "asks the network",
}
"""Programs that are not run, and why."""

NOT_RUN = {
    "tests/golden/nvfp4_reference.py": "needs the libraries that it takes NVFP4's reference from",
}
"""Scripts of ours that are not run, and why."""

GATES = {
    "accuracy": ("amxfp4.accuracy.package", "ensure_model", "installs a model, and takes minutes"),
    "area": ("amxfp4.cli.side_by_side", "run_all", "takes minutes"),
    "benches": ("amxfp4.cli.cmd_benches", "run_matrix", "takes minutes"),
    "energy": ("amxfp4.cli.side_by_side", "run_all", "takes minutes"),
    "formal": ("amxfp4.formal.run", "prove_all", "takes minutes"),
    "fpga": ("amxfp4.cli.side_by_side", "run_all", "takes minutes"),
    "layer": ("amxfp4.sim.layer.run", "run_layer", "takes a minute"),
    "mutants": ("amxfp4.sim.mutants.run", "try_mutants", "takes minutes"),
    "speed": ("amxfp4.cli.speed", "run_speed", "takes minutes, and a quiet machine"),
    "sweep": ("amxfp4.cli.side_by_side", "run_all", "takes hours"),
    "sweep --scheduler": ("amxfp4.synth.cluster", "connect", "needs a cluster"),
    "verilog": ("amxfp4.hw.verilog", "write_unit", "takes seconds a unit; `WRITTEN` is written all the same"),
}
"""Command -> the function with which its long part begins, and why that is not run. All before it is: what is asked
for must be allowed, be there and select something."""

WRITTEN = ("verilog", "--lanes", "16", "--activation", "AMXFP4-E4M3", "--weight", "MXFP4-E4M3", "-o", "out.v")
"""The README's unit, which is written."""

_RECORDER = """#!/bin/bash
{ printf '%s\\0' "$PWD" "${WAVES-}" "$#" "${0##*/}" "$@"; } >> "$AMXFP4_CALLS"
"""


class Reached(BaseException):
    """The long part of a command would begin. No `except Exception` on the way may keep it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values


@dataclass(frozen=True)
class Call:
    """One call of a program.

    Attributes:
        folder: Where.
        waves: The variable WAVES.
        program: Its name.
        words: Its arguments.
    """

    folder: Path
    waves: str
    program: str
    words: tuple[str, ...]


class Sandbox:
    """A folder in which commands are given."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = patch
        _furnish(folder)
        patch.setattr(liberty, "OSU018", liberty.GENERIC)
        patch.setattr(liberty, "GENERIC", shutil.copy(liberty.GENERIC, folder / "generic.lib"))
        patch.setattr(still, "write", lambda chart, path: write_text(path, ""))

    def give(self, text: str) -> list[Call]:
        """Has a shell read the text, and checks or runs what it calls.

        Returns:
            What was called, down to what make's rules call.

        Raises:
            AssertionError: A command cannot be given like that.
        """
        done = []
        for call in self.split(text):
            done.append(call)
            if call.program == "make":
                done += self.give(self.recipes(call))
            else:
                self.do(call)
        return done

    def split(self, text: str) -> list[Call]:
        """What a shell calls, given this text."""
        record = self.folder / "calls"
        record.write_bytes(b"")
        # Nothing but what is written down can be called, so that a page's `curl` or `git` does nothing here.
        environment = {**os.environ, "PATH": str(self.folder / "bin"), "AMXFP4_CALLS": str(record), "WAVES": ""}
        command = ["/bin/bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"the shell says {done.stderr.strip()!r}"
        return list(_calls(record.read_text().split("\0")[:-1]))

    def recipes(self, call: Call) -> str:
        """The lines of make's rules for these targets and variables."""
        makefile = (ROOT / "Makefile").read_text()
        for word in call.words:
            variable = word.partition("=")[0]
            assert "=" not in word or re.search(rf"^{variable} *\?=", makefile, re.MULTILINE), f"no variable {word}"
        command = ["make", "-n", *call.words]
        done = subprocess.run(command, cwd=self.folder, env=outside_make(), capture_output=True, text=True)
        assert done.returncode == 0, f"make says {done.stderr.strip()!r}"
        return done.stdout

    def do(self, call: Call) -> None:
        """Checks or runs one call."""
        words = list(call.words)
        with self.patch.context() as patch:
            patch.chdir(call.folder)
            patch.setenv("WAVES", call.waves)
            if call.program == "amxfp4":
                self.amxfp4(words)
            elif call.program == "python":
                self.python(words)
            elif call.program == "pytest":
                for path in (word for word in words if "/" in word):
                    files = [Path(path)] if Path(path).is_file() else list(Path(path).glob("test_*.py"))
                    assert files and all(f.name.startswith("test_") for f in files), f"no tests in {path}"
            elif call.program == "cp":
                assert all(Path(word).exists() for word in words), f"{words} are not all there"
            else:
                assert call.program in NOT_OURS, f"nothing is known of {call.program}"

    def python(self, words: list[str]) -> None:
        """Runs a module or a script of the project."""
        while words[:1] == ["-W"]:
            words = words[2:]
        assert words and words != ["-m"], "runs nothing"
        if words[0] == "-m" and words[1] == "pip":
            return
        if words[0] == "-m" and words[1] == "pdoc":
            named = [word.lstrip("!") for word in words if re.match("!?amxfp4", word)]
            missing = [name for name in named if importlib.util.find_spec(name) is None]
            assert named and not missing, f"modules {missing} are missing"
        elif words[:2] == ["-m", "amxfp4.cli.main"]:
            self.amxfp4(words[2:])
        elif words[0] == "-m":
            assert importlib.util.find_spec(words[1]), f"no module {words[1]}"
            command = {"amxfp4.sim.mutants": "mutants", "amxfp4.sim.run": "benches", "amxfp4.formal.run": "formal"}
            self.truly(command.get(words[1], ""), words[2:], lambda: runpy.run_module(words[1], run_name="__main__"))
        elif words[0] in NOT_RUN:
            assert Path(words[0]).is_file(), f"no script {words[0]}"
        else:
            spec = importlib.util.spec_from_file_location("script", words[0])
            assert spec and spec.loader, f"{words[0]} is no script"
            script = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(script)
            with self.patch.context() as patch:
                patch.setattr(script, "digests", _gate(script.digests))
                self.truly("", words[1:], script.main)

    def amxfp4(self, words: list[str]) -> None:
        """Runs a command, all of it where it has no gate."""
        command = RENAMED.get(words[0], words[0]) if words else ""
        assert command in COMMANDS or command in ("", "--help"), f"no command {command!r}"
        gate = "" if tuple(words) == WRITTEN else command
        self.truly(gate, words[1:], lambda: main(words))
        for option, value in itertools.pairwise(words):
            if option == "-o" and gate != "verilog":
                assert Path(value).exists(), f"{value} was not written"

    def truly(self, command: str, words: Sequence[str], run: Callable[[], object]) -> None:
        """Runs up to the command's gate; a status other than 0 before it is a failure."""
        names = (*(f"{command} {word}" for word in words), command)
        gate = next((GATES[name] for name in names if name in GATES), None)
        said = io.StringIO()
        with ExitStack() as stack:
            patch = stack.enter_context(self.patch.context())
            for context in (redirect_stdout(said), redirect_stderr(said), warnings.catch_warnings()):
                stack.enter_context(context)
            if gate:
                module = importlib.import_module(gate[0])
                patch.setattr(module, gate[1], _gate(getattr(module, gate[1])))
            patch.setattr(sys, "argv", ["amxfp4", *words])
            patch.setattr("amxfp4.cli.main.supervised", nullcontext)  # which would run it in a process of its own
            try:
                warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)  # runpy's
                run()
            except SystemExit as done:
                assert not done.code, f"says {said.getvalue().strip()!r}"
            except Reached as reached:
                self.reached(command, list(words), reached.values)

    def reached(self, command: str, words: list[str], values: dict[str, Any]) -> None:
        """What was asked for selects something, and what would be written is there for the next command."""
        first = next(iter(values.values()), True)  # what is measured, tried, proved or run
        assert first is not None and (not hasattr(first, "__len__") or len(first)), "selects nothing"
        if command == "benches":
            _check_tests(values["configs"], values["options"])
        sample = self.folder / "build" / command
        if command in ("area", "energy", "fpga") and "-o" in words:
            shutil.copytree(sample, words[words.index("-o") + 1], dirs_exist_ok=True)


def _furnish(folder: Path) -> None:
    """The pages as copies, all else as links, what a command's reader has, and what earlier commands wrote."""
    for path in ROOT.iterdir():
        if path.suffix in (".md",) or path.name == "Makefile":
            shutil.copy(path, folder)
        elif path.name == "docs":
            shutil.copytree(path, folder / "docs", ignore=shutil.ignore_patterns("*.svg"))
        elif path.name not in ("build", ".venv") and not path.name.startswith(".git"):
            (folder / path.name).symlink_to(path)
    recorder = folder / "bin" / "recorder"
    programs = folder / ".venv" / "bin"
    for place in (recorder.parent, programs):
        place.mkdir(parents=True)
    recorder.write_text(_RECORDER)
    recorder.chmod(0o755)
    for program in {"cp", *NOT_OURS, *PROGRAMS}:
        (recorder.parent / program).symlink_to(recorder)
        (programs / program).symlink_to(recorder)
    (programs.parent / ".ready").touch()
    x = np.random.default_rng(1).standard_normal((8, 64), np.float32)
    np.save(folder / "x.npy", x)
    np.save(folder / "w.npy", x)
    np.savez(folder / "w.npz", layer0=x)
    text = liberty.GENERIC.read_bytes()
    (folder / "file.lib").write_bytes(text)
    for name in ("file.lib.gz", "nangate45_typ.lib.gz"):
        (folder / name).write_bytes(gzip.compress(text, 0))
    report_samples.write(folder)
    for name in ("area", "energy", "fpga"):
        (folder / "build" / name / f"{name}.md").write_text("| a |\n| --: |\n| 1 |\n")
    (folder / "build" / "report").mkdir(exist_ok=True)


def _calls(fields: list[str]) -> Iterator[Call]:
    while fields:
        folder, waves, count, program, *rest = fields
        yield Call(Path(folder), waves, program, tuple(rest[: int(count)]))
        fields = rest[int(count) :]


def _gate(function: Any) -> Any:
    """A function that takes the same arguments, and is the end."""
    signature = inspect.signature(function)

    def reach(*args: Any, **kwargs: Any) -> None:
        raise Reached(dict(signature.bind(*args, **kwargs).arguments))

    return reach


def _check_tests(configs: Sequence[Any], options: BenchOptions) -> None:
    """`--test` matches a test of each config, and WAVES asks for waves."""
    names = re.findall(r"^@cocotb.test\(\)\nasync def (\w+)", (ROOT / "sim" / "bench.py").read_text(), re.MULTILINE)
    assert names
    for config in configs:
        tests = [*names, *(f"corner/case={case}" for case in kit_of(config).corners)]
        assert any(re.search(options.tests, f"{BENCH}.{test}") for test in tests), f"no test {options.tests!r}"
    assert options.waves == (os.environ["WAVES"] not in ("", "0"))


def outside_make() -> dict[str, str]:
    """The environment without what `make test` tells a make within it."""
    return {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}


def every_option() -> set[str]:
    """The options of all commands."""
    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in COMMANDS]
    options = [option for command in commands if command for option in command.params]
    return {word for option in options for word in (*option.opts, *option.secondary_opts)}
