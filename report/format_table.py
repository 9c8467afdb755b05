"""The facts of all block formats as tables, for docs/formats.md."""

from collections.abc import Callable, Sequence

from amxfp4.accuracy.markdown_table import markdown_table
from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format
from amxfp4.golden.formats import BlockFormat
from amxfp4.golden.scale_rules import rules_of

_HEADINGS = (
    "format",
    "bits per element",
    "block",
    "scales of a block",
    "asymmetry code",
    "tensor scale",
    "code 0b1000",
    "sums",
)
_RULE_HEADINGS = ("format", "rules for a scale", "ties", "least scale of a block that is not zero", "accumulators")


def facts_table() -> str:
    """A row per format: what it is in memory, what the code of negative zero means, what a dot product takes."""
    return _table(_HEADINGS, _facts)


def casts_table() -> str:
    """A row per format: how `quantize` takes a scale, its defaults first."""
    return _table(_RULE_HEADINGS, _cast)


def _table(headings: Sequence[str], row: Callable[[BlockFormat], Sequence[str]]) -> str:
    rows = [row(block_format(name)) for name in BLOCK_FORMAT_NAMES]
    return markdown_table(headings, rows, words=len(headings))


def _facts(fmt: BlockFormat) -> tuple[str, ...]:
    return (
        f"`{fmt.name}`",
        f"{fmt.bits_per_element:g}",
        f"{fmt.block_size}",
        f"{fmt.scales_per_block} x {fmt.scale.name}",
        _bits(fmt),
        "float32, from the tensor" if fmt.tensor_scaled else "1",
        _special(fmt),
        f"{fmt.scales_per_block**2}",
    )


def _bits(fmt: BlockFormat) -> str:
    places = {"in the scale's byte": fmt.asymmetry_bits_in_scale, "behind the blocks": fmt.asymmetry_bits_apart}
    return ", ".join(f"{_count(bits)} {place}" for place, bits in places.items() if bits) or "none"


def _count(bits: int) -> str:
    return f"{bits} bit" if bits == 1 else f"{bits} bits"


def _special(fmt: BlockFormat) -> str:
    return " or ".join(f"+{value} or -{value}" for value in fmt.specials) or "-0"


def _cast(fmt: BlockFormat) -> tuple[str, ...]:
    floor = "the smallest that is not 0" if fmt.specials else ("0" if fmt.scale.is_fp8 else "2^-127")
    accumulators = ("exact", "fp32") if fmt.scale.is_fp8 else ("fp32", "window")
    return f"`{fmt.name}`", ", ".join(rules_of(fmt)), fmt.ties, floor, ", ".join(accumulators)
