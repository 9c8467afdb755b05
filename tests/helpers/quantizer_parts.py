"""The quantiser's decisions from a float to a code, without its registers, as components to test and prove."""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.encode import ElementEncode, ScaleDecode
from amxfp4.hw.quantizer.halving_select import HalvingSelect
from amxfp4.hw.quantizer.narrow import Narrow, magnitude_of
from amxfp4.hw.quantizer.scale_select import ScaleSelect

SCALE_FORMATS = ("MXFP4-E5M2", "MXFP4-E4M3", "MXFP4-UE5M3", "MXFP4")
HALVING = "AMXFP4-X2"
ROUNDINGS = ("nearest-away", "nearest-even")


class FloatToScale(wiring.Component):
    """The scale code of a block whose largest magnitude is `float`; with halved sides, how many codes are too small
    for a side with that maximum to be halved under them."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        bits = config.block_format.scale.bits
        too_small = {"too_small": Out(bits)} if config.halving else {}
        super().__init__({"float": In(config.float_bits), "code": Out(bits), **too_small})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = narrow = Narrow(self.config)
        m.submodules.select = select = ScaleSelect(self.config)
        maximum = magnitude_of(narrow)
        m.d.comb += [narrow.float.eq(self.float), select.maximum.eq(maximum), self.code.eq(select.code)]
        if self.config.halving:
            m.submodules.halving = halving = HalvingSelect(self.config)
            m.d.comb += [halving.maximum.eq(maximum), self.too_small.eq(halving.too_small)]
        return m


class FloatToElement(wiring.Component):
    """The element code of `float` under the scale of code `scale`, or half of it where `halved`; `special` as the
    asymmetry code of a block has it."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        bits = config.block_format.scale.bits
        side = {"halved": In(1)} if config.halving else {"special": In(len(config.specials))} if config.specials else {}
        super().__init__({"float": In(config.float_bits), "scale": In(bits), "code": Out(4), **side})

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
        if self.config.halving:
            m.d.comb += encode.whole.eq(~self.halved)
        if self.config.specials:
            own = narrow.element.negative == self.special[0]
            m.d.comb += encode.special.eq(Cat(own, self.special[1:]))
        return m
