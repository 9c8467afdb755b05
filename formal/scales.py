"""Scales: decode, the product of two, and a sum or product scaled by it."""

from collections.abc import Iterator, Mapping
from fractions import Fraction

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.formal.elements import table
from amxfp4.formal.netlist import Netlist, Word, extended, pack, symbols, unpack
from amxfp4.formal.proof import Claim, Proof, by_cases
from amxfp4.golden.formats import BlockFormat, ScaleFormat, block_format
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.scale import ScaleProduct, Scales, decode
from amxfp4.hw.mac.term import TermOfSum
from amxfp4.hw.mac.term_digits import Digits, DigitTerm
from amxfp4.hw.mac.term_direct import SHIFT_MAX, Direct, DirectTerm, product_layout
from amxfp4.hw.mac.term_placed import Placed, PlacedTerm
from amxfp4.hw.mac.term_whole import ScaledTerm, Whole

# One format for each kind of scale.
SCALES = ("MXFP4-E5M2", "MXFP4-E4M3", "MXFP4-UE5M3", "MXFP4")

PAIRS = (
    ("AMXFP4", "AMXFP4"),
    ("MXFP4-E4M3", "AMXFP4"),
    ("AMXFP4-X2", "AMXFP4-X2"),
    ("AMXFP4-E8M0", "MXFP4"),
)

# Windows in the middle, and as far down and up as they may be.
WINDOWS = (
    MacConfig("MXFP4", "MXFP4", accumulator="window"),
    MacConfig("MXFP4", "MXFP4", lanes=32, accumulator="window", accumulator_bits=40, window_exponent=-126),
    MacConfig("MXFP4", "MXFP4", lanes=32, accumulator="window", accumulator_bits=96, window_exponent=32),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E5M2", lanes=8, accumulator="window"),
)

# Pairs whose one-lane unit makes a term of each product.
DIRECT = (("AMXFP4", "AMXFP4"), ("AMXFP4-E4M3", "AMXFP4"))


