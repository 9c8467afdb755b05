"""NVFP4 of golden beside that of other implementations: equal, but for differences whose cause is checked one by one.

The causes are those that docs/formats.md lists: the order in which float32 is rounded, which tells only at ties; scales
below the least one; the sign of zero; and tensors for which no scale can be taken.
"""

from collections import Counter

import numpy as np
import pytest
from helpers.docs import generated
from helpers.nvfp4_reference import (
    OURS,
    QUANTISERS,
    Case,
    Codes,
    cases,
    table,
    versions,
    without_negative_zero,
)

from amxfp4.golden.cast import DirectCaster
from amxfp4.golden.formats import E4M3, ELEMENT_MAGNITUDES, ELEMENT_SIGN, block_format
from amxfp4.golden.tensor_scale import divided

NVFP4 = block_format("NVFP4")
PEAK = 448 * 6
NEAR = 2.0**-21
"""How near a tie lies where the order of float32's roundings tells: a few of them, each at most 2^-24."""

LEAST_SCALE = {"torchao": 0x08, "nvidia-modelopt": 0x01, "compressed-tensors": 0x00}
"""The scale code that a quantiser goes no lower than: 2^-6, 2^-9, 0."""

INSTEAD_OF_ZERO = {"torchao": 0x08, "nvidia-modelopt": 0x38, "compressed-tensors": 0x20}
"""The scale code that takes the place of 0 in blocks of zeros: 2^-6, 1, 2^-3. Their elements are 0 under any."""

UNDERFLOWS = {"torchao": 0x08, "nvidia-modelopt": 0x01, "compressed-tensors": 0x20}
"""The scale code of a block whose scale underflows."""

NORMAL = [case for case in cases() if case.kind not in ("least", "zero", "nan", "infinity")]
LIMITS = {case.kind: case for case in cases() if case.kind in ("least", "zero", "nan", "infinity")}


def near_tie(quotient: float, one: float, other: float) -> bool:
    return abs(quotient - (one + other) / 2) <= NEAR * (one + other) / 2


def scale_cause(case: Case, quantiser: str, row: int) -> str:
    """Why a block's scales differ, or an assertion that fails."""
    ours, theirs = int(case.casts[OURS].scales[row]), int(case.casts[quantiser].scales[row])
    largest = float(np.abs(case.x[row]).max())
    if largest == 0:
        assert (ours, theirs) == (0, INSTEAD_OF_ZERO[quantiser])
        return "block of zeros"
    if ours == 0:
        assert theirs == UNDERFLOWS[quantiser]
        return "underflow"
    if ours < LEAST_SCALE[quantiser]:
        assert theirs == LEAST_SCALE[quantiser]
        return "below the least scale"
    assert abs(ours - theirs) == 1
    assert near_tie(largest * 448 / float(np.abs(case.x).max()), E4M3.values[ours], E4M3.values[theirs])
    return "tie"


def ours_under(case: Case, scales: Codes) -> Codes:
    """The element codes that golden gives under given scales."""
    x = divided(case.x, case.casts[OURS].factor)
    codes = np.empty(x.shape, np.uint8)
    DirectCaster(NVFP4, NVFP4.ties, "nearest").cast_elements(x, x < 0, scales[:, None], codes)
    return codes


def check_element(case: Case, scale: int, value: float, ours: int, theirs: int) -> None:
    assert (ours ^ theirs) & ELEMENT_SIGN == 0 or 0 in (ours, theirs)
    one, other = ours % ELEMENT_SIGN, theirs % ELEMENT_SIGN
    assert abs(one - other) == 1
    quotient = abs(value) * PEAK / (E4M3.values[scale] * float(np.abs(case.x).max()))
    assert near_tie(quotient, ELEMENT_MAGNITUDES[one], ELEMENT_MAGNITUDES[other])


@pytest.mark.parametrize("quantiser", QUANTISERS)
@pytest.mark.parametrize("case", NORMAL, ids=lambda case: case.name)
def test_every_difference_has_its_cause(case: Case, quantiser: str) -> None:
    theirs = case.casts[quantiser]
    for row in np.flatnonzero(case.casts[OURS].scales != theirs.scales):
        scale_cause(case, quantiser, row)
    ours, codes = ours_under(case, theirs.scales), without_negative_zero(theirs.codes)
    for row, column in np.argwhere(ours != codes):
        check_element(
            case, int(theirs.scales[row]), float(case.x[row, column]), int(ours[row, column]), int(codes[row, column])
        )


