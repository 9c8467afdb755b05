"""The table of ways of quantising, for a user's own tensors."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.case import Case, mixed_cases
from amxfp4.accuracy.lopsided import sides_of, to_blocks
from amxfp4.accuracy.measure import measure_linear
from amxfp4.errors import UsageError
from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    ROUNDINGS,
    TENSOR_SCALE_RULES,
    Rounding,
    ScaleRule,
    TensorScaleRule,
    block_format,
    rules_of,
)
from amxfp4.golden.arguments import as_array, check_one_of
from amxfp4.golden.formats import DEFAULT_BLOCK_SIZE
from amxfp4.golden.tensor_scale import INPUT_DTYPES

SCALE_RULES: tuple[ScaleRule, ...] = get_args(ScaleRule)

_ALL_RULES = ("MXFP4", "NVFP4")


def check_tensors(x: NDArray[Any], weight: NDArray[Any] | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Checks a user's tensors.

    Returns:
        `x` with its leading axes as rows, (rows, K), and `weight`, (columns, K).

    Raises:
        UsageError: a dtype cannot be quantised, or a shape does not fit.
    """
    x = as_array("x", x)
    weight = None if weight is None else as_array("w", weight)
    for name, tensor, least in (("x", x, 1), ("w", weight, 2)):
        if tensor is None:
            continue
        if tensor.dtype.name not in INPUT_DTYPES:
            raise UsageError(f"{name} is {tensor.dtype}; one of {', '.join(INPUT_DTYPES)} is needed")
        if tensor.ndim < least or not tensor.size or (name == "w" and tensor.ndim > 2):
            needed = "one axis or more, none of them empty, is" if name == "x" else "two axes, (outputs, inputs), are"
            raise UsageError(f"{name} has shape {tensor.shape}; {needed} needed")
    if weight is not None and weight.shape[1] != x.shape[-1]:
        raise UsageError(
            f"x has shape {x.shape} and w {weight.shape}; their last axes, which are summed over, must be equal"
        )
    return x.reshape(-1, x.shape[-1]), weight


def finite_rows(name: str, tensor: NDArray[Any]) -> tuple[NDArray[Any], str | None]:
    """The rows of a tensor, each an operand of dot products, whose elements are all finite.

    A block with a NaN or an infinity is NaN in every format, and so is each dot product with it. Nothing can be
    compared there.

    Args:
        name: what a sentence calls the tensor.
        tensor: (rows, K).

    Returns:
        Those rows, and a sentence that says what was left out; None where it is nothing.

    Raises:
        UsageError: no such row is left.
    """
    finite = np.isfinite(tensor)
    rows = finite.all(axis=1)
    bad, left_out = int(np.count_nonzero(~finite)), int(np.count_nonzero(~rows))
    if not bad:
        return tensor, None
    what = f"{name}: {bad:,} of {tensor.size:,} elements are NaN or infinite"
    if not rows.any():
        raise UsageError(f"{what}, at least one in each row; a row without any is needed")
    return tensor[rows], f"{what}; the {left_out:,} of {len(rows):,} rows that have one are left out"


def own_cases(
    block_size: int | None,
    rounding: Rounding | None,
    rule: ScaleRule | None,
    tensor_scale: TensorScaleRule | None,
    *,
    weights: bool,
) -> list[Case]:
    """The ways that `measure_own` measures. Arguments are named as there; `weights` says whether there are some."""
    if rule is not None:
        check_one_of("rule", rule, SCALE_RULES)
    if tensor_scale is not None:
        check_one_of("tensor scale", tensor_scale, TENSOR_SCALE_RULES)
    formats = [block_format(name, block_size) for name in BLOCK_FORMAT_NAMES]
    if tensor_scale is not None:
        formats = [fmt for fmt in formats if fmt.scale.is_fp8]
    cases = []
    for fmt in formats:
        plain = Case(fmt.name, fmt.name, fmt.block_size, rounding or fmt.ties, tensor_scale=tensor_scale)
        if rule is None:
            cases.append(plain)
        # The rules of the formats that others are measured by are shown unasked.
        shown = (rule,) if rule else rules_of(fmt)[1:] if fmt.name in _ALL_RULES and not tensor_scale else ()
        cases += [replace(plain, rule=name) for name in shown if name in rules_of(fmt)]
    if weights and rule is None and tensor_scale is None:
        cases += mixed_cases(block_size or DEFAULT_BLOCK_SIZE, rounding or ROUNDINGS[0])
    if not cases:
        raise UsageError(
            f"no format has the rule {rule} and a tensor scale, which E8M0 scales do not take; ask for one"
        )
    return cases


def measure_own(
    x: NDArray[Any],
    weight: NDArray[Any] | None,
    block_size: int | None = None,
    rounding: Rounding | None = None,
    *,
    rule: ScaleRule | None = None,
    tensor_scale: TensorScaleRule | None = None,
) -> Iterator[dict[str, Any]]:
    """Measures every way of quantising. Without weights, only the ways that differ for activations.

    Args:
        x, weight: what `check_tensors` returned, of that the `finite_rows`.
        block_size: elements per block, or None for each format's own.
        rounding: what ties do, or None for each format's own.
        rule: how a scale follows from a block's maximum. Only formats that have this rule are measured then.
        tensor_scale: how a tensor's scale follows from the tensor. Only formats with FP8 scales are measured then.

    Yields:
        A record for each way, in the form of the cases of `run_study`.

    Raises:
        UsageError: an unknown block size, rounding, rule or tensor scale, or tensors that `check_tensors` or
            `measure_linear` refuses.
    """
    if rounding is not None:
        check_one_of("rounding", rounding, ROUNDINGS)
    x, weight = check_tensors(x, weight)
    for case in own_cases(block_size, rounding, rule, tensor_scale, weights=weight is not None):
        yield {**case.to_dict(), "linear_layers_mean": measure_linear(case, x, weight).to_dict()}


def describe(name: str, tensor: NDArray[Any], block_size: int) -> str:
    """One line that says how lopsided the blocks of a tensor are."""
    sides = sides_of(to_blocks(tensor, block_size))
    ratio = "" if sides.median_ratio is None else f"; the median ratio of sides is {sides.median_ratio:.2f}"
    return (
        f"{name}: {tensor.shape}, {tensor.dtype}: of {sides.blocks} blocks of {block_size} that are not all zero, "
        f"{sides.one_sided:.1%} have one sign only and {sides.twice:.1%} have sides a factor of 2 or more apart{ratio}"
    )
