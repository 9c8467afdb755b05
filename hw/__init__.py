"""The hardware: Amaranth descriptions of every unit, and Verilog from them."""

from amxfp4.hw.chain import Chain, ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer

__all__ = ["Chain", "ChainConfig", "MacConfig", "MacUnit", "Quantizer", "QuantizerConfig"]


def __dir__() -> list[str]:
    return sorted(__all__)
