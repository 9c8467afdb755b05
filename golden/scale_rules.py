"""How a block's scale follows from its largest magnitude: the rules for powers of two, and the names of all rules."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError, shown
from amxfp4.golden.formats import E8M0, BlockFormat, block_format

PowerOfTwoRule = Literal["floor", "even", "ceil"]
"""Rules of E8M0 scales, see `power_of_two_codes`."""

Fp8Rule = Literal["nearest", "four-over-six"]
"""Rules of FP8 scales: the scale nearest to m / 6, or that or the one nearest to m / 4 (`four_over_six.py`)."""

ScaleRule = Literal["floor", "even", "ceil", "nearest", "four-over-six"]
"""How the direct cast takes a scale: the rules of E8M0 scales, then those of FP8 scales. The first of each is its
default."""

POWER_OF_TWO_RULES: tuple[PowerOfTwoRule, ...] = get_args(PowerOfTwoRule)
FP8_RULES: tuple[Fp8Rule, ...] = get_args(Fp8Rule)

# Fractions of a float32 with the leading bits 1.5 and 1.75.
_FRACTION_BITS = 23
_THREE_HALVES = 1 << (_FRACTION_BITS - 1)
_SEVEN_QUARTERS = 3 << (_FRACTION_BITS - 2)


def rules_of(fmt: BlockFormat | str) -> tuple[ScaleRule, ...]:
    """The rules that a format, or the one of that name, can be cast by, its default first.

    Special values have rules of their own.

    Raises:
        UsageError: an unknown format.
    """
    fmt = block_format(fmt)
    if not fmt.scale.is_fp8:
        return POWER_OF_TWO_RULES
    return FP8_RULES[:1] if fmt.specials else FP8_RULES


def resolve_rule(rule: ScaleRule | None, fmt: BlockFormat) -> ScaleRule:
    """`rule`, or for None the default of the format.

    Raises:
        UsageError: a rule that the format does not have.
    """
    allowed = rules_of(fmt)
    if rule is None:
        return allowed[0]
    if not isinstance(rule, str) or rule not in allowed:
        raise UsageError(f"rule {shown(rule)} is not one for {fmt.name}; it is one of {', '.join(allowed)}")
    return rule


def power_of_two_codes(maxima: NDArray[np.float32], rule: ScaleRule) -> NDArray[np.uint8]:
    """The E8M0 codes of blocks with these largest magnitudes, of any shape.

    With s = 2^(floor(log2 m) - 2), so that m lies between 4 s and 8 s:

    | rule | scale | known from |
    |---|---|---|
    | "floor" | s: a magnitude beyond 6 s is cut off | OCP MX v1.0, section 6.3 |
    | "even" | 2 s from m = 7 s on, where 8 is no farther than 6 | torchao's EVEN |
    | "ceil" | 2 s if m > 6 s, so that nothing is cut off | torchao's RCEIL |

    A scale below 2^-127 becomes 2^-127. None is above 2^125, as 6 times the next one exceeds float32's range.
    """
    # The exponent field of m is floor(log2 m) + 127, the code of s is floor(log2 m) - 2 + 127: the field less 2. Every
    # m below 2^-124, a subnormal or zero m with field 0 included, has code 0.
    bits = np.abs(maxima).view(np.uint32)
    field = (bits >> _FRACTION_BITS).astype(np.int64)
    fraction = bits & ((1 << _FRACTION_BITS) - 1)
    if rule == "even":
        field += fraction >= _SEVEN_QUARTERS
    elif rule == "ceil":
        field += fraction > _THREE_HALVES
    return np.clip(field - 2, 0, E8M0.max_float32_code).astype(np.uint8)
