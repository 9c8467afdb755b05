"""Faults of finding a block's scales.

In `hw/quantizer/`: `maxima.py`, `step_count.py`, `thresholds.py`, `scale_select.py`, `power_rule.py` and
`halving_select.py`.
"""

from amxfp4.sim.mutants.faults.configs import (
    CEIL_QUANTIZER,
    EVEN_QUANTIZER,
    HALVING_QUANTIZER,
    POWERS_QUANTIZER,
    QUANTIZER,
    ROUNDED_QUANTIZER,
)
from amxfp4.sim.mutants.faults.fault import made

FAULTS = (
    made(
        "quantiser: maxima of both signs in one",
        QUANTIZER,
        ("quantizer/maxima.py", "own[lane + 1] & ~(first_wins & own[lane])", "own[lane + 1] & ~first_wins"),
    ),
    made(
        "quantiser: a threshold of scales off by one",
        QUANTIZER,
        ("quantizer/step_count.py", "Const(t, len(fraction))", "Const(t | 1, len(fraction))"),
    ),
    made(
        "quantiser: ties of scales always away",
        EVEN_QUANTIZER,
        ("quantizer/thresholds.py", "(int(fraction) << 1 | code & 1)", "(int(fraction) << 1)"),
    ),
    made(
        "quantiser: a scale does not saturate",
        QUANTIZER,
        (
            "quantizer/step_count.py",
            "Mux(regular_count > len(steps), len(steps), regular_count[: len(count)])",
            "regular_count[: len(count)]",
        ),
    ),
    made(
        "quantiser: E8M0 scales a binade too large",
        POWERS_QUANTIZER,
        ("quantizer/scale_select.py", "self.maximum - ELEMENT_EXPONENT, 0", "self.maximum - ELEMENT_EXPONENT + 1, 0"),
    ),
    made(
        'quantiser: "even" takes the next scale from 6.5 scales on',
        ROUNDED_QUANTIZER,
        ("quantizer/power_rule.py", "below[-1] if", "below[-2:].any() if"),
    ),
    made(
        'quantiser: "ceil" does not see the last bit of a fraction',
        CEIL_QUANTIZER,
        ("quantizer/power_rule.py", "else below.any()", "else below[1:].any()"),
    ),
    made(
        "quantiser: an E8M0 scale beyond the largest",
        ROUNDED_QUANTIZER,
        ("quantizer/scale_select.py", "reaches & ~field[1:].all()", "reaches"),
    ),
    made(
        "quantiser: the other side halved",
        HALVING_QUANTIZER,
        (
            "quantizer/halving_select.py",
            "[positive & ~negative, negative & ~positive]",
            "[negative & ~positive, positive & ~negative]",
        ),
    ),
    made(
        "quantiser: both sides halved",
        HALVING_QUANTIZER,
        ("quantizer/halving_select.py", "[positive & ~negative, negative & ~positive]", "[positive, negative]"),
    ),
    made(
        "quantiser: a side at the limit is not halved",
        HALVING_QUANTIZER,
        (
            "quantizer/thresholds.py",
            "_step(HALVING_LIMIT * value / 2, 1, True,",
            "_step(HALVING_LIMIT * value / 2, 0, True,",
        ),
    ),
)
