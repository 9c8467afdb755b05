"""What dot products and matrix products refuse to multiply."""

from collections.abc import Callable

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import dot, dot_detailed, matmul, quantize


@pytest.mark.parametrize("product", [matmul, dot, dot_detailed])
@pytest.mark.parametrize(
    "wrong, kind", [(np.zeros((2, 32), np.float32), "ndarray"), (None, "NoneType"), ([[1.0]], "list")]
)
def test_what_is_not_blocks_is_refused_in_one_sentence(product: Callable, wrong: object, kind: str) -> None:
    blocks = quantize(np.ones((2, 32), np.float32), "AMXFP4")
    for name, operands in (("w", (blocks, wrong)), ("a", (wrong, blocks))):
        with pytest.raises(UsageError, match=f"^{name} is of type {kind}; it must be Blocks, which quantize makes"):
            product(*operands)
