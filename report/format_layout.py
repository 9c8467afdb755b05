"""Where each bit of a block lies in memory, as a list of fields."""

from dataclasses import dataclass

from amxfp4.golden.formats import BYTE_BITS, ELEMENT_BITS, BlockFormat


@dataclass(frozen=True)
class Field:
    """Bits of one meaning.

    Attributes:
        kind: "mantissa", "exponent", "asymmetry", "zero" or "element".
        index: which of its kind: which scale's, which element, or for asymmetry bits the lowest of them.
        offset: the place of its lowest bit. Bit 0 is the lowest bit of the block's first byte.
        width: how many bits it has.
    """

    kind: str
    index: int
    offset: int
    width: int


def block_fields(fmt: BlockFormat) -> list[Field]:
    """The fields of a block's own bytes, from the lowest bit on."""
    fields = []
    for scale in range(fmt.scales_per_block):
        fields += _scale_fields(fmt, scale)
    elements = BYTE_BITS * fmt.scales_per_block
    for element in range(fmt.block_size):
        fields.append(Field("element", element, elements + ELEMENT_BITS * element, ELEMENT_BITS))
    return [field for field in fields if field.width]


def apart_field(fmt: BlockFormat, block: int) -> Field:
    """The asymmetry bits of a block that lie behind the tensor's last block; bit 0 is the lowest bit there."""
    width = fmt.asymmetry_bits_apart
    return Field("asymmetry", fmt.asymmetry_bits_in_scale, block * width, width)


def _scale_fields(fmt: BlockFormat, scale: int) -> list[Field]:
    parts = fmt.scale
    start = BYTE_BITS * scale
    top = start + parts.bits
    within = fmt.asymmetry_bits_in_scale
    return [
        Field("mantissa", scale, start, parts.mantissa_bits),
        Field("exponent", scale, start + parts.mantissa_bits, parts.exponent_bits),
        Field("asymmetry", 0, top, within),
        Field("zero", scale, top + within, BYTE_BITS - parts.bits - within),
    ]
