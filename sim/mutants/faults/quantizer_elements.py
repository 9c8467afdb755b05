"""Faults of an element on its way to a code: `hw/quantizer/narrow.py`, `scaled_narrow.py` and `encode.py`."""

from amxfp4.sim.mutants.faults.configs import (
    EVEN_QUANTIZER,
    HALVING_QUANTIZER,
    POWERS_QUANTIZER,
    QUANTIZER,
    SPECIAL_QUANTIZER,
    TENSOR_QUANTIZER,
)
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "quantiser: a tie of elements lost",
        EVEN_QUANTIZER,
        (
            "quantizer/narrow.py",
            "Cat(fraction[:cut].any(), fraction[cut:])",
            "Cat(fraction[:cut].all(), fraction[cut:])",
        ),
    ),
    made(
        "quantiser: elements of a NaN block keep their codes",
        QUANTIZER,
        ("quantizer/encode.py", "self.scale.none.eq(nan | ~self.code.any())", "self.scale.none.eq(~self.code.any())"),
    ),
    made(
        "quantiser: infinity is a large number",
        QUANTIZER,
        (
            "quantizer/narrow.py",
            "self.special.eq(above & field.all())",
            "self.special.eq(above & field.all() & fraction.any())",
        ),
    ),
    made(
        "quantiser: a subnormal scale decoded as a normal one",
        QUANTIZER,
        ("quantizer/encode.py", "m.If(~field.any()), m.Switch(mantissa)", "m.If(field.all()), m.Switch(mantissa)"),
    ),
    made(
        "quantiser: an element does not saturate",
        QUANTIZER,
        ("quantizer/encode.py", "with m.Elif(distance[low:].any()):", "with m.Elif(Const(0, 1)):"),
    ),
    made(
        "quantiser: the sign of elements lost",
        QUANTIZER,
        ("quantizer/encode.py", "self.element.negative & magnitude.any()", "Const(0, 1)"),
    ),
    made(
        "quantiser: negative zeros written",
        QUANTIZER,
        ("quantizer/encode.py", "self.element.negative & magnitude.any()", "self.element.negative"),
    ),
    made(
        "quantiser: subnormal inputs treated as normal",
        POWERS_QUANTIZER,
        ("quantizer/encode.py", "subnormal.eq(~self.element.exponent.any())", "subnormal.eq(0)"),
    ),
    made(
        "quantiser: what lies just above the limit of halving is halved",
        HALVING_QUANTIZER,
        (
            "quantizer/narrow.py",
            "self.below.eq(fraction[: len(fraction) - config.kept_fraction_bits].any())",
            "self.below.eq(fraction[1 : len(fraction) - config.kept_fraction_bits].any())",
        ),
    ),
    made(
        "quantiser: elements of a halved side under the whole scale",
        HALVING_QUANTIZER,
        ("quantizer/encode.py", "less = self.whole if", "less = Const(1, 1) if"),
    ),
    made(
        "quantiser: the tensor's scale dropped",
        TENSOR_QUANTIZER,
        ("quantizer/scaled_narrow.py", "once.eq(Cat(bits[:FLOAT32_FRACTION_BITS], Const(1, 1)))", "once.eq(1 << 23)"),
    ),
    made(
        "quantiser: the exponent of the tensor's scale dropped",
        TENSOR_QUANTIZER,
        ("quantizer/scaled_narrow.py", "held.eq(field + self.exponent + offset", "held.eq(field + BIAS + offset"),
    ),
    made(
        "quantiser: a product is not rounded to a float32",
        TENSOR_QUANTIZER,
        ("quantizer/scaled_narrow.py", "columns.add(Const(1, 1), at=", "columns.add(Const(0, 1), at="),
    ),
    made(
        "quantiser: a product of two or more is not rounded up",
        TENSOR_QUANTIZER,
        ("quantizer/scaled_narrow.py", "again = wide & ", "again = Const(0, 1) & "),
    ),
    made(
        "quantiser: a product just above a number of few bits is not rounded down",
        TENSOR_QUANTIZER,
        (
            "quantizer/scaled_narrow.py",
            "& ~(product[cut - 1] & product[: cut - 1].any())",
            "& ~product[cut - 1 : cut] & ~product[: cut - 2].any()",
        ),
    ),
    made(
        "quantiser: an element at 7 scales is not 8",
        SPECIAL_QUANTIZER,
        ("quantizer/encode.py", "eight = {4: in_time7, 5: by_now7}", "eight = {4: Const(0, 1), 5: by_now7}"),
    ),
    made(
        "quantiser: 12 from 7 scales on",
        SPECIAL_QUANTIZER,
        ("quantizer/encode.py", "Mux(self.special[1], twelve, eight[5])", "eight[5]"),
    ),
    made(
        "quantiser: a fixed threshold of 12",
        SPECIAL_QUANTIZER,
        (
            "quantizer/encode.py",
            "self.element.fraction[-bits:], threshold) & here",
            "self.element.fraction[-bits:], threshold)",
        ),
    ),
    made(
        "quantiser: the special value on both sides",
        SPECIAL_QUANTIZER,
        ("quantizer/encode.py", "Cat(*met).any() & self.special[0] &", "Cat(*met).any() &"),
    ),
    made(
        "quantiser: special values in a NaN block",
        SPECIAL_QUANTIZER,
        ("quantizer/encode.py", "& ~closer & ~self.scale.none)", "& ~closer)"),
    ),
)