class Decoded(wiring.Component):
    """`decode` as a component: `code` in; `significand`, `exponent`, `nan` out."""

    def __init__(self, scale: ScaleFormat) -> None:
        self.scale = scale
        super().__init__(
            {
                "code": In(scale.bits),
                "significand": Out(scale.mantissa_bits + 1),
                "exponent": Out(scale.exponent_bits),
                "nan": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        found = decode(self.code, self.scale)
        m.d.comb += [
            self.significand.eq(found.significand),
            self.exponent.eq(found.exponent),
            self.nan.eq(found.nan),
        ]
        return m


def units(scale: ScaleFormat) -> tuple[int, ...]:
    """Every code's value in units of 2^(-bias - mantissa bits), an integer; 0 for NaN."""
    unit = Fraction(2) ** (scale.bias + scale.mantissa_bits)
    exact = [0 if code in scale.nan_codes else Fraction(float(v)) * unit for code, v in enumerate(scale.values)]
    assert all(Fraction(value).denominator == 1 for value in exact)
    return tuple(int(value) for value in exact)


def parts(code: Word, scale: ScaleFormat) -> tuple[Word, Word]:
    """A significand and an exponent, 16 bits each, that make up a code's value in `units`; 0 for NaN."""
    hidden = 1 << scale.mantissa_bits
    significands, exponents = [], []
    for number, value in enumerate(units(scale)):
        exponent = max(value.bit_length() - hidden.bit_length(), bool(scale.mantissa_bits))
        significands.append(value >> exponent)
        exponents.append(exponent)
        assert value == significands[number] << exponents[number]
    return table(code, tuple(significands), 16), table(code, tuple(exponents), 16)


def is_nan(code: Word, scale: ScaleFormat) -> Claim:
    return z3.Or(*(code == nan for nan in scale.nan_codes))


def _decode(broken: bool) -> Iterator[Claim]:
    for name in SCALES:
        scale = block_format(name).scale
        code = z3.BitVec("code", scale.bits)
        values = units(scale)
        width = max(values).bit_length() + 1
        seen = code & ~z3.BitVecVal(1 << scale.mantissa_bits, scale.bits) if broken else code
        found = Netlist(Decoded(scale)).outputs(code=seen)
        nan = is_nan(code, scale)
        value = extended(found["significand"], width) << extended(found["exponent"], width)
        yield (found["nan"] == 1) == nan
        yield z3.Or(nan, value == table(code, values, width))


def _sides(f: BlockFormat, name: str) -> tuple[Word, Word, Word]:
    """A block's scales, the side that is selected, and the scale code of that side."""
    bits = f.scale.bits
    scales, negative = z3.BitVec(f"{name}_scales", bits * f.scales_per_block), z3.BitVec(f"{name}_negative", 1)
    positive_code, negative_code = (
        z3.Extract(bits - 1, 0, scales),
        z3.Extract(scales.size() - 1, scales.size() - bits, scales),
    )
    return scales, negative, z3.If(negative == 1, negative_code, positive_code)


def _product(scales: Scales, broken: bool) -> Iterator[Claim]:
    (a_scales, a_negative, a), (w_scales, w_negative, w) = (
        _sides(f, name) for f, name in zip(scales.products.formats, "aw", strict=True)
    )
    inputs = {"a_scales": a_scales, "w_scales": w_scales, "a_negative": a_negative, "w_negative": w_negative}
    if broken:
        inputs["w_negative"] = ~w_negative
    word = Netlist(ScaleProduct(scales)).outputs(**inputs)["product"]
    product = unpack(scales.layout, word)
    a_scale, w_scale = scales.formats
    (a_significand, a_exponent), (w_significand, w_exponent) = parts(a, a_scale), parts(w, w_scale)
    nan = z3.Or(is_nan(a, a_scale), is_nan(w, w_scale))
    yield (product["nan"] == 1) == nan
    yield z3.Or(nan, extended(product["significand"], 16) == a_significand * w_significand)
    yield z3.Or(nan, extended(product["exponent"], 16) == a_exponent + w_exponent)


def _products(broken: bool) -> Iterator[Claim]:
    for activation, weight in PAIRS:
        yield from _product(MacConfig(activation, weight).plan.scales, broken)


def _scaled(plan: Whole, broken: bool) -> Iterator[Claim]:
    layout = plan.scales.layout
    scale = symbols(layout, "scale")
    total, negative = z3.BitVec("sum", plan.sums.bits), z3.BitVec("negative", 1)
    seen = total & ~z3.BitVecVal(1, total.size()) if broken else total
    word = Netlist(ScaledTerm(plan)).outputs(scale=pack(layout, scale), sum=seen, negative=negative)["term"]
    term = unpack(plan.layout, word)
    yield z3.And(term["exponent"] == scale["exponent"], term["nan"] == scale["nan"])
    bits = plan.bits + 8
    value = extended(total, bits, signed=plan.sums.signed)
    in_range = _in_range(plan, value)
    if not plan.signed and not plan.sums.signed:
        value = z3.If(negative == 1, -value, value)
    significand = scale["significand"]
    claim = z3.Implies(in_range, _value(plan, term, bits) == value * extended(significand, bits))
    yield from _by_significands(plan, claim, significand)


def _in_range(plan: TermOfSum, value: Word) -> Word:
    """That a sum is one that a block can have."""
    return z3.And(value <= plan.sum_max, value >= -plan.sum_max)


def _value(plan: Whole | Digits, term: Mapping[str, Word], bits: int) -> Word:
    """What a term is worth, which it has as a signed value or as a magnitude with its sign."""
    if plan.signed:
        return extended(term["value"], bits, signed=True)
    magnitude = extended(term["magnitude"], bits)
    return z3.If(term["negative"] == 1, -magnitude, magnitude)


def _by_significands(plan: TermOfSum, claim: Word, significand: Word) -> Iterator[Claim]:
    """The claim for each significand that a product of scales can have."""
    largest = plan.scales.significand_max
    patterns = [z3.BitVecVal(n, significand.size()) for n in range(largest + 1)]
    yield from by_cases(claim, significand, patterns, given=z3.ULE(significand, largest))


def _whole(config: MacConfig) -> Whole:
    """The term of a config's sums in one cycle, whether or not the config has time for more."""
    return Whole(config.plan.sums)


def _terms(broken: bool) -> Iterator[Claim]:
    yield from _scaled(_whole(MacConfig("AMXFP4", "AMXFP4")), broken)
    yield from _scaled(_whole(MacConfig("AMXFP4", "AMXFP4", accumulator="fp32")), broken)
    yield from _scaled(_whole(MacConfig("MXFP4", "MXFP4")), broken)


def _wide_terms(broken: bool) -> Iterator[Claim]:
    yield from _scaled(_whole(MacConfig("AMXFP4-X2", "AMXFP4-X2")), broken)
    yield from _scaled(_whole(MacConfig("AMXFP4-X2", "AMXFP4-X2", accumulator="fp32")), broken)


def _digits(plan: Digits, broken: bool) -> Iterator[Claim]:
    """From any registers of a unit that is not making a term. The sum is there in the first cycle only."""
    layout = plan.scales.layout
    netlist = Netlist(DigitTerm(plan))
    scale, total = symbols(layout, "scale"), z3.BitVec("sum", plan.sums.bits)
    seen = total & ~z3.BitVecVal(1, total.size()) if broken else total
    state: Mapping[str, Word] = netlist.symbols() | {"later": z3.BitVecVal(0, plan.digits - 1)}
    word = None
    for cycle in range(plan.digits):
        given = seen if cycle == 0 else z3.BitVec(f"later sum {cycle}", total.size())
        start = z3.BitVecVal(cycle == 0, 1)
        outputs, state = netlist.step(state, start=start, sum=given, scale=pack(layout, scale))
        yield outputs["ready"] == int(cycle == plan.digits - 1)
        word = outputs["term"]
    if plan.held:  # a cycle later
        later = z3.BitVec("later sum", total.size())
        outputs, _ = netlist.step(state, start=z3.BitVecVal(0, 1), sum=later, scale=pack(layout, scale))
        word = outputs["term"]
    term = unpack(plan.layout, word)
    yield z3.And(term["exponent"] == scale["exponent"], term["nan"] == scale["nan"])
    bits = plan.bits + 8
    value, significand = extended(total, bits, signed=True), scale["significand"]
    claim = z3.Implies(_in_range(plan, value), _value(plan, term, bits) == value * extended(significand, bits))
    yield from _by_significands(plan, claim, significand)


def _digit_terms(broken: bool) -> Iterator[Claim]:
    for lanes, accumulator in ((2, "exact"), (1, "fp32")):
        term = MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=lanes, accumulator=accumulator).plan.term
        assert isinstance(term, Digits)
        yield from _digits(term, broken)


def _placed(plan: Placed, broken: bool) -> Iterator[Claim]:
    """From any registers at rest, for every exponent. The sum is there in the first cycle only.

    The finished term moves down by a word when a word is taken, and not otherwise.
    """
    layout = plan.scales.layout
    netlist = Netlist(PlacedTerm(plan))
    scale, total = symbols(layout, "scale"), z3.BitVec("sum", plan.sums.bits)
    seen = total & ~z3.BitVecVal(1, total.size()) if broken else total
    any_state = netlist.symbols()
    rest = any_state | {name: z3.BitVecVal(0, any_state[name].size()) for name in ("count", "ready")}
    bits = plan.bits + 1 + plan.places
    value, significand = extended(total, bits, signed=True), scale["significand"]
    in_range = _in_range(plan, value)
    wait = plan.digits + plan.split.word_bits
    zero = z3.BitVecVal(0, 1)
    at_place: list[Word] = []
    for exponent in range(plan.scales.exponent_min, plan.exponent_max + 1):
        now = scale | {"exponent": z3.BitVecVal(exponent, scale["exponent"].size())}
        state: Mapping[str, Word] = rest
        for cycle in range(wait + 1):
            given = seen if cycle == 0 else z3.BitVec(f"later sum {cycle}", total.size())
            start = z3.BitVecVal(cycle == 0, 1)
            outputs, state = netlist.step(state, start=start, take=zero, sum=given, scale=pack(layout, now))
            yield outputs["ready"] == int(cycle == wait)
        term = unpack(plan.layout, outputs["term"])
        yield z3.And(term["exponent"] == exponent, term["nan"] == scale["nan"])
        words_up, place = divmod(exponent - plan.scales.exponent_min, plan.split.word_bits)
        if words_up:
            yield z3.simplify(term["value"]) == at_place[place]
            continue
        at_place.append(z3.simplify(term["value"]))
        claim = z3.Implies(in_range, term["value"] == value * extended(significand, bits) << place)
        yield from _by_significands(plan, claim, significand)
    take = z3.BitVec("take", 1)
    inputs = {"start": zero, "sum": total, "scale": pack(layout, scale)}
    before, state = netlist.step(rest, take=take, **inputs)
    after, _ = netlist.step(state, take=zero, **inputs)
    left, now = (unpack(plan.layout, outputs["term"])["value"] for outputs in (before, after))
    # Of what is taken, the register may hold one more copy of the sign than the term.
    signs = z3.Extract(rest["product"].size() - 1, bits - 1, rest["product"])
    same = z3.Or(signs == 0, signs == -1)
    yield z3.Implies(same, now == z3.If(take == 1, left >> plan.split.word_bits, left))
    yield z3.And(state["count"] == 0, after["ready"] == 0)


def _placed_terms(broken: bool) -> Iterator[Claim]:
    term = MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1).plan.term
    assert isinstance(term, Placed)
    yield from _placed(term, broken)


