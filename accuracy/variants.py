"""AMXFP4-X2, AMXFP4-Z8 and AMXFP4-Z beside other ways to scale a block. All are encoded by least error."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.weights import LINEAR_KINDS
from amxfp4.golden import block_format, quantize, sqnr
from amxfp4.golden.related_scales import ratio_values, shared_exponent_values

BLOCK_SIZE = 32


@dataclass(frozen=True)
class Variant:
    """One way to scale a block.

    Attributes:
        bits_per_element: bits of memory per element, its share of the scales included.
        sums: how many sums of element products a dot product of two such operands needs.
        lanes: what each lane of a unit needs besides MXFP4's product.
        values: turns a float32 tensor, with blocks along its last axis, into its values after quantisation.
    """

    bits_per_element: float
    sums: int
    lanes: str
    values: Callable[[NDArray[np.float32]], NDArray[np.float64]]


def _of_format(name: str, lanes: str) -> Variant:
    fmt = block_format(name, BLOCK_SIZE)

    def values(x: NDArray[np.float32]) -> NDArray[np.float64]:
        return quantize(x, fmt, encode="least-error").dequantize(np.float64)

    return Variant(fmt.bits_per_element, fmt.scales_per_block**2, lanes, values)


VARIANTS = {
    "MXFP4-UE5M3": _of_format("MXFP4-UE5M3", "nothing"),
    "AMXFP4-X2": _of_format("AMXFP4-X2", "a shift by one more"),
    "AMXFP4-Z8": _of_format("AMXFP4-Z8", "a shift by one more"),
    "AMXFP4-Z": _of_format("AMXFP4-Z", "a shift by one more"),
    "ratios 1, 3/4, 1/2, 1/4": Variant(4 + (8 + 1 + 2) / BLOCK_SIZE, 1, "an addition and wider shifts", ratio_values),
    "shared exponent, a 4-bit significand a side": Variant(
        4 + (5 + 4 + 4) / BLOCK_SIZE, 4, "four classes", shared_exponent_values
    ),
    "AMXFP4-E5M2": _of_format("AMXFP4-E5M2", "four classes"),
    "AMXFP4-E4M3": _of_format("AMXFP4-E4M3", "four classes"),
}
"""The variants by name. Those without free significands come first."""


def measure_variant(baseline: Baseline, name: str) -> dict[str, Any]:
    """The mean SQNR in dB over all linear layers of inputs, weights, and outputs of both, for JSON."""
    variant = VARIANTS[name]
    found: list[tuple[float, float, float]] = []
    for layer in range(baseline.encoder.layers):
        x_values: dict[int, NDArray[np.float64]] = {}
        for kind in LINEAR_KINDS:
            x, weight = baseline.linear_sample(layer, kind), baseline.encoder.weight(layer, kind)
            # Query, key and value take the same input.
            source = id(baseline.products.inputs[layer, kind])
            if source not in x_values:
                x_values[source] = variant.values(x)
            w_values = variant.values(weight)
            output = sqnr(x @ weight.T, x_values[source] @ w_values.T)
            found.append((sqnr(x, x_values[source]), sqnr(weight, w_values), output))
    activation, weight_mean, output_mean = np.mean(found, axis=0).tolist()
    return {
        "name": name,
        "block_size": BLOCK_SIZE,
        "bits_per_element": variant.bits_per_element,
        "sums": variant.sums,
        "lanes": variant.lanes,
        "activation": activation,
        "weight": weight_mean,
        "output": output_mean,
    }
