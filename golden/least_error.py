"""Offline encoding of blocks: of neighbouring scales and halvings, those with the least squared error.

This is meant for weights, which are encoded once. It looks at each block several times, which no unit does.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.cast import DirectCaster, side_maxima, smaller_side
from amxfp4.golden.element_tables import scaled_elements
from amxfp4.golden.formats import ELEMENT_MAX, NEGATIVE_SPECIAL, SECOND_SPECIAL


class LeastErrorCaster:
    """Tries the neighbours of the direct cast's choice and keeps the best.

    | format | what is chosen | candidates |
    |---|---|---|
    | one scale, or two | each free scale | the direct cast's code, the one below and the one above |
    | with halving | a block's scale and asymmetry | these codes, each with equal sides and the smaller side halved |
    | special values | a block's scale and asymmetry | each special value v, with scales near L |

    A special value is on the larger side, and L is that side's maximum. The scales near it are those of the codes
    nearest to L / v, L / 8 and L / 6, and of the codes next to these.

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
        for candidate in self._candidates(chosen.copy(), side_maxima(blocks)):
            self._direct.cast_elements(blocks, negative, candidate, trial)
            errors = self._errors(blocks, negative, candidate, trial)
            # Errors have one column per free scale. A single one decides over all fields of the scales.
            better = errors < least
            least = np.where(better, errors, least)
            chosen = np.where(better, candidate, chosen)
        self._direct.cast_elements(blocks, negative, chosen, trial)
        scales[finite] = chosen
        codes[finite] = trial

    def _candidates(self, direct: NDArray[np.uint8], maxima: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        """Every choice but the direct one (n, 1 or 2). Of choices with equal errors the first one is taken."""
        if self._fmt.specials:
            yield from self._special_candidates(maxima)
            return
        last = self._fmt.scale.max_float32_code
        below, above = np.maximum(direct, 1) - np.uint8(1), np.minimum(direct, last - 1) + np.uint8(1)
        if not self._fmt.halving:
            yield from (below, above)
            return
        smaller = smaller_side(maxima)
        for code, asymmetry in (
            (below, np.zeros_like(smaller)),
            (below, smaller),
            (direct, smaller ^ direct[:, 1]),  # whichever the direct cast did not choose
            (above, np.zeros_like(smaller)),
            (above, smaller),
        ):
            yield np.stack([code[:, 0], asymmetry], axis=1)

    def _special_candidates(self, maxima: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        """Choices of a scale and an asymmetry code (n, 2), each special value with the scales that may suit it."""
        last = self._fmt.scale.max_code
        larger = maxima.max(axis=1)
        side = (maxima[:, 0] < maxima[:, 1]) * np.uint8(NEGATIVE_SPECIAL)
        for index, special in enumerate(self._fmt.specials):
            asymmetry = np.where(larger > 0, side | np.uint8(SECOND_SPECIAL * index), np.uint8(0))
            for divisor in sorted({float(special), float(self._fmt.specials[0]), ELEMENT_MAX}, reverse=True):
                nearest = self._direct.nearest_codes(larger, divisor).astype(np.int64)
                for offset in (-1, 0, 1):
                    code = np.clip(nearest + offset, larger > 0, last)
                    yield np.column_stack([code.astype(np.uint8), asymmetry])

    def _errors(
        self,
        x: NDArray[np.float32],
        negative: NDArray[np.bool_],
        scales: NDArray[np.uint8],
        codes: NDArray[np.uint8],
    ) -> NDArray[np.float64]:
        """Squared errors (n, 1 or 2), one column per free scale."""
        factors = np.ldexp(self._fmt.scale.values, self._fmt.unit_exponent)
        free = scales[:, : self._fmt.scales_per_block]
        difference = x - scaled_elements(codes, scales, self._fmt, factors[free])
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
