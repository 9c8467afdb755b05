"""Element codes: every bfloat16 under every scale against golden, every float32 proved."""

import ml_dtypes
import numpy as np
import pytest
import z3
from helpers.comb import evaluate
from helpers.gates import Gates
from helpers.quantizer_parts import HALVING, ROUNDINGS, SCALE_FORMATS, FloatToElement
from helpers.quick import full_but
from helpers.symbolic import (
    EXACT_BITS,
    FRACTION_BITS,
    UNIT,
    blind,
    expressions,
    float32_magnitude,
    floating,
    is_finite,
    wide,
)

from amxfp4.golden import encode_elements
from amxfp4.hw.quantizer.config import QuantizerConfig

FINITE_BFLOAT16 = np.concatenate([np.arange(0x7F80), np.arange(0x8000, 0xFF80)])


def reachable(config: QuantizerConfig, field: np.ndarray, scale: int) -> np.ndarray:
    """Whether a block with this scale code can hold floats with these exponent fields.

    An E8M0 scale is two binades below the largest magnitude of its block, so no element lies further above. An FP8
    scale saturates, so its block can hold any float."""
    return np.full(field.shape, True) if config.fp8 else field <= scale + 2


BY_ROUNDING = [(format, rounding) for format in SCALE_FORMATS for rounding in ROUNDINGS]


