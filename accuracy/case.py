"""One way of quantising: formats of both operands, block size, rounding, rules, encoding, accumulator."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amxfp4.accuracy.rotation import check_rotation, rotated_as_far
from amxfp4.errors import UsageError
from amxfp4.golden import (
    BLOCK_FORMAT_NAMES,
    ENCODES,
    ROUNDINGS,
    TENSOR_SCALE_RULES,
    Accumulator,
    BlockFormat,
    Blocks,
    Encode,
    Rounding,
    ScaleRule,
    TensorScaleRule,
    block_format,
    matmul,
    quantize,
)
from amxfp4.golden.accumulator import resolve_accumulator
from amxfp4.golden.arguments import check_one_of, check_type
from amxfp4.golden.scale_rules import resolve_rule

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
        rule: how a scale follows from a block's maximum, for both operands, or None for each format's default.
        tensor_scale: how each operand's tensor scale follows from it, or None for each format's default.
        rotation: both operands are rotated by the largest Hadamard matrix of at most this size that fits, or None.

    Raises:
        UsageError: an attribute is none of these, or one does not go with the formats.
    """

    activation: str
    weight: str
    block_size: int
    rounding: Rounding
    weight_encode: Encode = "direct"
    accumulator: Accumulator | None = None
    rule: ScaleRule | None = None
    tensor_scale: TensorScaleRule | None = None
    rotation: int | None = None

    def __post_init__(self) -> None:
        check_type(str, activation=self.activation, weight=self.weight)
        formats = [block_format(name, self.block_size) for name in (self.activation, self.weight)]
        check_one_of("rounding", self.rounding, ROUNDINGS)
        check_one_of("encoding", self.weight_encode, ENCODES)
        resolve_accumulator(self.accumulator, *formats)
        for fmt in formats:
            resolve_rule(self.rule, fmt)
        if self.tensor_scale is not None:
            check_one_of("tensor scale", self.tensor_scale, TENSOR_SCALE_RULES)
            for fmt in formats:
                _check_takes_tensor_scale(fmt)
        if self.rotation is not None:
            check_rotation(self.rotation)

    @property
    def label(self) -> str:
        """The format's name, or both names where they differ, and what departs from the default."""
        names = self.activation if self.activation == self.weight else f"{self.activation} x {self.weight}"
        departures = [
            self.rule,
            _TENSOR_SCALE_WORDS[self.tensor_scale],
            self.rotation and f"rotated by {self.rotation}",
            self.weight_encode != "direct" and f"{self.weight_encode} weights",
            self.accumulator and f"{self.accumulator} accumulator",
        ]
        return ", ".join([names, *(str(departure) for departure in departures if departure)])

    @property
    def is_uniform(self) -> bool:
        """Whether the label is one format's name."""
        return self.label == self.activation

    def turned(self, x: NDArray[Any]) -> NDArray[Any]:
        """The tensor that is quantised in place of `x`: itself, or rotated."""
        return rotated_as_far(x, self.rotation)

    def quantize_activation(self, x: NDArray[Any]) -> Blocks:
        """Quantises the left operand along its last axis."""
        return self._quantize(x, self.activation, "direct")

    def quantize_weight(self, x: NDArray[Any]) -> Blocks:
        """Quantises the right operand along its last axis."""
        return self._quantize(x, self.weight, self.weight_encode)

    def _quantize(self, x: NDArray[Any], name: str, encode: Encode) -> Blocks:
        return quantize(
            self.turned(x),
            name,
            block_size=self.block_size,
            rounding=self.rounding,
            rule=self.rule,
            encode=encode,
            tensor_scale=self.tensor_scale,
        )

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


_TENSOR_SCALE_WORDS = {None: None, "max": "tensor scale", "power-of-two": "power-of-two tensor scale"}


def _check_takes_tensor_scale(fmt: BlockFormat) -> None:
    if not fmt.scale.is_fp8:
        raise UsageError(f"{fmt.name} has E8M0 scales and takes no tensor scale; formats with FP8 scales do")


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
    """Asymmetry on one side only; weights encoded by least error; accumulators that are not the default."""
    pairs = [
        ("AMXFP4-E5M2", "MXFP4-E5M2"),
        ("MXFP4-E5M2", "AMXFP4-E5M2"),
        ("AMXFP4-E4M3", "MXFP4-E4M3"),
        ("MXFP4-E4M3", "AMXFP4-E4M3"),
        ("AMXFP4-X2", "MXFP4-UE5M3"),
        ("AMXFP4-Z8", "MXFP4-E4M3"),
        ("AMXFP4-Z", "MXFP4-E4M3"),
    ]
    offline = ["MXFP4", "MXFP4-UE5M3", "AMXFP4-E5M2", "AMXFP4-X2", "AMXFP4-Z8"]
    return [
        *(Case(activation, weight, block_size, rounding) for activation, weight in pairs),
        *(Case(name, name, block_size, rounding, "least-error") for name in offline),
        Case("AMXFP4-E5M2", "AMXFP4-E5M2", block_size, rounding, "direct", "fp32"),
        Case("MXFP4", "MXFP4", block_size, rounding, "direct", "window"),
    ]
