"""Scale selection: every bfloat16 magnitude against golden, every float32 proved."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import z3
from helpers.comb import evaluate
from helpers.quantizer_parts import ROUNDINGS, SCALE_FORMATS, FloatToScale
from helpers.symbolic import EXACT_BITS, FRACTION_BITS, UNIT, blind, expressions, float32_magnitude, is_finite

from amxfp4.golden import ScaleRule, block_format, quantize
from amxfp4.hw.quantizer.config import QuantizerConfig

FINITE_BFLOAT16 = np.arange(0x7F80, dtype=np.uint16)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("format", SCALE_FORMATS)
def test_every_bfloat16_magnitude(format: str, rounding: str) -> None:
    """Each magnitude is the largest of a block of its own."""
    x = np.zeros((len(FINITE_BFLOAT16), 8), np.uint16)
    x[:, 3] = FINITE_BFLOAT16
    expected = quantize(x.view(ml_dtypes.bfloat16), block_format(format, 8), rounding=rounding).scales[:, 0, 0]
    found = evaluate(FloatToScale(QuantizerConfig(format, rounding=rounding)), float=FINITE_BFLOAT16.astype(np.int64))
    np.testing.assert_array_equal(found["code"], expected)


@pytest.mark.parametrize("rule", ("even", "ceil"))
def test_every_bfloat16_magnitude_by_other_rules(rule: ScaleRule) -> None:
    x = np.zeros((len(FINITE_BFLOAT16), 8), np.uint16)
    x[:, 3] = FINITE_BFLOAT16
    expected = quantize(x.view(ml_dtypes.bfloat16), "MXFP4/8", rule=rule).scales[:, 0, 0]
    found = evaluate(FloatToScale(QuantizerConfig("MXFP4", rule=rule)), float=FINITE_BFLOAT16.astype(np.int64))
    np.testing.assert_array_equal(found["code"], expected)
    # float32: the thresholds of every binade, and what lies beside them
    near = ((np.arange(255) << 23)[:, None] + [0, 1 << 22, 3 << 21]).ravel()[:, None] + [-1, 0, 1]
    bits = near[near >= 0].astype(np.uint32)
    x32 = np.zeros((len(bits), 8), np.float32)
    x32[:, 5] = bits.view(np.float32)
    expected = quantize(x32, "MXFP4/8", rule=rule).scales[:, 0, 0]
    wide = FloatToScale(QuantizerConfig("MXFP4", input="float32", rule=rule))
    np.testing.assert_array_equal(evaluate(wide, float=bits.astype(np.int64))["code"], expected)


def scale_is_wrong(config: QuantizerConfig, x: z3.BitVecRef, code: z3.BitVecRef) -> z3.BoolRef:
    """Whether `code` is not the scale code of a block whose largest magnitude is the float32 `x`.

    FP8: code c or more is due from 6 x the midpoint of the values of c - 1 and c on. E8M0: the value's exponent is
    that of x less 2, clamped: code c or more is due from 2^(c - 127 + 2) on.
    """
    scale = config.block_format.scale
    magnitude = float32_magnitude(x)
    values = [int(s) * Fraction(2) ** int(e) for s, e in zip(scale.significands, scale.exponents, strict=True)]
    wrong = []
    for c in range(1, scale.max_code + 1):
        least = 6 * (values[c - 1] + values[c]) / 2 if scale.is_fp8 else 4 * values[c]
        exact = least / Fraction(2) ** UNIT
        assert exact.denominator == 1
        if exact.numerator >= 1 << EXACT_BITS:
            continue
        bound = z3.BitVecVal(exact.numerator, EXACT_BITS)
        strict = scale.is_fp8 and config.rounding == "nearest-even" and c % 2
        due = z3.UGT(magnitude, bound) if strict else z3.UGE(magnitude, bound)
        wrong.append(due != z3.UGE(code, z3.BitVecVal(c, scale.bits)))
    return z3.And(is_finite(x), z3.Or(*wrong, z3.UGT(code, z3.BitVecVal(scale.max_code, scale.bits))))


def check(config: QuantizerConfig, x: z3.BitVecRef, code: z3.BitVecRef) -> z3.CheckSatResult:
    solver = z3.SolverFor("QF_BV")
    solver.add(scale_is_wrong(config, x, code))
    return solver.check()


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("format", SCALE_FORMATS)
def test_every_float32_magnitude_proved(format: str, rounding: str) -> None:
    config = QuantizerConfig(format, input="float32", rounding=rounding)
    x = z3.BitVec("x", 32)
    unit = FloatToScale(config)
    assert check(config, x, expressions(unit, float=x)["code"]) == z3.unsat

    # A broken twin: it does not see the least bit that matters.
    if not config.fp8:
        bit = FRACTION_BITS
    else:
        bit = 0 if rounding == "nearest-even" else FRACTION_BITS - config.kept_fraction_bits
    assert check(config, x, expressions(unit, float=blind(x, bit))["code"]) == z3.sat
