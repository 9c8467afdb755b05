"""The processor's modes of float arithmetic, set for this thread by a few lines of C."""

import ctypes
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SOURCE = """
#if defined(__x86_64__)
#include <xmmintrin.h>
unsigned long get_mode(void) { return _mm_getcsr(); }
void set_mode(unsigned long mode) { _mm_setcsr((unsigned)mode); }
#elif defined(__aarch64__)
unsigned long get_mode(void) { unsigned long mode; __asm__ volatile("mrs %0, fpcr" : "=r"(mode)); return mode; }
void set_mode(unsigned long mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
#error "no such register is known"
#endif
"""

_MXCSR = {"flush results": 0x8000, "flush inputs": 0x40, "flush": 0x8040}
_MXCSR |= {"downward": 0x2000, "upward": 0x4000, "toward zero": 0x6000}
_FPCR = {"flush": 1 << 24, "upward": 1 << 22, "downward": 2 << 22, "toward zero": 3 << 22}

MODES = _FPCR if platform.machine() in ("aarch64", "arm64") else _MXCSR
"""The bits of each mode in the processor's register."""


def build(folder: Path) -> Path:
    """The library that sets modes. Where none can be built, the test is skipped."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip("no C compiler, so that no mode can be set")
    source, library = folder / "mode.c", folder / "mode.so"
    source.write_text(_SOURCE)
    done = subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no mode can be set on {platform.machine()}: {done.stderr.strip()[-200:]}")
    return library


@contextmanager
def in_mode(library: Path, name: str) -> Iterator[None]:
    """The mode of `MODES` that has this name, within."""
    functions = ctypes.CDLL(str(library))
    functions.get_mode.restype = ctypes.c_ulong
    functions.set_mode.argtypes = [ctypes.c_ulong]
    before = functions.get_mode()
    functions.set_mode(before | MODES[name])
    try:
        yield
    finally:
        functions.set_mode(before)
