"""The hardware: Amaranth descriptions of every unit, and Verilog from them."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.hw.chain import Chain, ChainConfig
    from amxfp4.hw.mac.config import MacConfig
    from amxfp4.hw.mac.unit import MacUnit
    from amxfp4.hw.quantizer.config import QuantizerConfig
    from amxfp4.hw.quantizer.unit import Quantizer
    from amxfp4.hw.verilog import unit_verilog
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["Chain", "ChainConfig", "MacConfig", "MacUnit", "Quantizer", "QuantizerConfig", "unit_verilog"]
