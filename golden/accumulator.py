"""The accumulators: which formats each takes, and how wide the exact one is."""

from math import ceil, log2
from typing import Literal, get_args

from amxfp4.errors import UsageError
from amxfp4.golden.arguments import check_one_of
from amxfp4.golden.formats import BlockFormat, block_format

Accumulator = Literal["exact", "fp32", "window"]
"""`exact`: fixed point, rounded once at the end. `fp32`: float32, rounded after each term. `window`: fixed point over a
window of exponents (`windowed.py`), for formats that the exact one cannot take."""

ACCUMULATORS: tuple[Accumulator, ...] = get_args(Accumulator)

MAX_EXACT_ELEMENTS = 1 << 24
"""How many products of largest elements the exact accumulator's default width holds without overflow."""


def resolve_accumulator(accumulator: Accumulator | None, activation: BlockFormat, weight: BlockFormat) -> Accumulator:
    """`accumulator`, or for None the default of these formats: exact when both scales are FP8, otherwise fp32.

    Raises:
        UsageError: an unknown accumulator, `exact` with a format whose scale is not FP8, or `window` with none such.
    """
    not_fp8 = [fmt.name for fmt in (activation, weight) if not fmt.scale.is_fp8]
    if accumulator is None:
        return "fp32" if not_fp8 else "exact"
    check_one_of("accumulator", accumulator, ACCUMULATORS)
    if accumulator == "exact" and not_fp8:
        raise UsageError(
            f"the exact accumulator cannot take {not_fp8[0]}, whose E8M0 scales span too many bits; "
            "use fp32 or window, or formats with FP8 scales on both sides"
        )
    if accumulator == "window" and not not_fp8:
        raise UsageError(
            f"the window accumulator does not take {activation.name} and {weight.name}, whose FP8 scales let the exact "
            "one hold every bit; use exact or fp32, or a format with E8M0 scales on either side"
        )
    return accumulator


def least_exponent(activation: BlockFormat | str, weight: BlockFormat | str) -> int:
    """The largest e for which every block's sum is a multiple of 2**e: -34 for E5M2 on both sides.

    A product of two elements is a multiple of 1/4 of the scales. Each operand whose sides can be halved halves that.

    Raises:
        UsageError: an operand that is neither a block format nor the name of one.
    """
    activation, weight = block_format(activation), block_format(weight)
    return activation.least_exponent + weight.least_exponent


def default_accumulator_bits(activation: BlockFormat | str, weight: BlockFormat | str) -> int:
    """Two's complement width that holds `MAX_EXACT_ELEMENTS` largest products: 96 for E5M2 on both sides.

    The least bit weighs 2**`least_exponent`. Both formats have FP8 scales, as the exact accumulator takes no others.

    Raises:
        UsageError: an operand that is neither a block format nor the name of one, or whose scale is not FP8.
    """
    activation, weight = block_format(activation), block_format(weight)
    resolve_accumulator("exact", activation, weight)
    largest = activation.largest_element * weight.largest_element
    largest *= activation.scale.max_value * weight.scale.max_value
    return 1 + ceil(log2(MAX_EXACT_ELEMENTS) + log2(largest) - least_exponent(activation, weight))


def check_exact_length(length: int) -> None:
    """Refuse reductions beyond which the exact accumulator could overflow."""
    if length > MAX_EXACT_ELEMENTS:
        raise UsageError(
            f"reduction length {length} may overflow the exact accumulator; it takes at most {MAX_EXACT_ELEMENTS}"
        )
