"""The hardware: Amaranth descriptions, Verilog from them, and what they cost as gates.

The names below are imported when they are first used, as synthesis needs no Amaranth and a netlist no synthesis.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amxfp4.hw.chain import Chain as Chain
    from amxfp4.hw.chain import ChainConfig as ChainConfig
    from amxfp4.hw.config import MacConfig as MacConfig
    from amxfp4.hw.mac import MacUnit as MacUnit
    from amxfp4.hw.quantizer import Quantizer as Quantizer
    from amxfp4.hw.quantizer_config import QuantizerConfig as QuantizerConfig

_HOMES = {
    "Chain": "amxfp4.hw.chain",
    "ChainConfig": "amxfp4.hw.chain",
    "MacConfig": "amxfp4.hw.config",
    "MacUnit": "amxfp4.hw.mac",
    "Quantizer": "amxfp4.hw.quantizer",
    "QuantizerConfig": "amxfp4.hw.quantizer_config",
}

__all__ = ["Chain", "ChainConfig", "MacConfig", "MacUnit", "Quantizer", "QuantizerConfig"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'amxfp4.hw' has no attribute {name!r}")