def _window(broken: bool) -> Iterator[Claim]:
    """For all scales that are no NaN: where their term stands to the window."""
    for config in WINDOWS:
        scales = config.plan.scales
        assert scales.window is not None
        sides = [_sides(f, name) for f, name in zip(config.formats, "aw", strict=True)]
        (a_scales, a_negative, a), (w_scales, w_negative, w) = sides
        seen = a_scales & ~z3.BitVecVal(1, a_scales.size()) if broken else a_scales
        inputs = {"a_scales": seen, "w_scales": w_scales, "a_negative": a_negative, "w_negative": w_negative}
        found = unpack(scales.layout, Netlist(ScaleProduct(scales)).outputs(**inputs)["product"])
        codes = list(zip((a, w), config.formats, strict=True))
        legal = z3.And(*(z3.Not(is_nan(code, f.scale)) for code, f in codes))
        # The term's least bit weighs 2 to this power, as `parts` count from 2^(-bias - mantissa bits).
        least = sum(parts(code, f.scale)[1] - f.scale.bias - f.scale.mantissa_bits for code, f in codes)
        least += scales.products.unit_exponent
        window = scales.window
        places = least - window.exponent + window.below
        above = least + window.term_bits > window.exponent + window.bits - 1
        yield z3.Implies(legal, (found["above"] == 1) == above)
        exponent = extended(found["exponent"], places.size())
        yield z3.Implies(z3.And(legal, z3.Not(above)), exponent == z3.If(places > 0, places, 0))


