"""The quantiser's selections for special values: a block's scale and side, and which elements are special.

The statements are those of the contract, in exact integers as in `quantizer.py`. A maximum or an element is any finite
float.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.formal.netlist import Netlist, Word, concat
from amxfp4.formal.proof import Claim, Proof
from amxfp4.formal.quantizer import FloatToElement, finite, in_units, magnitude, values_of
from amxfp4.golden.formats import (
    ALONE_BITS,
    CUT_LIMIT,
    ELEMENT_MAX,
    ROUNDINGS,
    SIDE_BITS,
    SPECIAL_LIMIT,
    Rounding,
)
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.narrow import Narrow, magnitude_of
from amxfp4.hw.quantizer.special_select import SpecialSelect

FORMATS = ("AMXFP4-Z8", "AMXFP4-Z")
FRACTION_BITS = 23


class FloatsToScale(wiring.Component):
    """The scale and asymmetry code of a block with these maxima of its sides: `Narrow` twice and `SpecialSelect`."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        fmt = config.block_format
        super().__init__(
            {
                "positive": In(config.float_bits),
                "negative": In(config.float_bits),
                "rivalled": In(config.sides),
                "code": Out(fmt.scale.bits),
                "special": Out(fmt.asymmetry_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.select = select = SpecialSelect(self.config)
        for side, float in enumerate((self.positive, self.negative)):
            m.submodules[f"narrow{side}"] = narrow = Narrow(self.config)
            m.d.comb += [narrow.float.eq(float), select.maximum[side].eq(magnitude_of(narrow))]
        if self.config.second_special:
            m.d.comb += select.rivalled.eq(self.rivalled)
        m.d.comb += [self.code.eq(select.code), self.special.eq(select.special)]
        return m


def _cut(x: Word, bits: int) -> Word:
    """|x| cut to `bits` significant bits, and to `CUT_LIMIT`."""
    below = FRACTION_BITS + 1 - bits
    kept = magnitude(concat([z3.BitVecVal(0, below), z3.Extract(31, below, x)]))
    return z3.If(z3.ULT(kept, in_units(Fraction(CUT_LIMIT))), kept, in_units(Fraction(CUT_LIMIT)))


def _begins(config: QuantizerConfig, element: int) -> list[Fraction]:
    """From which maximum on each code from 1 on is due, ties aside."""
    values = values_of(config.block_format.scale)
    middles = [element * (low + high) / 2 for low, high in pairwise(values)]
    return [values[1] / 4, *middles[1:]]


def _meets(config: QuantizerConfig, size: Word, begins: Fraction, code: int) -> Claim:
    """Whether a maximum takes `code` or more."""
    down = config.ties_to_even and code % 2 and code > 1
    return (z3.UGT if down else z3.UGE)(size, in_units(begins))


def _nearest(config: QuantizerConfig, size: Word, element: int) -> Word:
    """The code of the scale nearest to a maximum divided by `element`."""
    code = z3.BitVecVal(0, config.block_format.scale.bits)
    for c, begins in enumerate(_begins(config, element), 1):
        code = z3.If(_meets(config, size, begins, c), z3.BitVecVal(c, code.size()), code)
    return code


def _scale(name: str, rounding: Rounding, broken: bool) -> Iterator[Claim]:
    """The scale and asymmetry code are those of rules A and B."""
    config = QuantizerConfig(name, input="float32", rounding=rounding)
    p, n, rivalled = z3.BitVec("positive", 32), z3.BitVec("negative", 32), z3.BitVec("rivalled", 2)
    seen = n & ~z3.BitVecVal(1 << (FRACTION_BITS + 1 - SIDE_BITS), 32) if broken else n
    found = Netlist(FloatsToScale(config)).outputs(positive=p, negative=seen, rivalled=rivalled)
    negative = z3.ULT(_cut(p, SIDE_BITS), _cut(n, SIDE_BITS))
    larger, smaller = z3.If(negative, n, p), z3.If(negative, p, n)
    sizes = magnitude(larger), magnitude(smaller)
    eighth, values = _nearest(config, sizes[0], config.specials[0]), values_of(config.block_format.scale)
    limits = [z3.And(eighth == c, z3.UGE(sizes[1], in_units(SPECIAL_LIMIT * v))) for c, v in enumerate(values) if c]
    code = z3.If(z3.Or(*limits), _nearest(config, sizes[1], int(ELEMENT_MAX)), eighth)
    asymmetry = z3.If(negative, z3.BitVecVal(1, config.block_format.asymmetry_bits), 0)
    if config.second_special:
        beyond, second = _cut(larger, ALONE_BITS), _cut(smaller, ALONE_BITS)
        own = z3.If(negative, z3.Extract(1, 1, rivalled), z3.Extract(0, 0, rivalled)) == 1
        alone = z3.And(z3.Not(own), z3.ULE(second << 1, beyond), z3.ULT(beyond, in_units(Fraction(CUT_LIMIT))))
        code = z3.If(alone, _nearest(config, sizes[0], config.specials[1]), code)
        asymmetry = z3.If(alone, asymmetry | 2, asymmetry)
    asymmetry = z3.If(code == 0, z3.BitVecVal(0, asymmetry.size()), asymmetry)
    positive = z3.And(z3.Extract(31, 31, p) == 0, z3.Extract(31, 31, n) == 0)
    given = z3.And(finite(p), finite(n), positive)
    yield z3.Implies(given, found["code"] == code)
    yield z3.Implies(given, found["special"] == asymmetry)


def _element(second: int, rounding: Rounding, broken: bool) -> Iterator[Claim]:
    """An element of a block with the maximum L is special from the middle of 6 and the special value on."""
    config = QuantizerConfig(FORMATS[second], input="float32", rounding=rounding)
    x, code = z3.BitVec("x", 32), z3.BitVec("scale", config.block_format.scale.bits)
    seen = x & ~z3.BitVecVal(1 << FRACTION_BITS, 32) if broken else x
    special = z3.BitVecVal(1 | second << 1, len(config.specials))  # on its side, and which of the two
    found = Netlist(FloatToElement(config)).outputs(float=seen, scale=code, special=special)["code"]
    values = values_of(config.block_format.scale)
    middle = Fraction(int(ELEMENT_MAX) + config.specials[second], 2)
    due = [z3.And(code == c, z3.UGE(magnitude(x), in_units(middle * v))) for c, v in enumerate(values) if c]
    given = [finite(x), z3.ULE(code, config.block_format.scale.max_code)]
    if second:
        largest = z3.BitVec("largest", 32)
        limit = in_units(Fraction(CUT_LIMIT))
        no_rival = z3.ULE(_cut(x, ALONE_BITS) << 1, _cut(largest, ALONE_BITS))
        same = z3.Extract(30, 0, x) == z3.Extract(30, 0, largest)
        given += [z3.Or(same, no_rival), z3.ULT(magnitude(largest), limit)]
        given.append(code == _nearest(config, magnitude(largest), config.specials[1]))
    yield z3.Implies(z3.And(*given), (found == 8) == z3.Or(*due))


def _scales(broken: bool) -> Iterator[Claim]:
    for name in FORMATS:
        for rounding in ROUNDINGS:
            yield from _scale(name, rounding, broken)


def _elements(second: int, broken: bool) -> Iterator[Claim]:
    for rounding in ROUNDINGS:
        yield from _element(second, rounding, broken)


def proofs() -> list[Proof]:
    return [
        Proof(
            "special-scale",
            "scale and asymmetry code of a block are those of rules A and B, from the maxima of its sides",
            "SMT, every two finite float32 maxima, with rivals on their sides or without",
            "AMXFP4-Z8 and AMXFP4-Z, both roundings",
            "the least bit of the negative side that matters is not connected",
            _scales,
            full=True,
        ),
        Proof(
            "special-eight",
            "an element is 8 from 7 scales on",
            "SMT, every finite float32 under every scale",
            "AMXFP4-Z8, both roundings",
            "the exponent's least bit is not connected",
            partial(_elements, 0),
        ),
        Proof(
            "special-twelve",
            "an element is 12 from 9 scales on, though that is compared with fewer bits than 9 scales have",
            "SMT, every finite float32 that is the largest of its block or no rival of it, below 2^16",
            "AMXFP4-Z, both roundings",
            "the exponent's least bit is not connected",
            partial(_elements, 1),
        ),
    ]
