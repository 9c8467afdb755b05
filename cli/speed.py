"""How fast the golden model is beside NumPy's own operations of the same size, and how much memory it takes.

The figures are ratios and not seconds, so that they mean the same on another machine. Model and baseline run in turn in
one process, and their medians are compared. Memory is the peak of a fresh process that does nothing else, inputs and
interpreter included.
"""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.files import write_text
from amxfp4.golden import Accumulator, Blocks, block_format, matmul, quantize

GIB = 1 << 30


@dataclass(frozen=True)
class Sizes:
    """How large a run is.

    Attributes:
        tensor: Rows and columns of the tensor that is quantised.
        matrix: M, N and K of the products.
        repeats: Timings of each operation, of which the median counts.
    """

    tensor: int = 4096
    matrix: int = 1024
    repeats: int = 7


@dataclass(frozen=True)
class SpeedResult:
    """One comparison; seconds are medians.

    Attributes:
        name: The case, a key of `CASES`.
        baseline: What it is compared with.
        seconds: Median over the repeats.
        baseline_seconds: The baseline's median.
        ratio: The one divided by the other.
        ratio_limit: What the ratio is to stay within.
        peak_bytes: The most memory that a process held which did only this, inputs and interpreter included.
        peak_limit_bytes: What `peak_bytes` is to stay within.
    """

    name: str
    baseline: str
    seconds: float
    baseline_seconds: float
    ratio: float
    ratio_limit: float
    peak_bytes: int
    peak_limit_bytes: int

    @property
    def within_limits(self) -> bool:
        """Whether both limits are kept."""
        return self.ratio <= self.ratio_limit and self.peak_bytes <= self.peak_limit_bytes


@dataclass(frozen=True)
class SpeedCase:
    """What is measured.

    Attributes:
        baseline: NumPy's operation, in words.
        ratio_limit: What the ratio of their times is to stay within.
        prepare: Makes the model's operation and the baseline's.
    """

    baseline: str
    ratio_limit: float
    prepare: Callable[[Sizes], tuple[Callable[[], Any], Callable[[], Any]]]


def _normal(size: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((size, size), dtype=np.float32)


def _quantize(sizes: Sizes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x = _normal(sizes.tensor, 0)
    return lambda: quantize(x, "AMXFP4"), lambda: np.sort(x, axis=-1)


def _products(a: Blocks, w: Blocks, accumulator: Accumulator, size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    x, y = _normal(size, 1), _normal(size, 2)
    return lambda: matmul(a, w, accumulator), lambda: x @ y


def _matmul(name: str, accumulator: Accumulator) -> Callable[[Sizes], tuple[Callable[[], Any], Callable[[], Any]]]:
    def prepare(sizes: Sizes) -> tuple[Callable[[], Any], Callable[[], Any]]:
        a, w = (quantize(_normal(sizes.matrix, seed), name) for seed in (1, 2))
        return _products(a, w, accumulator, sizes.matrix)

    return prepare


def _matmul_worst(sizes: Sizes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Every scale at random the least or the largest there is."""
    fmt = block_format("AMXFP4")
    rng = np.random.default_rng(3)
    size = sizes.matrix
    extremes = np.array([1, fmt.scale.max_code], np.uint8)
    a, w = (
        Blocks.from_codes(
            codes=rng.integers(0, 16, (size, size), dtype=np.uint8),
            scales=rng.choice(extremes, (size, size // fmt.block_size, fmt.scales_per_block)),
            fmt=fmt,
        )
        for _ in range(2)
    )
    return _products(a, w, "exact", size)


CASES = {
    "quantize AMXFP4": SpeedCase("np.sort(axis=-1)", 3, _quantize),
    "matmul exact AMXFP4": SpeedCase("float32 @", 4, _matmul("AMXFP4", "exact")),
    "matmul exact AMXFP4, worst spread": SpeedCase("float32 @", 60, _matmul_worst),
    "matmul fp32 AMXFP4": SpeedCase("float32 @", 60, _matmul("AMXFP4", "fp32")),
    "matmul fp32 MXFP4": SpeedCase("float32 @", 60, _matmul("MXFP4", "fp32")),
}


def run_speed(
    out: Path, progress: Callable[[str], None] = lambda line: None, sizes: Sizes | None = None
) -> list[SpeedResult]:
    """Measures every case, and writes the machine, the sizes and the results as JSON.

    Args:
        out: The file to write; its folder is made. Nothing is left there when the run is broken off.
        progress: Told in a line what comes next.
        sizes: How large; those of `Sizes` unless given.
    """
    sizes = sizes or Sizes()
    results = []
    for index, (name, case) in enumerate(CASES.items(), start=1):
        progress(f"{index}/{len(CASES)} {name} beside {case.baseline}")
        results.append(_measure(name, case, sizes))
    document = {
        "machine": {
            "cpus": os.cpu_count(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "sizes": asdict(sizes),
        "results": [{**asdict(result), "within_limits": result.within_limits} for result in results],
    }
    write_text(out, json.dumps(document, indent=2) + "\n")
    return results


def _measure(name: str, case: SpeedCase, sizes: Sizes) -> SpeedResult:
    model, baseline = case.prepare(sizes)
    model_times: list[float] = []
    baseline_times: list[float] = []
    for repeat in range(sizes.repeats + 1):
        for operation, times in ((baseline, baseline_times), (model, model_times)):
            start = perf_counter()
            operation()
            if repeat > 0:  # the first one warms up caches, tables and BLAS's threads
                times.append(perf_counter() - start)
    seconds, baseline_seconds = median(model_times), median(baseline_times)
    return SpeedResult(
        name,
        case.baseline,
        seconds,
        baseline_seconds,
        seconds / baseline_seconds,
        case.ratio_limit,
        _peak_bytes(name, sizes),
        GIB,
    )


def _peak_bytes(name: str, sizes: Sizes) -> int:
    code = f"from amxfp4.cli import speed; speed.print_peak_bytes({name!r}, speed.{sizes!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8", errors="replace"
    )
    return int(done.stdout)


def print_peak_bytes(name: str, sizes: Sizes) -> None:
    """Does the model's part of a case once, and prints the most memory that this process ever held."""
    model, _ = CASES[name].prepare(sizes)
    model()
    print(_high_water_mark())


def _high_water_mark() -> int:
    """Peak resident bytes of this process.

    Linux hands the parent's peak on in `ru_maxrss`, but not in VmHWM.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
