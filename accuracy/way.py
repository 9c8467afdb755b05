"""What the study asks of a way of quantising, be it blocks of FP4 or another."""

from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import Blocks

Operand = Any
"""A quantised tensor: `Blocks`, or an array of its values."""


class Way(Protocol):
    """One way of quantising both operands of a product, as `Case` documents it."""

    @property
    def label(self) -> str: ...

    def turned(self, x: NDArray[Any]) -> NDArray[Any]: ...

    def quantize_activation(self, x: NDArray[Any]) -> Operand: ...

    def quantize_weight(self, x: NDArray[Any]) -> Operand: ...

    def multiply(self, activation: Operand, weight: Operand) -> NDArray[np.float32]: ...

    def to_dict(self) -> dict[str, Any]: ...


def values_of(operand: Operand) -> NDArray[np.float32]:
    """The values of a quantised tensor."""
    return operand.dequantize() if isinstance(operand, Blocks) else operand


def rows_of(operand: Operand, part: slice) -> Operand:
    """Some rows of a quantised tensor (rows, K), under the tensor scale that it had."""
    if not isinstance(operand, Blocks):
        return operand[part]
    codes = operand.codes[part]
    return replace(operand, codes=codes, scales=operand.scales[part], shape=(len(codes), operand.length))
