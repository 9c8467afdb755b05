"""Offline encoding of blocks: of neighbouring scales and halvings, those with the least squared error.

This is meant for weights, which are encoded once. It looks at each block several times, which no unit does.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.cast import DirectCaster, side_maxima, smaller_side
from amxfp4.golden.codes import ELEMENT_VALUES
from amxfp4.golden.sides import side_codes, side_tables


class LeastErrorCaster:
    """Tries the neighbours of the direct cast's choice and keeps the best.

    | format | what is chosen | candidates |
    |---|---|---|
    | without halving | each free scale | the direct cast's code, the one below and the one above |
    | with halving | a block's scale and asymmetry | these codes, each with equal sides and the smaller side halved |

    The least squared error of the elements under the scale wins. Of equals the direct cast's choice wins, then the
    lowest scale code, then the lowest asymmetry code. No candidate takes an element beyond float32's range. Elements
    are rounded as in the direct cast. Blocks with NaN or infinity are left to the direct cast.

    The choice is the same on every machine, as each error is computed in one way. The error of an element is
    (x - value)^2: one float64 subtraction and one multiplication. The errors of a block are added as float64 by
    `sum_pairwise`, where elements under another scale count as 0.
    """

    def __init__(self, direct: DirectCaster) -> None:
        self._direct = direct
        self._fmt = direct.fmt

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Write blocks `x` (n, k) to `codes` (n, k) and `scales` (n, 1 or 2)."""
        self._direct.cast(x, codes, scales)
        finite = scales[:, 0] <= self._fmt.scale.max_code
        blocks = x[finite]
        negative = blocks < 0
        chosen = scales[finite]
        trial = codes[finite]
        least = self._errors(blocks, negative, chosen, trial)
        for candidate in self._candidates(chosen.copy(), smaller_side(side_maxima(blocks))):
            self._direct.cast_elements(blocks, negative, candidate, trial)
            errors = self._errors(blocks, negative, candidate, trial)
            # Errors have one column per free scale. A single one decides over all fields of the scales.
            better = errors < least
            least = np.where(better, errors, least)
            chosen = np.where(better, candidate, chosen)
        self._direct.cast_elements(blocks, negative, chosen, trial)
        scales[finite] = chosen
        codes[finite] = trial

    def _candidates(self, direct: NDArray[np.uint8], smaller: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        """Every choice but the direct one (n, 1 or 2). Of choices with equal errors the first one is taken."""
        last = self._fmt.scale.max_float32_code
        below, above = np.maximum(direct, 1) - np.uint8(1), np.minimum(direct, last - 1) + np.uint8(1)
        if not self._fmt.halving:
            yield from (below, above)
            return
        for code, asymmetry in (
            (below, np.zeros_like(smaller)),
            (below, smaller),
            (direct, smaller ^ direct[:, 1]),  # whichever the direct cast did not choose
            (above, np.zeros_like(smaller)),
            (above, smaller),
        ):
            yield np.stack([code[:, 0], asymmetry], axis=1)

    def _errors(
        self,
        x: NDArray[np.float32],
        negative: NDArray[np.bool_],
        scales: NDArray[np.uint8],
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float64]:
        """Squared errors (n, 1 or 2), one column per free scale."""
        factors = side_tables(self._fmt).values[side_codes(scales, self._fmt)]
        values = ELEMENT_VALUES.astype(np.float64)[codes] * np.where(negative, factors[:, -1:], factors[:, :1])
        difference = x - values
        squares = difference * difference
        if not self._fmt.asymmetric:
            return sum_pairwise(squares)
        return np.concatenate(
            [sum_pairwise(np.where(negative, 0, squares)), sum_pairwise(np.where(negative, squares, 0))], axis=1
        )


def sum_pairwise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of rows (n, k), k a power of two: the second half is added to the first, until one is left. (n, 1)"""
    while values.shape[1] > 1:
        half = values.shape[1] // 2
        values = values[:, :half] + values[:, half:]
    return values
