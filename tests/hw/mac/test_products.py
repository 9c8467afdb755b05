"""Products of elements: every pair of codes, with every asymmetry code where a format has some; and signs."""

import numpy as np
import pytest
from helpers.comb import evaluate
from helpers.functions import FunctionOf
from helpers.quick import full_but

from amxfp4.golden.formats import ELEMENT_MAGNITUDES, BlockFormat, block_format
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.products import ElementProducts, sign

MAGNITUDES = np.array(ELEMENT_MAGNITUDES)

CONFIGS = [
    MacConfig("MXFP4", "MXFP4", lanes=1),
    MacConfig("AMXFP4", "AMXFP4", lanes=2),
    MacConfig("AMXFP4", "MXFP4", lanes=32, block_size=64),
    MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=1),
    MacConfig("AMXFP4", "AMXFP4-X2", lanes=2),
    MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8),
    MacConfig("AMXFP4-Z8", "MXFP4-E4M3", lanes=2),
    MacConfig("AMXFP4", "AMXFP4-Z8", lanes=2),
    MacConfig("AMXFP4-Z8", "AMXFP4-Z8", lanes=16),
    MacConfig("AMXFP4-Z8", "AMXFP4-Z", lanes=2),
    MacConfig("AMXFP4-Z", "AMXFP4-Z", lanes=8),
    MacConfig("MXFP4", "AMXFP4-Z", lanes=1),
    MacConfig("AMXFP4-X2", "AMXFP4-Z", lanes=8),
]


def element(codes: np.ndarray, asymmetry: np.ndarray, f: BlockFormat) -> np.ndarray:
    """|element| in units of 1/2, or of 1/4 where sides may be halved."""
    value = 2 * MAGNITUDES[codes & 7]
    if f.halving:
        return value * (2 - (asymmetry[:, None] >> (codes >> 3) & 1))
    if f.specials:
        special = np.where(asymmetry[:, None] & 2, 24, 16) if len(f.specials) == 2 else 16
        return np.where(codes == 8, special, value)
    return value


QUICK = {config.name for config in CONFIGS if config.lanes < 8}


@pytest.mark.parametrize("config", full_but(QUICK, CONFIGS, lambda config: config.name))
def test_every_pair_of_codes_in_every_lane(config: MacConfig) -> None:
    """Lanes see the pairs in different orders, so that crossed wires show. Inputs that no format looks at are junk."""
    pair, a_asymmetry, w_asymmetry = (axis.ravel() for axis in np.indices((256, 4, 4)))
    pairs = (pair[:, None] + 37 * np.arange(config.lanes)) % 256
    a, w = np.divmod(pairs, 16)
    simulated = 512 // config.lanes
    inputs = {"a": a, "w": w}
    for side, f, asymmetry in zip("aw", config.formats, (a_asymmetry, w_asymmetry), strict=True):
        name = f"{side}_special" if f.specials else f"{side}_halved"
        inputs[name] = asymmetry % 2 if f.name == "AMXFP4-Z8" else asymmetry
    found = evaluate(ElementProducts(config.plan.products), **inputs, simulated=simulated)["magnitude"]
    a_format, w_format = config.formats
    np.testing.assert_array_equal(found, element(a, a_asymmetry, a_format) * element(w, w_asymmetry, w_format))


@pytest.mark.parametrize("name", ["MXFP4", "AMXFP4-X2", "AMXFP4-Z8", "AMXFP4-Z"])
def test_the_sign_of_every_code(name: str) -> None:
    """Negative zero has the sign of its block's special value, where it means one."""
    f = block_format(name)
    code, asymmetry = (axis.ravel() for axis in np.indices((16, 4)))
    signs = FunctionOf({"code": 4, "asymmetry": 2}, 1, lambda m, code, asymmetry: sign(code, asymmetry, f))
    expected = np.where((code == 8) & bool(f.specials), asymmetry & 1, code >> 3)
    np.testing.assert_array_equal(evaluate(signs, code=code, asymmetry=asymmetry)["y"], expected)
