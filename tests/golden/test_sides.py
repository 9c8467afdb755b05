"""Side codes and their values against the scale of each side in fractions."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.fraction_oracle import formats, side_scale

from amxfp4.golden import BlockFormat
from amxfp4.golden.sides import side_codes, side_values


def every_scale(fmt: BlockFormat) -> np.ndarray:
    """All finite scale codes, under every asymmetry code where there are some. (n, 1 or 2)"""
    codes = np.arange(fmt.scale.max_code + 1, dtype=np.uint8)[:, None]
    if fmt.halving:
        return np.concatenate([np.concatenate([codes, np.full_like(codes, code)], axis=1) for code in range(4)])
    if fmt.specials:
        return np.concatenate([codes, codes % 2], axis=1)
    return np.concatenate([codes, codes[::-1]], axis=1)[:, : fmt.scales_per_block]


@pytest.mark.parametrize("fmt", formats(), ids=lambda fmt: fmt.name)
def test_every_scale_of_both_sides(fmt: BlockFormat) -> None:
    scales = every_scale(fmt)
    codes = side_codes(scales, fmt)
    values = side_values(fmt)
    assert codes.shape == (len(scales), 2 if fmt.asymmetric or fmt.halving else 1)
    for fields, sides in zip(scales.tolist(), codes.tolist(), strict=True):
        for negative in False, True:
            code = sides[-1 if negative else 0]
            expected = side_scale(fmt, fields, negative)
            assert Fraction(float(values[code])) == expected
            # A multiple of a half of the scale is a multiple of the format's least unit.
            assert (expected / 2 / Fraction(2) ** fmt.least_exponent).denominator == 1


def test_nan_stays_nan_when_halved() -> None:
    for fmt in formats():
        scales = np.full((4, fmt.scale_fields), fmt.scale.nan_code, np.uint8)
        if fmt.halving:
            scales[:, 1] = range(4)
        codes = side_codes(scales, fmt)
        assert np.isnan(side_values(fmt)[codes]).all()
        assert fmt.scale.significands[fmt.scale.nan_code] == 0
