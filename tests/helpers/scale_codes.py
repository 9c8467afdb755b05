"""Scale codes as a block has them."""

import numpy as np

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, BlockFormat, block_format

FP8_NAMES = [name for name in BLOCK_FORMAT_NAMES if block_format(name).scale.is_fp8]


def beside(f: BlockFormat, code: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scales of a block that select `code` by the sign that comes with them; the other one is anything."""
    negative = rng.integers(2, size=len(code))
    if not f.asymmetric:
        return code[:, None], negative * 0
    scales = rng.integers(1 << f.scale.bits, size=(len(code), 2))
    scales[np.arange(len(code)), negative] = code
    return scales, negative
