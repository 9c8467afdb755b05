"""Which configs there are, and which of them are standard: those that every command takes unless told otherwise."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from amxfp4.errors import UsageError
from amxfp4.golden.formats import block_format
from amxfp4.hw.config import LANES as ALL_LANES
from amxfp4.hw.config import Config, check_one_of
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import unit_of

Pair = tuple[str, str]
"""Block formats of a MAC unit's activations and of its weights."""

PAIRS: tuple[Pair, ...] = (
    ("MXFP4", "MXFP4"),
    ("MXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "AMXFP4-E5M2"),
    ("MXFP4-UE5M3", "MXFP4-UE5M3"),
    ("AMXFP4-X2", "MXFP4-UE5M3"),
    ("AMXFP4-X2", "AMXFP4-X2"),
    ("MXFP4-E4M3", "MXFP4-E4M3"),
    ("AMXFP4-Z8", "MXFP4-E4M3"),
    ("AMXFP4-Z8", "AMXFP4-Z8"),
    ("AMXFP4-Z", "MXFP4-E4M3"),
    ("AMXFP4-Z", "AMXFP4-Z"),
)
"""Pairs of the standard MAC units in blocks of 32: MXFP4, and for AMXFP4-E5M2, AMXFP4-X2, AMXFP4-Z8 and AMXFP4-Z the
symmetric pair of the same scale format, the pair with such activations alone, and that with such weights too."""

PAIRS_OF_16: tuple[Pair, ...] = (
    ("MXFP4/16", "MXFP4/16"),
    ("NVFP4", "NVFP4"),
    ("MXFP4-UE5M3/16", "MXFP4-UE5M3/16"),
    ("AMXFP4-Z8/16", "AMXFP4-Z8/16"),
)
"""Pairs of the standard MAC units in blocks of 16. MXFP4 is no standard in these blocks, but what the others are
compared with. NVFP4's unit is that of MXFP4-E4M3 in blocks of 16, which is not listed a second time: a tensor's scale
is no part of a MAC unit."""

QUANTIZER_FORMATS = tuple(dict.fromkeys(activation for activation, _ in PAIRS))
"""Formats of the standard quantisers in blocks of 32: one for the activations of each standard MAC unit."""

SYMMETRIC_QUANTIZER_OF_16 = "MXFP4-E4M3/16"
"""Format of one more standard quantiser: AMXFP4-Z8's is compared with it, as NVFP4's takes a tensor's scale."""

LANES = (1, 8, 32)
"""Lanes of the standard units."""

LANES_OF_16 = (8,)
"""Lanes of the standard units in blocks of 16, of which more would take long to measure and say little more."""


def possible(pairs: Iterable[Pair], **axes: Sequence[Any]) -> list[MacConfig]:
    """Every MAC unit that can be built of these values, each once, in the order of the values.

    Args:
        pairs: Formats of activations and weights.
        axes: For a field of a config, the values that it takes. A field without values has its default.
    """
    built = [made for _, made in combinations(pairs, axes) if isinstance(made, MacConfig)]
    return list({config.name: config for config in built}.values())


def combinations(
    pairs: Iterable[Pair], axes: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[dict[str, Any], MacConfig | UsageError]]:
    """Every combination of these values, and what comes of it: a config, or why there is no such unit.

    Yields:
        The combination, the formats under the name "pair"; and its config or error.
    """
    for pair, *values in itertools.product(pairs, *axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        try:
            yield {"pair": pair, **chosen}, MacConfig(*pair, **chosen)
        except UsageError as error:
            yield {"pair": pair, **chosen}, error


def standard_pairs(lanes: int) -> tuple[Pair, ...]:
    """Pairs of the standard MAC units at a number of lanes."""
    return (*PAIRS, *PAIRS_OF_16) if lanes in LANES_OF_16 else PAIRS


def standard(unit: str | None = None, lanes: Iterable[int] = LANES) -> list[Config]:
    """The standard units: MAC units with every accumulator that can be built, and quantisers.

    There is no standard chain.

    Args:
        unit: Only those of this kind, a key of `units.UNITS`.
        lanes: At each of these numbers of lanes, in this order. Units in blocks of 16 are standard at `LANES_OF_16`
            alone.

    Raises:
        UsageError: No unit has so many lanes.
    """
    configs: list[Config] = []
    for count in dict.fromkeys(lanes):
        check_one_of("lanes", count, ALL_LANES)
        macs = possible(standard_pairs(count), lanes=[count], accumulator=ACCUMULATORS)
        formats = [config.activation_format for config in macs]
        formats += [block_format(SYMMETRIC_QUANTIZER_OF_16)] if count in LANES_OF_16 else []
        configs += [*macs, *(QuantizerConfig(f.name, f.block_size, count) for f in dict.fromkeys(formats))]
    return [config for config in configs if unit in (None, unit_of(config).name)]
