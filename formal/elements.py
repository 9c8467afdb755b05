"""Elements: the product of every pair of codes."""

from collections.abc import Iterator

import z3

from amxfp4.formal.netlist import Netlist, Word, unpack
from amxfp4.formal.proof import Claim, Proof
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts
from amxfp4.hw.mac.term_direct import Direct, DirectProduct, product_layout

# |element| in units of 1/2, for codes 0 .. 7 (OCP MX v1.0).
MAGNITUDES = (0, 1, 2, 3, 4, 6, 8, 12)
PAIRS = (
    ("AMXFP4", "AMXFP4"),
    ("AMXFP4-X2", "MXFP4-UE5M3"),
    ("MXFP4-UE5M3", "AMXFP4-X2"),
    ("AMXFP4-X2", "AMXFP4-X2"),
)

# Pairs whose one-lane unit makes a term of each product.
DIRECT = (("AMXFP4", "AMXFP4"), ("AMXFP4-E4M3", "AMXFP4"))


def table(index: Word, values: tuple[int, ...], width: int) -> Word:
    """The one of `values` at an index; the last one for an index beyond them."""
    found = z3.BitVecVal(values[-1], width)
    for position, value in reversed(list(enumerate(values[:-1]))):
        found = z3.If(index == position, z3.BitVecVal(value, width), found)
    return found


def magnitude(code: Word, halved: Word, halving: bool, width: int) -> Word:
    """|element| in units of 1/2, or of 1/4 where sides may be halved."""
    full = table(z3.Extract(2, 0, code), MAGNITUDES, width)
    if not halving:
        return full
    negative = z3.Extract(3, 3, code) == 1
    half = z3.If(negative, z3.Extract(1, 1, halved), z3.Extract(0, 0, halved)) == 1
    return z3.If(half, full, 2 * full)


def _product(config: MacConfig, broken: bool) -> Iterator[Claim]:
    a, w, a_halved, w_halved = z3.BitVecs("a w a_halved w_halved", 4)
    a_halved, w_halved = z3.Extract(1, 0, a_halved), z3.Extract(1, 0, w_halved)
    bits = 16
    statement = magnitude(a, a_halved, config.activation_format.halving, bits) * magnitude(
        w, w_halved, config.weight_format.halving, bits
    )
    seen = a & ~z3.BitVecVal(1, 4) if broken else a
    products = config.plan.products
    if not isinstance(config.plan.term, Direct):
        inputs = {"a": seen, "w": w, "a_halved": a_halved, "w_halved": w_halved}
        found = Netlist(ElementProducts(products)).outputs(**inputs)["magnitude"]
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
    scope = "symmetric, AMXFP4-X2 on either side, on both"
    return [
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
