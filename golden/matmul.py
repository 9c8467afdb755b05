"""Matrix products of quantised tensors at BLAS speed, every bit the same as that of `dot`."""

import numpy as np
from numpy.typing import NDArray

from amxfp4.errors import UsageError
from amxfp4.golden.accumulator import Accumulator, check_exact_length, resolve_accumulator
from amxfp4.golden.arguments import check_type
from amxfp4.golden.blocks import Blocks
from amxfp4.golden.dense_matrix import Matrix
from amxfp4.golden.deprecated import takes_accumulate
from amxfp4.golden.matmul_exact import product_exact
from amxfp4.golden.matmul_fp32 import product_fp32
from amxfp4.golden.matmul_window import product_in_window
from amxfp4.golden.operands import check_blocks, check_pair, paired
from amxfp4.golden.settings import in_own_settings
from amxfp4.golden.tensor_scale import multiplied
from amxfp4.golden.terms import nan_blocks
from amxfp4.golden.windowed import DEFAULT_WINDOW, Window


@takes_accumulate
@in_own_settings
def matmul(
    a: Blocks, w: Blocks, accumulator: Accumulator | None = None, *, window: Window = DEFAULT_WINDOW
) -> NDArray[np.float32]:
    """The product of activations `a` (M, K) and the transpose of weights `w` (N, K), both quantised along K.

    Args:
        a: the activations, with two axes. The quantised one is the K that is summed over, whichever it was.
        w: the weights likewise. Where block sizes differ, each larger block counts as several with the same scales.
        accumulator: "exact", "fp32" or "window". None takes "exact" when both scales are FP8, otherwise "fp32".
        window: which bits a "window" accumulator keeps.

    Returns:
        float32 (M, N). A result is NaN where the row of `a` or the row of `w` has a NaN scale or a "window"
        accumulator overflows, and +0 where K is 0.
        Operands with tensor scales multiply the result by them (`tensor_scale.multiplied`).

    Raises:
        UsageError: operands that are not Blocks, are not matrices or do not pair up; an accumulator that does not
            take these formats or, for "exact", more than 2^24 elements; or a window too narrow for these formats.
    """
    check_blocks(a=a, w=w)
    check_type(Window, window=window)
    for name, operand in (("a", a), ("w", w)):
        if len(operand.shape) != 2:
            raise UsageError(f"{name} has shape {operand.shape}; matmul takes two axes")
    check_pair(a, w)
    a, w = paired(a, w)
    accumulator = resolve_accumulator(accumulator, a.fmt, w.fmt)
    left, right = Matrix.from_blocks(a), Matrix.from_blocks(w)
    if accumulator == "exact":
        check_exact_length(a.length)
        result = product_exact(left, right)
    elif accumulator == "window":
        result = product_in_window(left, right, window)
    else:
        result = product_fp32(left, right)
    result = multiplied(result, a.tensor_scale, w.tensor_scale)
    result[nan_blocks(a).any(axis=1), :] = np.nan
    result[:, nan_blocks(w).any(axis=1)] = np.nan
    return result
