"""Streams packed beats through the compiled unit of `harness.cpp` and reads its results."""

import io
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import RunError, ending


@dataclass(frozen=True)
class Trace:
    """What came out of a unit.

    Attributes:
        payloads: uint32 (results, words), the payload of each result as little-endian words.
        given: int64 (results,), the cycle of each result. Cycle 0 follows reset.
        last_taken: the cycle in which the last beat was taken, or None before the end of the stream.
    """

    payloads: NDArray[np.uint32]
    given: NDArray[np.int64]
    last_taken: int | None


class Harness:
    """A simulated unit with its pipes, as a context manager.

    Args:
        executable: what `build_harness` built.
        result_words: 32-bit words of a result payload.
        drain: cycles to run after the last beat.
    """

    def __init__(self, executable: Path, *, result_words: int, drain: int) -> None:
        self._words = result_words
        self._process = subprocess.Popen(
            [executable.resolve(), str(drain)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._record = np.dtype([("payload", "<u4", (result_words,)), ("cycle", "<u8")])

    def __enter__(self) -> "Harness":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def run(self, chunks: Iterable[NDArray[np.uint32]]) -> "Iterable[Trace]":
        """Feeds beats and yields results as they come, about a chunk's results at a time.

        Args:
            chunks: beats (beats, words). The words of a beat are those of all inputs, in order.

        Raises:
            RunError: the simulation ended early.
        """
        feeder = threading.Thread(target=self._feed, args=(chunks,), daemon=True)
        feeder.start()
        output = self._process.stdout
        assert isinstance(output, io.BufferedReader)  # its `read1` returns what has come, up to a size
        rest = b""
        while piece := output.read1(1 << 20):
            data = rest + piece
            whole = len(data) - len(data) % self._record.itemsize
            rest = data[whole:]
            if whole:
                yield self._trace(np.frombuffer(data[:whole], self._record))
        if rest or self._process.wait():
            raise RunError(f"the simulation ended early: its process {ending(self._process.wait())}")
        feeder.join()

    def _feed(self, chunks: Iterable[NDArray[np.uint32]]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            for chunk in chunks:
                pipe.write(chunk.astype("<u4", copy=False).tobytes())
            pipe.close()
        except BrokenPipeError:
            pass  # the reader sees the early end and says so

    def _trace(self, records: NDArray[np.void]) -> Trace:
        ended = bool((records["payload"][-1] == 0xFFFFFFFF).all())
        results = records[: len(records) - ended]
        return Trace(
            results["payload"].copy(),
            results["cycle"].astype(np.int64),
            int(records["cycle"][-1]) if ended else None,
        )
