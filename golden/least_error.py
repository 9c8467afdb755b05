"""Offline encoding of blocks: of neighbouring scales and halvings, those with the least squared error.

For weights, which are encoded once: it looks at each block several times, which no unit does.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.cast import DirectCaster, side_maxima, smaller_side
from amxfp4.golden.codes import ELEMENT_VALUES
from amxfp4.golden.sides import side_codes, side_tables


class LeastErrorCaster:
    """Starts from the direct cast and keeps what is better, as follows.

    A free scale, of a block or of one side, becomes the code below or above the direct cast's, if the squared error
    of the elements under it is then less. With halving, the candidates are these three codes, each with equal sides
    and with the smaller side halved, six in all. The least error wins; among equals the direct cast's choice, then
    the lowest scale code, then the lowest asymmetry code. Codes stay finite. Elements are rounded as in the direct
    cast, to which blocks with NaN or Inf are left.

    The error of an element is (x - value)^2: one float64 subtraction and one multiplication. Those of a block are
    added as float64 pairwise: the second half of the list to the first, until one is left; elements under another
    scale count as 0. So the choice is the same everywhere.
    """

    def __init__(self, direct: DirectCaster) -> None:
        self._direct = direct
        self._fmt = direct.fmt

    def cast(self, x: NDArray[np.float32], codes: NDArray[np.uint8], scales: NDArray[np.uint8]) -> None:
        """Blocks `x` (n, k) into `codes` (n, k) and `scales` (n, 1 or 2)."""
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
            # One column for each free scale, which takes all fields when there is just one.
            better = errors < least
            least = np.where(better, errors, least)
            chosen = np.where(better, candidate, chosen)
        self._direct.cast_elements(blocks, negative, chosen, trial)
        scales[finite] = chosen
        codes[finite] = trial

    def _candidates(self, direct: NDArray[np.uint8], smaller: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
        """Every choice but the direct one (n, 1 or 2), the preferred of equals first."""
        last = self._fmt.scale.max_code
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
        """Squared errors (n, 1 or 2), a column for each free scale."""
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