def _direct(broken: bool) -> Iterator[Claim]:
    """One lane: a product and the block's scales become a term, in units of the accumulator's least bit."""
    for activation, weight in DIRECT:
        config = MacConfig(activation, weight, lanes=1)
        plan = config.plan.term
        assert isinstance(plan, Direct)
        (a_scales, a_negative, a), (w_scales, w_negative, w) = (
            _sides(f, name) for f, name in zip(config.formats, "aw", strict=True)
        )
        significand, shift = z3.BitVec("significand", 4), z3.BitVec("shift", 3)
        product = {"significand": significand, "shift": shift, "a_negative": a_negative, "w_negative": w_negative}
        if broken:
            product["w_negative"] = z3.BitVecVal(0, 1)
        inputs = {"product": pack(product_layout(), product), "a_scales": a_scales, "w_scales": w_scales}
        term = unpack(plan.layout, Netlist(DirectTerm(plan)).outputs(**inputs)["term"])
        codes = []
        for f, scales in zip(config.formats, (a_scales, w_scales), strict=True):
            bits = f.scale.bits
            codes += [is_nan(z3.Extract(low + bits - 1, low, scales), f.scale) for low in range(0, scales.size(), bits)]
        nan = z3.Or(*codes)
        yield (term["nan"] == 1) == nan
        (a_significand, a_exponent), (w_significand, w_exponent) = (
            parts(code, f.scale) for code, f in zip((a, w), config.formats, strict=True)
        )
        magnitude = extended(significand, 16) * a_significand * w_significand
        value = z3.If(a_negative == w_negative, magnitude, -magnitude)
        legal = z3.And(z3.ULE(significand, 9), z3.ULE(shift, SHIFT_MAX), z3.Not(nan))
        yield z3.Implies(legal, extended(term["value"], 16, signed=True) == value)
        exponent = a_exponent + w_exponent + extended(shift, 16)
        yield z3.Implies(legal, extended(term["exponent"], 16) == exponent)


