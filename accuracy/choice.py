"""Which ways of quantising the study takes, and which of them it puts first."""

from collections.abc import Iterable

from amxfp4.accuracy.case import BLOCK_SIZES, Case, mixed_cases, uniform_cases
from amxfp4.golden import Encode, ScaleRule, TensorScaleRule, block_format, rules_of

ROTATION = 32
"""Of formats with blocks of 32."""

BY_BLOCK_SIZE = (
    "MXFP4",
    "MXFP4-E5M2",
    "MXFP4-E4M3",
    "MXFP4-UE5M3",
    "AMXFP4-E8M0",
    "AMXFP4-E5M2",
    "AMXFP4-E4M3",
    "AMXFP4-X2",
    "AMXFP4-Z8",
    "AMXFP4-Z",
)
"""Formats that are measured in blocks of 16 and 32. NVFP4 without its own block of 16 is MXFP4-E4M3."""

IN_LARGE_BLOCKS = ("MXFP4", "MXFP4-E4M3", "AMXFP4-E5M2", "AMXFP4-E4M3", "AMXFP4-X2", "AMXFP4-Z8")
"""Those that are measured in blocks of 64 and 128 too, to see where each leads."""

WITH_TIES_TO_EVEN = ("MXFP4", "MXFP4-UE5M3", "AMXFP4-X2", "AMXFP4-Z8")
"""Those that are measured in blocks of 32 with ties to even too, to see how little is a difference."""


def as_used(
    name: str,
    *,
    rule: ScaleRule | None = None,
    tensor_scale: TensorScaleRule | None = None,
    rotation: int | None = None,
    weight_encode: Encode = "direct",
) -> Case:
    """A format for both operands in the block size and with the ties that it has unless told otherwise.

    Args:
        name: of a block format; "AMXFP4-Z8/16" is in blocks of 16.
        rule, tensor_scale, rotation, weight_encode: as in `Case`.
    """
    fmt = block_format(name)
    return Case(
        fmt.name,
        fmt.name,
        fmt.block_size,
        fmt.ties,
        weight_encode,
        rule=rule,
        tensor_scale=tensor_scale,
        rotation=rotation,
    )


def headline_cases() -> list[Case]:
    """The ways that a user chooses between: each format as it is used, MXFP4 by each of its rules."""
    return [
        as_used("MXFP4"),
        *other_rules("MXFP4"),
        *map(as_used, ("MXFP4-E4M3", "MXFP4-UE5M3", "MXFP4-E4M3/16", "MXFP4-UE5M3/16")),
        as_used("NVFP4"),
        *other_rules("NVFP4"),
        *map(as_used, ("AMXFP4-E5M2", "AMXFP4-E4M3")),
        as_used("AMXFP4-E4M3", tensor_scale="max"),
        *map(as_used, ("AMXFP4-X2", "AMXFP4-Z8", "AMXFP4-Z", "AMXFP4-X2/16", "AMXFP4-Z8/16")),
    ]


def offline_cases() -> list[Case]:
    """Those of the headline whose weights may be encoded by least error."""
    names = ("MXFP4-UE5M3/16", "NVFP4", "AMXFP4-E4M3", "AMXFP4-Z8", "AMXFP4-Z", "AMXFP4-Z8/16")
    best = as_used("MXFP4", rule="even", weight_encode="least-error")
    return [best, *(as_used(name, weight_encode="least-error") for name in names)]


def rotated_cases() -> list[Case]:
    """Formats under a Hadamard rotation as large as a block, which spreads a block's largest element over it."""
    return [
        as_used("MXFP4", rotation=ROTATION),
        as_used("NVFP4", rotation=16),
        as_used("AMXFP4-X2", rotation=ROTATION),
        as_used("AMXFP4-Z8/16", rotation=16),
    ]


def other_rules(name: str) -> list[Case]:
    """A format by each of its rules but the default one. "AMXFP4-Z8/16" is in blocks of 16."""
    return [as_used(name, rule=rule) for rule in rules_of(name)[1:]]


def rule_cases() -> list[Case]:
    """Formats with FP8 scales by their other rules, where the headline does not have these."""
    return [case for name in ("MXFP4-UE5M3/16", "AMXFP4-E4M3", "AMXFP4-X2") for case in other_rules(name)]


def study_cases(*, quick: bool) -> list[Case]:
    """Everything that the study measures, each way once.

    Args:
        quick: whether only the headline and the formats in blocks of 32.
    """
    sizes = (32,) if quick else BLOCK_SIZES
    uniform = [case for case in uniform_cases(sizes) if _is_taken(case, quick=quick)]
    cases = [*uniform, *headline_cases()]
    if not quick:
        rest = [mixed_cases(), offline_cases(), rotated_cases(), rule_cases()]
        cases += [case for group in rest for case in group]
        cases.append(as_used("AMXFP4-E5M2", tensor_scale="max"))
    return without_repeats(cases)


def _is_taken(case: Case, *, quick: bool) -> bool:
    """Whether the study takes this one of `uniform_cases`."""
    if case.rounding != "nearest-away":
        return not quick and case.block_size == 32 and case.activation in WITH_TIES_TO_EVEN
    return case.activation in (BY_BLOCK_SIZE if case.block_size <= 32 else IN_LARGE_BLOCKS)


def without_repeats(cases: Iterable[Case]) -> list[Case]:
    """Each way once, in order."""
    return list(dict.fromkeys(cases))
