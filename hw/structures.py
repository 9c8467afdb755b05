"""The structures that MAC units have: how many configs get each, and one of them as an example."""

from collections import Counter
from functools import cache

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES
from amxfp4.hw.catalogue import possible, standard
from amxfp4.hw.config import BLOCK_SIZES, LANES
from amxfp4.hw.mac.config import ACCUMULATORS, MacConfig
from amxfp4.hw.mac.plan import Structure

HEADINGS = ("configs", *Structure._fields, "for example")


@cache
def every_mac() -> tuple[MacConfig, ...]:
    """Every MAC unit that can be built, with the default width of its accumulator and the default registers."""
    pairs = [(activation, weight) for activation in BLOCK_FORMAT_NAMES for weight in BLOCK_FORMAT_NAMES]
    return tuple(possible(pairs, block_size=BLOCK_SIZES, lanes=LANES, accumulator=ACCUMULATORS))


def structures() -> list[tuple[Structure, int, MacConfig]]:
    """Each structure, the number of configs that get it, and one of these: a standard one where there is one.

    The most frequent structure comes first.
    """
    counts = Counter(config.plan.structure for config in every_mac())
    standard_macs = [config for config in standard("mac") if isinstance(config, MacConfig)]
    usual = sorted(every_mac(), key=lambda config: abs(config.block_size - 32))
    examples: dict[Structure, MacConfig] = {}
    for config in (*standard_macs, *usual):
        examples.setdefault(config.plan.structure, config)
    return [(structure, count, examples[structure]) for structure, count in counts.most_common()]


def structures_table() -> str:
    """The structures as a table in Markdown: that of docs/architecture.md."""
    rows = [(str(count), *structure, f"`{example.name}`") for structure, count, example in structures()]
    rule = ("--:", *(":--" for _ in HEADINGS[1:]))
    return "".join(f"| {' | '.join(row)} |\n" for row in (HEADINGS, rule, *rows))
