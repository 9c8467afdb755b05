"""A picture of a block format: its bits in memory, and the values of its elements on a line."""

from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from amxfp4.golden.element_tables import element_tables
from amxfp4.golden.formats import BYTE_BITS, NEGATIVE_HALVED, NEGATIVE_ZERO, SECOND_SPECIAL, BlockFormat
from amxfp4.report.format_layout import Field, apart_field, block_fields

_WIDTH = 760
_BIT = 20
_GAP = 10
_LEFT = 10
_HIGH = 30
_AXIS = 190
_REACH = 13
_FILLS = {"mantissa": "#fde8cd", "exponent": "#f9d2a0", "asymmetry": "#f3c6d3", "zero": "#ffffff", "element": "#dceefb"}

SECOND_SIDE = 0.75
"""The negative side's scale in the picture of a format with two free scales, in units of the positive side's."""


def format_picture(fmt: BlockFormat) -> str:
    """The picture as SVG, the same bytes every time."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} 250" font-family="sans-serif" font-size="12">',
        f"<title>{fmt.name}: a block of {fmt.block_size} in memory, and the values of its elements</title>",
        f'<rect width="{_WIDTH}" height="250" fill="white"/>',
        *_memory(fmt),
        *_values(fmt),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _memory(fmt: BlockFormat) -> list[str]:
    """The block's first bytes and its last, each with its highest bit at the left, and what lies behind all blocks."""
    count = fmt.bytes_per_block
    shown = [*range(fmt.scales_per_block), fmt.scales_per_block, count - 1]
    parts = []
    x = _LEFT
    for place, byte in enumerate(shown):
        if place and byte != shown[place - 1] + 1:
            parts.append(_text(x + _GAP, 62, "…"))
            x += 3 * _GAP
        parts.append(_text(x + 4 * _BIT, 28, f"byte {byte}"))
        fields = [field for field in block_fields(fmt) if field.offset // BYTE_BITS == byte]
        parts += [part for field in fields for part in _box(field, x, byte, fmt)]
        x += BYTE_BITS * _BIT + _GAP
    within = "; a is bit 0 of the asymmetry code" if fmt.asymmetry_bits_in_scale else ""
    notes = [f"{count} bytes a block{within}"]
    if fmt.asymmetry_bits_apart:
        blocks = BYTE_BITS // fmt.asymmetry_bits_apart
        high = fmt.asymmetry_bits_in_scale + fmt.asymmetry_bits_apart - 1
        low = apart_field(fmt, 0).index
        bits = f"bit {low}" if low == high else f"bits {low} and {high}"
        notes.append(f"{bits} of the asymmetry codes: behind the tensor's last block, {blocks} blocks a byte")
    if fmt.tensor_scaled:
        notes.append("a float32 scale per tensor, kept apart")
    parts += [_text(_LEFT, 108 + 17 * line, note, anchor="start") for line, note in enumerate(notes)]
    return parts


def _box(field: Field, x: float, byte: int, fmt: BlockFormat) -> list[str]:
    high = field.offset - BYTE_BITS * byte + field.width  # the bits are drawn from the highest to the lowest
    left, width = x + (BYTE_BITS - high) * _BIT, field.width * _BIT
    rect = f'<rect x="{left:g}" y="36" width="{width:g}" height="{_HIGH}" fill="{_FILLS[field.kind]}" stroke="#555"/>'
    ticks = "".join(f"M{left + _BIT * bit:g} 66v-5" for bit in range(1, field.width))
    lines = [rect, f'<path d="{ticks}" stroke="#555"/>'] if ticks else [rect]
    words = {"mantissa": "mantissa" if field.width > 2 else "mant.", "asymmetry": "a", "zero": "0"}
    word = f"element {field.index}" if field.kind == "element" else words.get(field.kind, field.kind)
    lines.append(_text(left + width / 2, 55, word, size=10))
    if field.kind == "exponent":
        sides = ("positive scale", "negative scale") if fmt.asymmetric else ("scale",)
        lines.append(_text(x + 4 * _BIT, 82, f"{sides[field.index]}, {fmt.scale.name}", size=11))
    return lines


def _values(fmt: BlockFormat) -> list[str]:
    """Every value of an element on a line, in scales, in an example of the block's asymmetry."""
    values, example = _example(fmt)
    parts = [
        _text(_LEFT, _AXIS - 28, f"Values of the elements{example}:", anchor="start"),
        f'<path d="M{_place(-_REACH):g} {_AXIS}H{_place(_REACH):g}" stroke="#999"/>',
    ]
    for tick in range(-12, 13, 2):
        parts.append(f'<path d="M{_place(tick):g} {_AXIS}v6" stroke="#999"/>')
        parts.append(_text(_place(tick), _AXIS + 20, f"{tick}".replace("-", "−"), size=10))
    for code, value in enumerate(values.tolist()):
        special = bool(fmt.specials) and code == NEGATIVE_ZERO
        fill = "#c2255c" if special else "#1c6fb5"
        parts.append(f'<circle cx="{_place(value):g}" cy="{_AXIS}" r="5" fill="{fill}"/>')
        if special:
            parts.append(_text(_place(value), _AXIS - 10, "1000", size=10))
    return [*parts, _text(_WIDTH / 2, _AXIS + 42, "in units of the scale", size=11)]


def _example(fmt: BlockFormat) -> tuple[NDArray[np.float64], str]:
    tables = element_tables(fmt)
    unit = 2.0**fmt.unit_exponent
    if fmt.asymmetric:
        positive, negative = (table[0].astype(float) * unit for table in tables)
        share = f"{SECOND_SIDE:g}"
        return (
            positive + SECOND_SIDE * negative,
            f" where the negative side's scale is {share} times the positive side's",
        )
    if fmt.halving:
        code, example = NEGATIVE_HALVED, " where the negative side is halved"
    elif fmt.specials:
        code = SECOND_SPECIAL * (len(fmt.specials) - 1)  # the last special value, on the positive side
        example = f" where the special value, code 1000, is +{fmt.specials[-1]}"
    else:
        code, example = 0, ""
    return tables[0][code].astype(float) * unit, example


def _place(value: float) -> float:
    return _WIDTH / 2 + value * (_WIDTH / 2 - 20) / _REACH


def _text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}" fill="#222">{escape(words)}</text>'