def proofs() -> list[Proof]:
    return [
        Proof(
            "scale-decode",
            "significand x 2^exponent is the code's value, and NaN is the format's NaN codes",
            "SMT, all codes",
            "E5M2, E4M3, UE5M3, E8M0",
            "the exponent's least bit is not connected",
            _decode,
        ),
        Proof(
            "scale-product",
            "the product of the scales that a sign pair selects is that of their values, NaN if one of them is",
            "SMT, all codes of both sides",
            "E5M2 x E5M2, E4M3 x E5M2, UE5M3 x UE5M3, E8M0 x E8M0",
            "the weight's sides are swapped",
            _products,
        ),
        Proof(
            "scaled-term",
            "a term is block sum x product of significands, as a signed integer or as sign and magnitude",
            "SMT, by cases of the significand",
            "AMXFP4 exact and fp32, MXFP4; blocks of 32",
            "the sum's least bit is not connected",
            _terms,
        ),
        Proof(
            "scaled-term-x2",
            "a term is block sum x product of significands, as a signed integer or as sign and magnitude",
            "SMT, by cases of the significand",
            "AMXFP4-X2 exact and fp32; blocks of 32",
            "the sum's least bit is not connected",
            _wide_terms,
            full=True,
        ),
        Proof(
            "digit-term",
            "a term made a digit a cycle is block sum x product of significands, `digits` - 1 cycles after its sum",
            "SMT, `digits` cycles from any registers, by cases of the significand",
            "MXFP4-E5M2 exact, one lane, blocks of 32",
            "the sum's least bit is not connected",
            _digit_terms,
        ),
        Proof(
            "placed-term",
            "a term made a bit a cycle is block sum x product of significands at its place in a word, `digits` + "
            "`word_bits` cycles after its sum; then only a word that is taken changes it",
            "SMT, those cycles from any registers but the counter, by cases of place and significand",
            "MXFP4-E5M2 exact, one lane, blocks of 32",
            "the sum's least bit is not connected",
            _placed_terms,
            full=True,
        ),
        Proof(
            "window-place",
            "a shift is the exponent of a term less that of the place where terms start, at least 0; a term is above "
            "the window where the largest of its exponent does not fit under the window's sign",
            "SMT, all codes of both sides",
            "E8M0 x E8M0 in windows at 2^-32 and at both ends; E8M0 x E5M2",
            "the activation scale's least bit is not connected",
            _window,
        ),
        Proof(
            "direct-term",
            "one lane's term is product x both selected scales, signed as the product; NaN if a scale of the block is",
            "SMT, all codes and products",
            "AMXFP4 x AMXFP4, E4M3 x AMXFP4, AMXFP4-X2 x AMXFP4",
            "the weight's sign is not connected",
            _direct,
        ),
    ]
