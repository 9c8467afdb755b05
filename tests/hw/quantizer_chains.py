"""The quantiser's decisions from a float to a code, without its registers, as components to test and prove."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.element_encode import ElementEncode, ScaleDecode
from amxfp4.hw.narrow import Narrow
from amxfp4.hw.quantizer_config import QuantizerConfig
from amxfp4.hw.scale_select import ScaleSelect

SCALE_FORMATS = ("MXFP4-E5M2", "MXFP4-E4M3", "MXFP4")
ROUNDINGS = ("nearest-away", "nearest-even")


class FloatToScale(wiring.Component):
    """The scale code of a block whose largest magnitude is `float`."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"float": In(config.float_bits), "code": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = narrow = Narrow(self.config)
        m.submodules.select = select = ScaleSelect(self.config)
        element = narrow.element
        m.d.comb += [
            narrow.float.eq(self.float),
            select.maximum.eq(Cat(element.fraction, element.exponent) if self.config.fp8 else element.exponent),
            self.code.eq(select.code),
        ]
        return m


class FloatToElement(wiring.Component):
    """The element code of `float` under the scale of code `scale`."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        bits = config.block_format.scale.bits
        super().__init__({"float": In(config.float_bits), "scale": In(bits), "code": Out(4)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = narrow = Narrow(self.config)
        m.submodules.decode = decode = ScaleDecode(self.config)
        m.submodules.encode = encode = ElementEncode(self.config)
        m.d.comb += [
            narrow.float.eq(self.float),
            decode.code.eq(self.scale),
            encode.element.eq(narrow.element),
            encode.scale.eq(decode.scale),
            self.code.eq(encode.code),
        ]
        return m
