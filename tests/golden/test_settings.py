"""NumPy's settings are the caller's: they change no result, and are not changed."""

from typing import get_args

import numpy as np
import pytest

from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    Blocks,
    Encode,
    block_format,
    decode_scales,
    dot,
    dot_detailed,
    encode_elements,
    encode_scales,
    matmul,
    quantize,
    sqnr,
)


def extremes(name: str) -> Blocks:
    """Blocks whose scales are anything, the least and the largest among them."""
    fmt = block_format(name, 8)
    rng = np.random.default_rng(1)
    scales = rng.integers(0, fmt.scale.max_code + 1, (4, 3, fmt.scale_fields), dtype=np.uint8)
    scales[0] = 0
    scales[1, ..., : fmt.scales_per_block] = fmt.scale.max_code
    if fmt.has_asymmetry_code:
        scales[..., 1] %= fmt.asymmetry_codes
    return Blocks.from_codes(codes=rng.integers(0, 16, (4, 24), dtype=np.uint8), scales=scales, fmt=fmt)


def floats() -> np.ndarray:
    """Of every magnitude and both signs, with an infinity and a NaN."""
    with np.errstate(all="ignore"):
        x = np.ldexp(np.linspace(1, 2, 96, dtype=np.float32), np.arange(-144, 144, 3)).astype(np.float32)
    x = np.stack([x, -x[::-1], np.zeros_like(x), x / 3], axis=1).reshape(-1, 32)
    x[0, 0] = np.inf
    x[1, 0] = np.nan
    return x


def everything(x: np.ndarray, blocks: Blocks) -> list[np.ndarray]:
    """What golden's functions give."""
    found = []
    for encode in get_args(Encode):
        q = quantize(x, blocks.fmt.name, encode=encode)
        found += [q.codes, q.scales, q.dequantize(np.float64)]
    for accumulator in ("fp32", "exact" if blocks.fmt.scale.is_fp8 else "window"):
        found += [matmul(blocks, blocks, accumulator), dot(blocks, blocks, accumulator)]
        found.append(dot_detailed(blocks, blocks, accumulator).bits)
    finite, scale = x[np.isfinite(x)], blocks.fmt.scale
    found += [encode_elements(finite), encode_scales(np.abs(finite), scale)]
    found.append(decode_scales(np.arange(1 << scale.bits, dtype=np.uint8), scale))
    found.append(np.array([sqnr(finite, finite), sqnr([0.0], [1.0]), sqnr([3e200], [2e200])]))
    return found


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_the_callers_settings_change_nothing_and_are_kept(name: str) -> None:
    x, blocks = floats(), extremes(name)
    expected = everything(x, blocks)
    with np.errstate(all="raise"):
        before = np.geterr()
        found = everything(x, blocks)
        assert np.geterr() == before
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
