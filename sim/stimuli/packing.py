"""Packs arrays of field values into payloads, laid out as on a unit's ports."""

from collections.abc import Mapping

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from amxfp4.golden.formats import BlockFormat
from amxfp4.hw.config import asymmetry_field

WORD_BITS = 32


def words_of(layout: data.Layout) -> int:
    """How many 32-bit words hold a payload of this layout."""
    return -(-layout.size // WORD_BITS)


def pack(layout: data.StructLayout, fields: Mapping[str, NDArray[np.integer]]) -> NDArray[np.uint32]:
    """Payloads as little-endian words.

    Args:
        layout: the layout of a payload. Each field is an unsigned number, or an array of such.
        fields: the values by name: (..., count) for a field that is an array, (...) for a number. Fields left out are
            0.

    Returns:
        uint32 (..., words), bit 0 of the payload in bit 0 of word 0.
    """
    leading = np.broadcast_shapes(
        *(value.shape[:-1] if _count(layout, name) else value.shape for name, value in fields.items())
    )
    words = np.zeros((*leading, words_of(layout) + 1), np.uint64)  # one word more, for the last field to spill into
    for name, value in fields.items():
        count = _count(layout, name)
        width = layout[name].width // (count or 1)
        for index in range(count or 1):
            word, bit = divmod(layout[name].offset + index * width, WORD_BITS)
            shifted = (value[..., index] if count else value).astype(np.uint64) << np.uint64(bit)
            words[..., word] |= shifted & np.uint64(0xFFFFFFFF)
            words[..., word + 1] |= shifted >> np.uint64(WORD_BITS)
    return words[..., :-1].astype(np.uint32)


def integers(words: NDArray[np.uint32]) -> list[int]:
    """Packed payloads (beats, words) as Python integers."""
    return [int.from_bytes(row.astype("<u4").tobytes(), "little") for row in words]


def operand_fields(
    side: str, fmt: BlockFormat, codes: NDArray[np.integer], scales: NDArray[np.integer]
) -> dict[str, NDArray[np.integer]]:
    """The fields of a beat that come from one operand.

    Args:
        side: "a" or "w".
        fmt: the operand's format.
        codes: element codes (..., lanes).
        scales: the fields of `Blocks.scales` (..., `fmt.scale_fields`).
    """
    fields = {f"{side}_codes": codes, f"{side}_scales": scales[..., : fmt.scales_per_block]}
    asymmetry = asymmetry_field(fmt)
    if asymmetry:
        fields[f"{side}_{asymmetry}"] = scales[..., -1]
    return fields


def _count(layout: data.StructLayout, name: str) -> int:
    """How many elements a field has that is an array; 0 for a number."""
    shape = layout[name].shape
    return shape.length if isinstance(shape, data.ArrayLayout) else 0
