"""AMXFP4: 4-bit floats in blocks of 32 with one scale for positive and one for negative elements.

`amxfp4.golden` is the bit-exact NumPy model, `amxfp4.hw` the Amaranth hardware and its synthesis, `amxfp4.sim` the
benches, `amxfp4.formal` the proofs, `amxfp4.accuracy` what each format does to a real transformer, `amxfp4.report` the
page of all results. Each is imported when it is first used, so that none costs those who do not need it.
"""

import importlib
from importlib.metadata import version
from types import ModuleType
from typing import Any

_ROOMS = ("accuracy", "formal", "golden", "hw", "report", "sim", "synth")

__all__ = ["__version__", *_ROOMS]


def __getattr__(name: str) -> ModuleType | Any:
    if name in _ROOMS:
        return importlib.import_module(f"amxfp4.{name}")
    if name == "__version__":
        return version("amxfp4")
    raise AttributeError(f"module 'amxfp4' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
