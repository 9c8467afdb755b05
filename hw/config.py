"""What the configs of all units have in common: allowed sizes, checks, and what any config offers."""

from typing import Any, Protocol

from amaranth.hdl import ShapeLike
from amaranth.lib import data

from amxfp4.errors import UsageError, shown
from amxfp4.golden.formats import BlockFormat

LANES = (1, 2, 4, 8, 16, 32)
BLOCK_SIZES = (8, 16, 32, 64, 128)

CHOSEN: Any = None
"""Default of a field that a config chooses when it is made, so that no config that was made holds it."""


class Config(Protocol):
    """What the config of any unit offers. Each is a frozen dataclass."""

    @property
    def name(self) -> str: ...
    @property
    def latency(self) -> int: ...
    @property
    def lanes(self) -> int: ...
    @property
    def block_size(self) -> int: ...
    @property
    def beats_per_block(self) -> int: ...
    def as_dict(self) -> dict[str, object]: ...


def check_one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    """Refuses a config's field whose value is none of those allowed, or is of another type.

    Args:
        name: The field.
        value: Its value.
        allowed: Of one type.

    Raises:
        UsageError: The value is refused. The error names the field, its value and what is allowed.
    """
    if type(value) is not type(allowed[0]) or value not in allowed:
        raise UsageError(f"{name} is {shown(value)}; allowed are {', '.join(str(a) for a in allowed)}")


def check_geometry(block_size: int, lanes: int) -> None:
    """Refuses a block size or a number of lanes that no unit has.

    Raises:
        UsageError: One of the two is not allowed, or there are more lanes than elements in a block.
    """
    check_one_of("block_size", block_size, BLOCK_SIZES)
    check_one_of("lanes", lanes, LANES)
    if lanes > block_size:
        raise UsageError(f"lanes is {lanes}; at most block_size = {block_size} is allowed")


def scales_layout(block: BlockFormat) -> data.ArrayLayout:
    """The scale codes of one block, positive first."""
    return data.ArrayLayout(block.scale.bits, block.scales_per_block)


def asymmetry_field(block: BlockFormat) -> str | None:
    """What a beat's field for a block's asymmetry code is called: "halved" or "special", None where there is none."""
    if not block.has_asymmetry_code:
        return None
    return "special" if block.specials else "halved"


def scale_fields(block: BlockFormat, prefix: str = "") -> dict[str, ShapeLike]:
    """The fields of a beat that belong to a block: its scales, and its asymmetry code where it has one.

    Args:
        block: The format.
        prefix: Stands before each field's name.
    """
    asymmetry = asymmetry_field(block)
    code = {f"{prefix}{asymmetry}": block.asymmetry_bits} if asymmetry else {}
    return {f"{prefix}scales": scales_layout(block), **code}


def plural(count: int, noun: str) -> str:
    """A number of things in words: "1 lane", "8 lanes"."""
    return f"{count} {noun}{'s' * (count != 1)}"
