"""The quantiser's selections: the scale of a block's largest magnitude, and an element under a scale.

A float is an exact integer here: significand x 2^field, in units of 2^`UNIT`. Selections are compared with thresholds
as integers, so that no statement rounds anything.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.formal.netlist import Netlist, Word, concat, extended, unpack
from amxfp4.formal.proof import Claim, Proof, by_cases
from amxfp4.golden.formats import ROUNDINGS, ScaleFormat
from amxfp4.hw.quantizer.config import INPUTS, QuantizerConfig
from amxfp4.hw.quantizer.encode import ElementEncode, ScaleDecode
from amxfp4.hw.quantizer.maxima import BeatMaxima
from amxfp4.hw.quantizer.narrow import Narrow, magnitude_of
from amxfp4.hw.quantizer.scale_select import ScaleSelect
from amxfp4.hw.quantizer.scaled_narrow import ScaledNarrow

# One format for each kind of scale. How many sides it has does not matter to a selection.
FORMATS = ("MXFP4-E5M2", "MXFP4-E4M3", "MXFP4-UE5M3", "MXFP4")
# Every float32 is a multiple of 2^-149. Its significand is shifted by its exponent field, which counts as 1 at least.
UNIT = -150
# Room for every float32 and every threshold in these units.
BITS = 320
# A power-of-two scale is 2 binades below its block's largest magnitude (contract: floor(log2 m) - 2).
BINADES = 2
# Thresholds of the magnitude codes 1 .. 7, in quarters of the scale: the middles of 0, 0.5, 1, 1.5, 2, 3, 4, 6.
QUARTERS = (1, 3, 5, 7, 10, 14, 20)


class FloatToScale(wiring.Component):
    """The scale code of a block whose largest magnitude is `float`: `Narrow` and `ScaleSelect` in a row."""

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        super().__init__({"float": In(config.float_bits), "code": Out(config.block_format.scale.bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.narrow = narrow = Narrow(self.config)
        m.submodules.select = select = ScaleSelect(self.config)
        m.d.comb += [
            narrow.float.eq(self.float),
            select.maximum.eq(magnitude_of(narrow)),
            self.code.eq(select.code),
        ]
        return m


class FloatToElement(wiring.Component):
    """The element code of `float` under the scale of code `scale`: `Narrow`, `ScaleDecode` and `ElementEncode`.

    With special values there is also `special`, as in `ElementEncode`.
    """

    def __init__(self, config: QuantizerConfig) -> None:
        self.config = config
        bits = config.block_format.scale.bits
        special = {"special": In(len(config.specials))} if config.specials else {}
        super().__init__({"float": In(config.float_bits), "scale": In(bits), "code": Out(4), **special})

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
        if self.config.specials:
            m.d.comb += encode.special.eq(self.special)
        return m


def magnitude(x: Word) -> Word:
    """|x| of a finite float32, in units."""
    fraction, field = z3.Extract(22, 0, x), z3.Extract(30, 23, x)
    significand, exponent = _significand(fraction, field)
    return significand << exponent


def _significand(fraction: Word, field: Word) -> tuple[Word, Word]:
    """Significand and exponent of a float. The field 0 stands for no hidden bit and the weight of field 1."""
    hidden = z3.If(field == 0, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))
    exponent = z3.If(field == 0, z3.BitVecVal(1, field.size()), field)
    return extended(z3.Concat(hidden, fraction), BITS), extended(exponent, BITS)


def finite(x: Word) -> Claim:
    return z3.Extract(30, 23, x) != 255


def _float(config: QuantizerConfig, name: str = "x") -> tuple[Word, Word]:
    """A float of the config's input, and the float32 of the same value."""
    x = z3.BitVec(name, config.float_bits)
    return x, concat([z3.BitVecVal(0, 32 - config.float_bits), x]) if config.float_bits < 32 else x


def _blind(config: QuantizerConfig, x: Word) -> Word:
    """What a broken twin sees: the float without the lowest bit of its fraction that matters."""
    below = 0 if config.ties_to_even else config.input_fraction_bits - config.kept_fraction_bits
    return x & ~z3.BitVecVal(1 << max(below, 0), x.size())


# A power-of-two scale is due from these multiples of its value on: the scale before is half as large.
_POWERS_FROM = {"floor": Fraction(1 << BINADES), "even": Fraction(7, 2), "ceil": Fraction(3)}


