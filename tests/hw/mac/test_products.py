"""Products of elements: every pair of codes, with either side halved or not where a format has that."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.quick import full_but

from amxfp4.golden.formats import ELEMENT_MAGNITUDES, BlockFormat
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts

MAGNITUDES = np.array(ELEMENT_MAGNITUDES)

CONFIGS = [
    MacConfig("MXFP4", "MXFP4", lanes=1),
    MacConfig("AMXFP4", "AMXFP4", lanes=2),
    MacConfig("AMXFP4", "MXFP4", lanes=32, block_size=64),
    MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=1),
    MacConfig("AMXFP4", "AMXFP4-X2", lanes=2),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
]


def element(codes: np.ndarray, halved: np.ndarray, f: BlockFormat) -> np.ndarray:
    """|element| in units of 1/2, or of 1/4 where sides may be halved."""
    value = 2 * MAGNITUDES[codes & 7]
    if not f.halving:
        return value
    return value * (2 - (halved[:, None] >> (codes >> 3) & 1))


QUICK = {config.name for config in CONFIGS if config.lanes < 32}


@pytest.mark.parametrize("config", full_but(QUICK, CONFIGS, lambda config: config.name))
def test_every_pair_of_codes_in_every_lane(config: MacConfig) -> None:
    """Lanes see the pairs in different orders, so that crossed wires show. Inputs that no format looks at are junk."""
    pair, a_halved, w_halved = (axis.ravel() for axis in np.indices((256, 4, 4)))
    pairs = (pair[:, None] + 37 * np.arange(config.lanes)) % 256
    a, w = np.divmod(pairs, 16)
    simulated = 512 // config.lanes
    found = evaluate(
        ElementProducts(config.plan.products), a=a, w=w, a_halved=a_halved, w_halved=w_halved, simulated=simulated
    )["magnitude"]
    a_format, w_format = config.formats
    np.testing.assert_array_equal(found, element(a, a_halved, a_format) * element(w, w_halved, w_format))