@pytest.mark.parametrize(
    "format, rounding",
    [
        *(pair for pair in BY_ROUNDING if pair[0] != "MXFP4-UE5M3"),
        *(pytest.param(*pair, marks=pytest.mark.full) for pair in BY_ROUNDING if pair[0] == "MXFP4-UE5M3"),
    ],
)
def test_every_bfloat16_under_every_scale(format: str, rounding: str) -> None:
    """The quotient in float64 is not exact, but lies on the right side of every threshold. A quotient that differs from
    a threshold differs by a part in 2^12 at least, as neither operand has more than 8 significant bits."""
    config = QuantizerConfig(format, rounding=rounding)
    scale = config.block_format.scale
    values = FINITE_BFLOAT16.astype(np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    field = (FINITE_BFLOAT16 >> 7) & 0xFF
    gates = Gates(FloatToElement(config))
    largest = scale.max_code if config.fp8 else 252  # of the largest float, 2^127 x 1.99
    compared = 0
    for code in range(largest + 1):
        expected = np.zeros(len(values), np.uint8)
        if scale.values[code]:
            expected = encode_elements(values / scale.values[code], rounding)
        found = gates(float=FINITE_BFLOAT16, scale=np.array([code]))["code"]
        mask = reachable(config, field, code)
        np.testing.assert_array_equal(found[mask], expected[mask], err_msg=f"scale code {code:#x}")
        compared += mask.sum()
    assert compared > 8_000_000
    for code in scale.nan_codes:
        assert not gates(float=np.arange(1 << 16), scale=np.array([code]))["code"].any()


def test_the_same_in_amaranths_simulator() -> None:
    config = QuantizerConfig()
    evaluate(FloatToElement(config), float=np.arange(1 << 16) * 40503 % (1 << 16), scale=np.arange(1 << 16) % 128)


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_halved_scales_are_scales_of_half_the_value(rounding: str) -> None:
    """Every bfloat16 under scales with every significand, subnormal ones too, whole and halved."""
    config = QuantizerConfig(HALVING, rounding=rounding)
    values = FINITE_BFLOAT16.astype(np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    gates = Gates(FloatToElement(config))
    for code in (*range(17), *range(120, 128), 0xF8, 0xFE):
        for halved in (0, 1):
            scale = config.block_format.scale.values[code] / (1 + halved)
            expected = encode_elements(values / scale, rounding) if scale else np.zeros(len(values), np.uint8)
            found = gates(float=FINITE_BFLOAT16, scale=np.array([code]), halved=np.array([halved]))["code"]
            np.testing.assert_array_equal(found, expected, err_msg=f"scale code {code:#x}, halved {halved}")
    assert not gates(float=np.arange(1 << 16), scale=np.array([0xFF]), halved=np.array([1]))["code"].any()


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_eight_on_either_side(rounding: str) -> None:
    """Every bfloat16 under scales with every significand, subnormal ones too: 8 from 7 scales on, on its side only."""
    config = QuantizerConfig("AMXFP4-Z8", rounding=rounding)
    scale = config.block_format.scale
    values = FINITE_BFLOAT16.astype(np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    gates = Gates(FloatToElement(config))
    for code in (*range(17), *range(120, 128)):
        for negative in (0, 1):
            expected = np.zeros(len(values), np.uint8)
            if scale.values[code] > 0:
                scaled = values / scale.values[code]
                own = (values < 0) == negative
                expected = np.where(own & (np.abs(scaled) >= 7), 8, encode_elements(scaled, rounding))
            found = gates(float=FINITE_BFLOAT16, scale=np.array([code]), special=np.array([negative]))["code"]
            np.testing.assert_array_equal(found, expected, err_msg=f"scale code {code:#x}, negative {negative}")


def element_is_wrong(
    config: QuantizerConfig,
    x: z3.BitVecRef,
    scale_code: z3.BitVecRef,
    code: z3.BitVecRef,
    halved: z3.BitVecRef | None = None,
) -> z3.BoolRef:
    """Whether `code` is not the element code of the float32 `x` under a finite scale that its block can have.

    Magnitude code c or more is due where |x| is at least, or with a tie that goes down exceeds, threshold x scale.
    """
    scale = config.block_format.scale
    conditions = [is_finite(x), z3.ULE(scale_code, z3.BitVecVal(scale.max_code, scale.bits))]
    if config.fp8:
        fraction, field = (
            z3.Extract(scale.mantissa_bits - 1, 0, scale_code),
            z3.Extract(scale.bits - 1, scale.mantissa_bits, scale_code),
        )
        significand, exponent = floating(fraction, field)
    else:
        significand, exponent = z3.BitVecVal(1, EXACT_BITS), wide(scale_code)
        field = wide(z3.Extract(30, FRACTION_BITS, x))
        conditions += [z3.ULE(field, exponent + 2), z3.ULE(scale_code, z3.BitVecVal(252, scale.bits))]
    # A quarter of the scale, in the units of the magnitude: significand x 2^(exponent + shift).
    shift = -2 - scale.bias - scale.mantissa_bits - UNIT - (0 if halved is None else wide(halved))
    magnitude, found = float32_magnitude(x), z3.Extract(2, 0, code)
    wrong = []
    for c, quarters in enumerate((1, 3, 5, 7, 10, 14, 20), 1):
        bound = (significand * quarters) << (exponent + shift)
        strict = config.rounding == "nearest-even" and c % 2
        due = z3.UGT(magnitude, bound) if strict else z3.UGE(magnitude, bound)
        if config.fp8:
            due = z3.And(due, scale_code != 0)  # a zero scale makes zeros of everything
        wrong.append(due != z3.UGE(found, z3.BitVecVal(c, 3)))
    negative = z3.And(z3.Extract(31, 31, x) == 1, found != 0)
    wrong.append((z3.Extract(3, 3, code) == 1) != negative)
    return z3.And(*conditions, z3.Or(*wrong))


def check(
    config: QuantizerConfig,
    x: z3.BitVecRef,
    scale_code: z3.BitVecRef,
    code: z3.BitVecRef,
    halved: z3.BitVecRef | None = None,
) -> z3.CheckSatResult:
    solver = z3.SolverFor("QF_BV")
    solver.add(element_is_wrong(config, x, scale_code, code, halved))
    return solver.check()


@pytest.mark.parametrize("case", full_but({"MXFP4-E5M2, nearest-even"}, BY_ROUNDING, lambda case: ", ".join(case)))
def test_every_float32_under_every_scale_proved(case: tuple[str, str]) -> None:
    format, rounding = case
    config = QuantizerConfig(format, input="float32", rounding=rounding)
    x, scale = z3.BitVec("x", 32), z3.BitVec("scale", config.block_format.scale.bits)
    unit = FloatToElement(config)
    assert check(config, x, scale, expressions(unit, float=x, scale=scale)["code"]) == z3.unsat

    # A broken twin: it does not see the least bit that matters.
    bit = 0 if rounding == "nearest-even" else FRACTION_BITS - config.kept_fraction_bits
    twin = expressions(unit, float=blind(x, bit), scale=scale)["code"]
    assert check(config, x, scale, twin) == z3.sat


@pytest.mark.full
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_every_float32_under_every_scale_and_its_half_proved(rounding: str) -> None:
    config = QuantizerConfig(HALVING, input="float32", rounding=rounding)
    x, scale, halved = z3.BitVec("x", 32), z3.BitVec("scale", 8), z3.BitVec("halved", 1)
    code = expressions(FloatToElement(config), float=x, scale=scale, halved=halved)["code"]
    assert check(config, x, scale, code, halved) == z3.unsat

    # A broken twin: it halves the other side.
    twin = expressions(FloatToElement(config), float=x, scale=scale, halved=~halved)["code"]
    assert check(config, x, scale, twin, halved) == z3.sat