@pytest.mark.parametrize("case", NORMAL, ids=lambda case: case.name)
def test_tensor_scales_are_the_same(case: Case) -> None:
    largest = np.abs(case.x).max()
    assert case.casts["torchao"].factor == case.casts["nvidia-modelopt"].factor == case.casts[OURS].factor
    reciprocal = np.float32(1) / largest  # as torch divides a number by a tensor
    assert case.casts["compressed-tensors"].factor == float(reciprocal * np.float32(PEAK))


WIDE = {
    "torchao": {"block of zeros": 2, "underflow": 13, "below the least scale": 12},
    "nvidia-modelopt": {"block of zeros": 2, "underflow": 13},
    "compressed-tensors": {"block of zeros": 2, "underflow": 13},
}


@pytest.mark.parametrize("quantiser", QUANTISERS)
def test_only_ties_differ_but_in_wide_tensors(quantiser: str) -> None:
    wide: Counter[str] = Counter()
    for case in NORMAL:
        rows = np.flatnonzero(case.casts[OURS].scales != case.casts[quantiser].scales)
        causes = Counter(scale_cause(case, quantiser, row) for row in rows)
        if case.kind == "wide":
            wide += causes
        else:
            assert set(causes) <= {"tie"}
    assert wide == WIDE[quantiser]


def test_zeros_differ_in_sign_only() -> None:
    """The others write a negative zero for small negative numbers, torchao and compressed-tensors for -0 too."""
    of_zero = dict.fromkeys((OURS, *QUANTISERS), 0)
    of_others = of_zero.copy()
    for case in NORMAL:
        for quantiser, cast in case.casts.items():
            written = cast.codes == ELEMENT_SIGN
            assert np.signbit(case.x[written]).all()
            of_zero[quantiser] += int((written & (case.x == 0)).sum())
            of_others[quantiser] += int((written & (case.x != 0)).sum())
    assert of_others[OURS] == of_zero[OURS] == of_zero["nvidia-modelopt"] == 0
    assert min(of_others[quantiser] for quantiser in QUANTISERS) > 0


def test_a_tensor_of_zeros() -> None:
    """Two of the others divide 0 by 0."""
    casts = LIMITS["zero"].casts
    assert (casts[OURS].factor, casts[OURS].scales.any(), casts[OURS].codes.any()) == (1, False, False)
    for quantiser in ("torchao", "nvidia-modelopt"):
        assert np.isin(casts[quantiser].scales, (0x7F, 0xFF)).all()
    assert not casts["compressed-tensors"].codes.any()


def test_what_is_not_finite_stays_in_its_block() -> None:
    """With the others a NaN or an infinity reaches the tensor's scale, and so all blocks."""
    for kind, row in (("nan", 1), ("infinity", 2)):
        case = LIMITS[kind]
        ours = case.casts[OURS]
        assert np.flatnonzero(ours.scales == 0x7F).tolist() == [row]
        assert ours.factor == float(np.abs(case.x[np.isfinite(case.x)]).max() / np.float32(PEAK))
        others = np.arange(len(case.x)) != row
        for quantiser in ("torchao", "nvidia-modelopt"):
            cast = case.casts[quantiser]
            assert not np.isfinite(cast.factor)
            lost = (cast.scales == 0x7F) | (without_negative_zero(cast.codes) == 0).all(axis=1)
            assert lost[others].all()


def test_tensors_below_float32s_normal_range() -> None:
    """Golden and compressed-tensors take the scale 1, and lose all; the others divide by a subnormal."""
    casts = LIMITS["least"].casts
    assert casts[OURS].factor == casts["compressed-tensors"].factor == 1
    assert not casts[OURS].codes.any()
    assert not without_negative_zero(casts["compressed-tensors"].codes).any()
    for quantiser in ("torchao", "nvidia-modelopt"):
        assert 0 < casts[quantiser].factor < np.finfo(np.float32).smallest_normal


def test_the_page_has_the_table() -> None:
    """`python tests/golden/nvfp4_reference.py` puts it there."""
    assert generated("formats.md", "nvfp4") == f"{table()}\n\nVersions: {versions()}."
