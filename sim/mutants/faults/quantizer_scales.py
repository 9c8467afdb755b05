"""Faults of finding a block's scales.

In `hw/quantizer/`: `maxima.py`, `step_count.py`, `thresholds.py`, `scale_select.py`, `power_rule.py`,
`halving_select.py`, `special_select.py` and `rivals.py`.
"""

from amxfp4.sim.mutants.faults.configs import (
    CEIL_QUANTIZER,
    EVEN_QUANTIZER,
    HALVING_QUANTIZER,
    POWERS_QUANTIZER,
    QUANTIZER,
    ROUNDED_QUANTIZER,
    SPECIAL_QUANTIZER,
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
    made(
        "quantiser: the special value on the other side",
        SPECIAL_QUANTIZER,
        ("quantizer/special_select.py", "Cat(negative & ~zero, alone)", "Cat(~negative & ~zero, alone)"),
    ),
    made(
        "quantiser: a side of the special value in a block of zeros",
        SPECIAL_QUANTIZER,
        ("quantizer/special_select.py", "Cat(negative & ~zero, alone)", "Cat(negative, alone)"),
    ),
    made(
        "quantiser: 8 where 12 is due",
        SPECIAL_QUANTIZER,
        ("quantizer/special_select.py", "Cat(negative & ~zero, alone)", "Cat(negative & ~zero, Const(0, 1))"),
        ("quantizer/special_select.py", "import Cat, Module", "import Cat, Const, Module"),
    ),
    made(
        "quantiser: the scale of 6 for 12",
        SPECIAL_QUANTIZER,
        ("quantizer/special_select.py", "larger[bits:] - 1)[", "larger[bits:])["),
    ),
    made(
        "quantiser: a block crowded one scale too late",
        SPECIAL_QUANTIZER,
        (
            "quantizer/special_select.py",
            "at_least(count_met(m, config, config.crowding_steps, smaller), nearest)",
            "~at_least(nearest, count_met(m, config, config.crowding_steps, smaller))",
        ),
    ),
    made(
        "quantiser: a smaller side at 7 scales does not crowd",
        SPECIAL_QUANTIZER,
        (
            "quantizer/special_select.py",
            "config.crowding_steps, smaller)",
            "config.crowding_steps, (smaller - smaller.any())[: len(smaller)])",
        ),
    ),
    made(
        "quantiser: a small scale rounded to zero",
        SPECIAL_QUANTIZER,
        ("quantizer/thresholds.py", "steps[0] = _step(least, 0, ties_to_even, fraction_bits)", "pass"),
    ),
    made(
        "quantiser: of equal sides the negative is the larger",
        SPECIAL_QUANTIZER,
        (
            "quantizer/special_select.py",
            "~at_least(positive[sticky:], negative[sticky:])",
            "at_least(negative[sticky:], positive[sticky:])",
        ),
    ),
    made(
        "quantiser: sides beyond all scales told apart",
        SPECIAL_QUANTIZER,
        ("quantizer/special_select.py", "negative[sticky:]) & ~beyond", "negative[sticky:])"),
    ),
    made(
        "quantiser: a largest element beyond all scales stands alone",
        SPECIAL_QUANTIZER,
        (
            "quantizer/special_select.py",
            "are_rivals(self.config, *self.maximum) & ~beyond",
            "are_rivals(self.config, *self.maximum)",
        ),
    ),
    made(
        "quantiser: rivals of earlier elements forgotten",
        SPECIAL_QUANTIZER,
        ("quantizer/rivals.py", "Mux(a_wins, a.rivalled, b.rivalled) | are_rivals", "are_rivals"),
    ),
    made(
        "quantiser: elements a binade apart are no rivals",
        SPECIAL_QUANTIZER,
        ("quantizer/rivals.py", "~differ.any() | one_less | one_more", "~differ.any()"),
    ),
    made(
        "quantiser: rivals in a pair of lanes missed",
        SPECIAL_QUANTIZER,
        (
            "quantizer/maxima.py",
            "rivalled.append(are_rivals(self.config, first, second))",
            "rivalled.append(Const(0, 1))",
        ),
    ),
)