def _blind_to_scale(config: QuantizerConfig, x: Word) -> Word:
    """What a broken twin sees of a maximum: all but the lowest bit that a scale can depend on."""
    if config.fp8:
        return _blind(config, x)
    bits = {"floor": 0, "even": 2, "ceil": config.input_fraction_bits}[config.rule]  # of the fraction, that matter
    return x & ~z3.BitVecVal(1 << config.input_fraction_bits - bits, x.size())


def values_of(scale: ScaleFormat) -> list[Fraction]:
    """The exact value of each finite code."""
    return [Fraction(float(value)) for value in scale.values[: scale.max_code + 1]]


def in_units(value: Fraction) -> Word:
    """A value as an integer, in units."""
    units = value / Fraction(2) ** UNIT
    assert units.denominator == 1
    return z3.BitVecVal(units.numerator, BITS)


def _scale(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """Code c or more is due from a threshold on.

    | scales | threshold of code c |
    |---|---|
    | FP8 | 6 x the middle between the values of c - 1 and c |
    | E8M0, "floor" | 4 x the value of c |
    | E8M0, "even" | 7 x the value of c - 1 |
    | E8M0, "ceil" | what is more than 6 x the value of c - 1 |

    E8M0 codes above 252, 6 times whose values exceed float32's range, are never due.
    """
    scale = config.block_format.scale
    x, x32 = _float(config)
    seen = _blind_to_scale(config, x) if broken else x
    code = Netlist(FloatToScale(config)).outputs(float=seen)["code"]
    size, values = magnitude(x32), values_of(scale)
    right = [z3.ULE(code, scale.max_float32_code)]
    for c in range(1, scale.max_float32_code + 1):
        least = 6 * (values[c - 1] + values[c]) / 2 if config.fp8 else values[c] * _POWERS_FROM[config.rule]
        # Of FP8 a tie may go to the even code, here the lower one.
        strict = config.ties_to_even and c % 2 if config.fp8 else config.rule == "ceil"
        due = (z3.UGT if strict else z3.UGE)(size, in_units(least))
        right.append(due == z3.UGE(code, c))
    yield z3.Implies(finite(x32), z3.And(*right))


def _element(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """Magnitude code c or more is due where |x| is at least threshold x scale.

    Where a tie goes to the code below, |x| must exceed that.
    """
    scale = config.block_format.scale
    x, x32 = _float(config)
    scale_code = z3.BitVec("scale", scale.bits)
    seen = _blind(config, x) if broken else x
    code = Netlist(FloatToElement(config)).outputs(float=seen, scale=scale_code)["code"]
    found = z3.Extract(2, 0, code)
    given = [finite(x32), z3.ULE(scale_code, scale.max_code)]
    if config.fp8:
        bits = scale.mantissa_bits
        significand, exponent = _significand(
            z3.Extract(bits - 1, 0, scale_code), z3.Extract(scale.bits - 1, bits, scale_code)
        )
    else:
        significand, exponent = z3.BitVecVal(1, BITS), extended(scale_code, BITS)
        # An element lies no further above the scale than its block's maximum, and no float makes a code above 252.
        given += [z3.ULE(extended(z3.Extract(30, 23, x32), BITS), exponent + BINADES), z3.ULE(scale_code, 252)]
    quarter = exponent + (-2 - scale.bias - scale.mantissa_bits - UNIT)
    right = [(z3.Extract(3, 3, code) == 1) == z3.And(z3.Extract(31, 31, x32) == 1, found != 0)]
    for c, quarters in enumerate(QUARTERS, 1):
        bound = (significand * quarters) << quarter
        due = (z3.UGT if config.ties_to_even and c % 2 else z3.UGE)(magnitude(x32), bound)
        if config.fp8:
            due = z3.And(due, scale_code != 0)  # a zero scale makes zeros of everything
        right.append(due == z3.UGE(found, c))
    yield z3.Implies(z3.And(*given), z3.And(*right))
    if not broken:
        nan = z3.Or(*(scale_code == n for n in scale.nan_codes))
        yield z3.Implies(nan, code == 0)


def _monotone(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """Of held magnitudes, a larger one never has a smaller scale.

    Held magnitudes are out of order outside of their window. Even so, the scale of the largest held one is the largest
    of all scales, which is the scale of the largest magnitude.
    """
    netlist = Netlist(ScaleSelect(config))
    held = z3.BitVecs("held other", config.maximum_bits)
    top = z3.BitVecVal(1 << (config.maximum_bits - 1), config.maximum_bits)
    smaller, larger = (netlist.outputs(maximum=h & ~top if broken else h)["code"] for h in held)
    yield z3.Implies(z3.ULE(*held), z3.ULE(smaller, larger))


def _maxima(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """A side's maximum is one of its lanes' magnitudes and no smaller than any of them; without lanes it is 0."""
    lanes = [z3.BitVec(f"magnitude{lane}", config.maximum_bits) for lane in range(config.lanes)]
    negative = z3.BitVec("negative", config.lanes)
    seen = negative & ~z3.BitVecVal(1 << (config.lanes - 1), config.lanes) if broken and config.asymmetric else negative
    given = [z3.BitVecVal(0, config.maximum_bits), *lanes[1:]] if broken and not config.asymmetric else lanes
    maximum = Netlist(BeatMaxima(config)).outputs(magnitude=concat(given), negative=seen)["maximum"]
    for side in range(config.sides):
        found = z3.Extract((side + 1) * config.maximum_bits - 1, side * config.maximum_bits, maximum)
        own = [z3.Or(not config.asymmetric, z3.Extract(lane, lane, negative) == side) for lane in range(config.lanes)]
        yield z3.And(*(z3.Implies(mine, z3.UGE(found, lane)) for mine, lane in zip(own, lanes, strict=True)))
        one = [z3.And(mine, found == lane) for mine, lane in zip(own, lanes, strict=True)]
        yield z3.Or(*one, z3.And(found == 0, *(z3.Not(mine) for mine in own)))


def _product(config: QuantizerConfig, broken: bool) -> Iterator[Claim]:
    """What is held of float32(x times a reciprocal), ties to even, by cases of the significand of x."""
    x, reciprocal = z3.BitVec("x", config.float_bits), z3.BitVec("reciprocal", 32)
    once = z3.Concat(z3.BitVecVal(1, 1), z3.Extract(22, 0, reciprocal))
    thrice = z3.ZeroExt(2, once) * 3
    fraction_bits = config.input_fraction_bits
    fraction, field = z3.Extract(fraction_bits - 1, 0, x), z3.Extract(config.float_bits - 2, fraction_bits, x)
    seen = once & ~z3.BitVecVal(1, once.size()) if broken else once
    found = Netlist(ScaledNarrow(config)).outputs(
        float=x, once=seen, thrice=thrice, exponent=z3.Extract(30, 23, reciprocal)
    )
    element = unpack(config.element_layout, found["element"])
    bits = fraction_bits + 26  # of the exact product, and one to spare
    exact = extended(z3.Concat(z3.BitVecVal(1, 1), fraction), bits) * extended(once, bits)
    low = [z3.BitVecVal(fraction_bits + wide, bits) for wide in (0, 1)]
    wide = z3.UGE(exact, z3.BitVecVal(1, bits) << (low[1] + 23))
    shift = z3.If(wide, low[1], low[0])
    cut, half = exact & ~(-z3.BitVecVal(1, bits) << shift), z3.BitVecVal(1, bits) << (shift - 1)
    whole = z3.LShR(exact, shift)
    up = z3.Or(z3.UGT(cut, half), z3.And(cut == half, z3.Extract(0, 0, whole) == 1))
    rounded = z3.If(up, whole + 1, whole)
    carried = z3.Extract(24, 24, rounded) == 1  # up to 2 or 4, whose fraction is 0 all the same
    kept, below = config.kept_fraction_bits, 23 - config.kept_fraction_bits
    inexact = z3.If(z3.Extract(below - 1, 0, rounded) != 0, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
    statement = z3.Extract(22, 23 - kept, rounded)
    if config.ties_to_even:
        statement = z3.Concat(statement, inexact)
    largest = (1 << config.exponent_bits) - 1
    exponent = z3.ZeroExt(8, field) + z3.ZeroExt(8, z3.Extract(30, 23, reciprocal)) - 254 + config.window_bias
    exponent = exponent + z3.If(wide, 1, z3.BitVecVal(0, 16)) + z3.If(carried, 1, z3.BitVecVal(0, 16))
    held = z3.If(z3.Or(exponent < 0, field == 0), z3.BitVecVal(0, 16), z3.If(exponent > largest, largest, exponent))
    claim = z3.And(
        (found["special"] == 1) == (field == 255),
        element["negative"] == z3.Extract(config.float_bits - 1, config.float_bits - 1, x),
        z3.Implies(field != 255, extended(element["exponent"], 16) == held),
        z3.Implies(z3.And(held > 0, held < largest, field != 255), element["fraction"] == statement),
    )
    rest = z3.Extract(config.float_bits - 1, fraction_bits, x)
    patterns = [z3.Concat(rest, z3.BitVecVal(n, fraction_bits)) for n in range(1 << fraction_bits)]
    yield from by_cases(claim, x, patterns)


def _products(broken: bool) -> Iterator[Claim]:
    yield from _product(QuantizerConfig("NVFP4"), broken)


def _of_each(claims: Callable[[QuantizerConfig, bool], Iterator[Claim]], input: str, broken: bool) -> Iterator[Claim]:
    for name, rounding in product(FORMATS, ROUNDINGS):
        yield from claims(QuantizerConfig(name, input=input, rounding=rounding), broken)


def _of_each_rule(
    claims: Callable[[QuantizerConfig, bool], Iterator[Claim]], input: str, broken: bool
) -> Iterator[Claim]:
    for rule in ("even", "ceil"):
        yield from claims(QuantizerConfig("MXFP4", input=input, rule=rule), broken)


def _all_maxima(broken: bool) -> Iterator[Claim]:
    for name, lanes in product(("AMXFP4", "AMXFP4-E4M3", "MXFP4"), (1, 2, 4, 8)):
        if lanes > 1 or not broken:
            yield from _maxima(QuantizerConfig(name, lanes=lanes), broken)


def proofs() -> list[Proof]:
    scope = "E5M2, E4M3, UE5M3 and E8M0, both roundings"
    selections = [
        proof
        for input in INPUTS
        for proof in (
            Proof(
                f"quantizer-scale-{input}",
                "the scale code of a block whose largest magnitude is x is the nearest to |x| / 6, saturating (E8M0: "
                "2^(floor(log2 |x|) - 2), clamped)",
                f"SMT, every finite {input}",
                scope,
                "the float's least bit that matters is not connected",
                partial(_of_each, _scale, input),
            ),
            Proof(
                f"quantizer-element-{input}",
                "the code of x is the nearest to |x| / scale, saturating at 6, with the sign of x unless it is 0; 0 "
                "under a scale of 0 or NaN",
                f"SMT, every finite {input} under every scale code that its block can have",
                scope,
                "the float's least bit that matters is not connected",
                partial(_of_each, _element, input),
            ),
        )
    ]
    return [
        *selections,
        *(
            Proof(
                f"quantizer-rules-{input}",
                "the scale code of a block whose largest magnitude is x, in [4 s, 8 s), is that of 2 s from 7 s on "
                '("even") or above 6 s ("ceil"), otherwise that of s; clamped',
                f"SMT, every finite {input}",
                "E8M0",
                "the float's least bit that matters is not connected",
                partial(_of_each_rule, _scale, input),
            )
            for input in INPUTS
        ),
        Proof(
            "quantizer-product",
            "what is held of a float times the reciprocal of a tensor's scale is what is held of their product as a "
            "float32, ties to even; a subnormal counts as 0",
            "SMT, every bfloat16 and every positive normal reciprocal, by cases of the float's fraction",
            "NVFP4",
            "the reciprocal's least bit is not connected",
            _products,
            full=True,
        ),
        Proof(
            "quantizer-rules-monotone",
            'by the rules "even" and "ceil" a larger held magnitude never has a smaller scale either',
            "SMT, every two held magnitudes",
            "E8M0",
            "the exponent's top bit is not connected",
            partial(_of_each_rule, _monotone, "bfloat16"),
        ),
        Proof(
            "quantizer-monotone",
            "a larger held magnitude never has a smaller scale, so a block's scale is the largest of its beats' scales",
            "SMT, every two held magnitudes",
            scope,
            "the exponent's top bit is not connected",
            partial(_of_each, _monotone, "bfloat16"),
        ),
        Proof(
            "quantizer-maxima",
            "the maximum of a beat is the largest magnitude of a side's own lanes, 0 if it has none",
            "SMT, all magnitudes and signs",
            "1, 2, 4 and 8 lanes; AMXFP4 (E5M2 and E4M3) and MXFP4",
            "the last lane's sign is not connected; symmetric: the first lane",
            _all_maxima,
        ),
    ]
