"""One way of quantising: formats of both operands, block size, rounding, encoding, accumulator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    ENCODES,
    ROUNDINGS,
    Accumulator,
    Blocks,
    Encode,
    Rounding,
    block_format,
    matmul,
    quantize,
)
from amxfp4.golden.accumulator import resolve_accumulator
from amxfp4.golden.arguments import check_one_of, check_type

BLOCK_SIZES = (16, 32, 64, 128)


@dataclass(frozen=True)
class Case:
    """One way of quantising both operands.

    Attributes:
        activation, weight: names of the block formats.
        block_size: elements per block, for both operands.
        rounding: what ties do.
        weight_encode: how the scales of weights are chosen. Those of activations are always cast directly.
        accumulator: "exact" or "fp32", or None for the formats' default.

    Raises:
        UsageError: an attribute is none of these, or the accumulator does not take the formats.
    """

    activation: str
    weight: str
    block_size: int
    rounding: Rounding
    weight_encode: Encode = "direct"
    accumulator: Accumulator | None = None

    def __post_init__(self) -> None:
        formats = [block_format(name, self.block_size) for name in (self.activation, self.weight)]
        check_type(str, activation=self.activation, weight=self.weight)
        check_one_of("rounding", self.rounding, ROUNDINGS)
        check_one_of("encoding", self.weight_encode, ENCODES)
        resolve_accumulator(self.accumulator, *formats)

    @property
    def label(self) -> str:
        """The format's name, or both names where they differ, and what departs from the default."""
        names = self.activation if self.activation == self.weight else f"{self.activation} x {self.weight}"
        if self.weight_encode != "direct":
            names += f", {self.weight_encode} weights"
        return f"{names}, {self.accumulator} accumulator" if self.accumulator else names

    @property
    def is_uniform(self) -> bool:
        """Whether the label is one format's name."""
        return self.label == self.activation

    def quantize_activation(self, x: NDArray[Any]) -> Blocks:
        """Quantises the left operand along its last axis."""
        return quantize(x, block_format(self.activation, self.block_size), rounding=self.rounding)

    def quantize_weight(self, x: NDArray[Any]) -> Blocks:
        """Quantises the right operand along its last axis."""
        fmt = block_format(self.weight, self.block_size)
        return quantize(x, fmt, rounding=self.rounding, encode=self.weight_encode)

    def multiply(self, activation: Blocks, weight: Blocks) -> NDArray[np.float32]:
        """The product (M, N) of `activation` (M, K) and the transpose of `weight` (N, K)."""
        return matmul(activation, weight, self.accumulator)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the attributes, the label, and how many bits of memory an element of each operand takes."""
        bits = {
            f"{operand}_bits": block_format(name, self.block_size).bits_per_element
            for operand, name in (("activation", self.activation), ("weight", self.weight))
        }
        # The key of the accumulator is older than the attribute's name, and files with it exist.
        attributes = {"accumulate" if name == "accumulator" else name: value for name, value in asdict(self).items()}
        return {"label": self.label, **attributes, **bits}


def uniform_cases(block_sizes: Sequence[int] = BLOCK_SIZES) -> list[Case]:
    """Every block format for both operands alike, with each block size and rounding.

    Raises:
        UsageError: no sequence of block sizes.
    """
    check_type(Sequence, block_sizes=block_sizes)
    return [
        Case(name, name, size, rounding)
        for size in block_sizes
        for rounding in ROUNDINGS
        for name in BLOCK_FORMAT_NAMES
    ]


def mixed_cases(block_size: int = 32, rounding: Rounding = "nearest-away") -> list[Case]:
    """Asymmetry on one side only; weights encoded by least error; the paper's format with the float32 accumulator."""
    pairs = [
        ("AMXFP4-E5M2", "MXFP4-E5M2"),
        ("MXFP4-E5M2", "AMXFP4-E5M2"),
        ("AMXFP4-E4M3", "MXFP4-E4M3"),
        ("MXFP4-E4M3", "AMXFP4-E4M3"),
        ("AMXFP4-X2", "MXFP4-UE5M3"),
    ]
    offline = ["MXFP4", "MXFP4-UE5M3", "AMXFP4-E5M2", "AMXFP4-X2"]
    return [
        *(Case(activation, weight, block_size, rounding) for activation, weight in pairs),
        *(Case(name, name, block_size, rounding, "least-error") for name in offline),
        Case("AMXFP4-E5M2", "AMXFP4-E5M2", block_size, rounding, "direct", "fp32"),
    ]
