"""Elements: the sign of every code, and the product of every pair of codes."""

from collections.abc import Iterator

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from amxfp4.formal.netlist import Netlist, Word, unpack
from amxfp4.formal.proof import Claim, Proof
from amxfp4.golden.formats import BlockFormat, block_format
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts, asymmetry_port, sign
from amxfp4.hw.mac.term_direct import Direct, DirectProduct, product_layout

# |element| in units of 1/2, for codes 0 .. 7 (OCP MX v1.0).
MAGNITUDES = (0, 1, 2, 3, 4, 6, 8, 12)
PAIRS = (
    ("AMXFP4", "AMXFP4"),
    ("AMXFP4-X2", "MXFP4-UE5M3"),
    ("MXFP4-UE5M3", "AMXFP4-X2"),
    ("AMXFP4-X2", "AMXFP4-X2"),
    ("AMXFP4-Z8", "MXFP4-E4M3"),
    ("MXFP4-E4M3", "AMXFP4-Z"),
    ("AMXFP4-Z8", "AMXFP4-Z"),
    ("AMXFP4-Z", "AMXFP4-Z8"),
    ("AMXFP4-X2", "AMXFP4-Z"),
)
# A format of each kind of sign.
SIGNS = ("MXFP4", "AMXFP4-X2", "AMXFP4-Z8", "AMXFP4-Z")

# Pairs whose one-lane unit makes a term of each product.
DIRECT = (("AMXFP4", "AMXFP4"), ("AMXFP4-E4M3", "AMXFP4"))


def table(index: Word, values: tuple[int, ...], width: int) -> Word:
    """The one of `values` at an index; the last one for an index beyond them."""
    found = z3.BitVecVal(values[-1], width)
    for position, value in reversed(list(enumerate(values[:-1]))):
        found = z3.If(index == position, z3.BitVecVal(value, width), found)
    return found


def magnitude(code: Word, asymmetry: Word, f: BlockFormat, width: int) -> Word:
    """|element| in units of 1/2, or of 1/4 where sides may be halved."""
    full = table(z3.Extract(2, 0, code), MAGNITUDES, width)
    if f.halving:
        negative = z3.Extract(3, 3, code) == 1
        half = z3.If(negative, z3.Extract(1, 1, asymmetry), z3.Extract(0, 0, asymmetry)) == 1
        return z3.If(half, full, 2 * full)
    if f.name == "AMXFP4-Z8":
        return z3.If(code == 0b1000, z3.BitVecVal(2 * 8, width), full)
    if f.name == "AMXFP4-Z":
        special = z3.If(z3.Extract(1, 1, asymmetry) == 1, z3.BitVecVal(2 * 12, width), z3.BitVecVal(2 * 8, width))
        return z3.If(code == 0b1000, special, full)
    return full


class Sign(wiring.Component):
    """`sign` as a component: `code` and `asymmetry` in, `negative` out."""

    def __init__(self, f: BlockFormat) -> None:
        self.format = f
        super().__init__({"code": In(4), "asymmetry": In(2), "negative": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.negative.eq(sign(self.code, self.asymmetry, self.format))
        return m


def _signs(broken: bool) -> Iterator[Claim]:
    for name in SIGNS:
        f = block_format(name)
        code, asymmetry = z3.BitVec("code", 4), z3.BitVec("asymmetry", 2)
        statement = z3.Extract(3, 3, code)
        if f.specials:
            statement = z3.If(code == 0b1000, z3.Extract(0, 0, asymmetry), statement)
        seen = code & ~z3.BitVecVal(8, 4) if broken else code
        yield Netlist(Sign(f)).outputs(code=seen, asymmetry=asymmetry)["negative"] == statement


def _product(config: MacConfig, broken: bool) -> Iterator[Claim]:
    a, w = z3.BitVecs("a w", 4)
    bits = 16
    inputs, factors = {}, []
    for side, code, f in zip("aw", (a, w), config.formats, strict=True):
        name, width = asymmetry_port(side, f)
        inputs[name] = z3.BitVec(name, width)
        factors.append(magnitude(code, inputs[name], f, bits))
    statement = factors[0] * factors[1]
    seen = a & ~z3.BitVecVal(1, 4) if broken else a
    products = config.plan.products
    if not isinstance(config.plan.term, Direct):
        found = Netlist(ElementProducts(products)).outputs(a=seen, w=w, **inputs)["magnitude"]
        yield z3.ZeroExt(bits - found.size(), found) == statement
        return
    product = unpack(product_layout(), Netlist(DirectProduct(products)).outputs(a=seen, w=w)["product"])
    significand, shift = (z3.ZeroExt(bits - product[name].size(), product[name]) for name in ("significand", "shift"))
    yield significand << shift == statement
    yield product["a_negative"] == z3.Extract(3, 3, a)
    yield product["w_negative"] == z3.Extract(3, 3, w)


def _claims(accumulator: str, broken: bool) -> Iterator[Claim]:
    for activation, weight in PAIRS if accumulator == "fp32" else DIRECT:
        config = MacConfig(activation, weight, lanes=1, accumulator=accumulator)
        assert isinstance(config.plan.term, Direct) == (accumulator == "exact")
        yield from _product(config, broken)


def proofs() -> list[Proof]:
    scope = "symmetric; AMXFP4-X2, AMXFP4-Z8 and AMXFP4-Z on either side, on both"
    return [
        Proof(
            "element-sign",
            "an element is negative where its code's sign is set; a special value where its block's code says so",
            "SMT, all codes",
            "symmetric, AMXFP4-X2, AMXFP4-Z8, AMXFP4-Z",
            "the sign bit is not connected",
            _signs,
        ),
        Proof(
            "element-product",
            "a product is |a| x |w| in units of 1/4 (a place finer for each operand whose sides may be halved)",
            "SMT, all codes",
            scope,
            "the mantissa bit of one operand is not connected",
            lambda broken: _claims("fp32", broken),
        ),
        Proof(
            "direct-product",
            "one lane's significand x 2^shift is |a| x |w|, with both signs beside it",
            "SMT, all codes",
            "AMXFP4 on both sides",
            "the mantissa bit of one operand is not connected",
            lambda broken: _claims("exact", broken),
        ),
    ]
