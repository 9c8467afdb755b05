"""E8M0 scales by the rules "even" and "ceil": some maxima take the scale above that of "floor".

Which ones do, a maximum's fraction says. So a float passes just one bit of it on: whether the fraction reaches the
rule's threshold. Below the exponent field this bit is a magnitude that a maximum can be found of, as a larger float
never has a smaller one.
"""

from amaranth.hdl import Value

from amxfp4.hw.quantizer.config import QuantizerConfig


def reaches(config: QuantizerConfig, fraction: Value) -> Value:
    """Whether a maximum with this fraction takes the scale above, in a config that `rounds_up`.

    | rule | maximum, in scales of "floor" | fraction |
    |---|---|---|
    | "even" | 7 or more | .75 or more |
    | "ceil" | more than 6 | more than .5 |

    Args:
        config: the quantiser.
        fraction: of the float, all of it: what lies above 6 by the last bit is above 6.
    """
    half, below = fraction[-1], fraction[:-1]
    return half & (below[-1] if config.rule == "even" else below.any())
