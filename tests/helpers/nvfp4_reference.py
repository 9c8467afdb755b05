"""What other implementations of NVFP4 gave for random numbers, and how two of them differ.

The numbers are in tests/golden/nvfp4_reference.npz; the script beside it made them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden import quantize
from amxfp4.golden.formats import ELEMENT_SIGN

PATH = Path(__file__).parents[1] / "golden" / "nvfp4_reference.npz"
QUANTISERS = ("torchao", "compressed-tensors", "nvidia-modelopt")
OURS = "amxfp4"
EVERYDAY = ("float32", "float16", "bfloat16", "ties")
"""The kinds of tensors in which only ties differ."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cast:
    """A tensor in NVFP4.

    Attributes:
        factor: the tensor's scale; its reciprocal where the quantiser is compressed-tensors.
        scales: a scale code for each block. (n,)
        codes: the element codes. (n, 16)
    """

    factor: float
    scales: Codes
    codes: Codes


@dataclass(frozen=True, eq=False)
class Case:
    """A tensor (n, 16) and what each quantiser made of it."""

    name: str
    x: NDArray[np.float32]
    casts: dict[str, Cast]

    @property
    def kind(self) -> str:
        return self.name.split()[0]


@cache
def cases() -> tuple[Case, ...]:
    found = []
    with np.load(PATH) as file:
        ends = file["counts"].cumsum().tolist()
        for index, (name, end) in enumerate(zip(file["names"].tolist(), ends, strict=True)):
            rows = slice(ends[index - 1] if index else 0, end)
            casts = {}
            for quantiser in QUANTISERS:
                pairs = file[f"{quantiser} codes"][rows]
                codes = np.stack([pairs & 0xF, pairs >> 4], axis=-1).reshape(len(pairs), -1)
                factor = float(file[f"{quantiser} factors"][index])
                casts[quantiser] = Cast(factor, file[f"{quantiser} scales"][rows], codes)
            x = file["x"][rows]
            blocks = quantize(x, "NVFP4")
            casts[OURS] = Cast(blocks.tensor_scale, blocks.scales.reshape(-1), blocks.codes)
            found.append(Case(name, x, casts))
    return tuple(found)


def versions() -> str:
    with np.load(PATH) as file:
        return ", ".join(file["versions"].tolist())


def without_negative_zero(codes: Codes) -> Codes:
    return np.where(codes == ELEMENT_SIGN, np.uint8(0), codes)


def differences(kind: str, one: str, other: str) -> tuple[int, int]:
    """How many scales of a kind's tensors differ, and how many elements in blocks whose scales are the same."""
    scales = elements = 0
    for case in cases():
        if case.kind == kind:
            a, b = case.casts[one], case.casts[other]
            same = a.scales == b.scales
            unequal = without_negative_zero(a.codes) != without_negative_zero(b.codes)
            scales += int((~same).sum())
            elements += int(unequal[same].sum())
    return scales, elements


def table() -> str:
    """The table of docs/formats.md: for each pair of implementations, how many scales and elements differ."""
    pairs = [(one, other) for index, one in enumerate((OURS, *QUANTISERS)) for other in QUANTISERS[index:]]
    lines = ["| tensors | scales | elements |" + "".join(f" {one}, {other} |" for one, other in pairs)]
    lines.append("|---|--:|--:|" + "--:|" * len(pairs))
    for kind in EVERYDAY:
        blocks = sum(len(case.x) for case in cases() if case.kind == kind)
        counts = [differences(kind, *pair) for pair in pairs]
        cells = "".join(f" {scales}, {elements} |" for scales, elements in counts)
        lines.append(f"| {kind} | {blocks} | {blocks * 16} |{cells}")
    return "\n".join(lines)
