"""Comparing units: which others a unit is measured with, and the ratios to them."""

from collections.abc import Callable, Iterable

from amxfp4.hw.config import Config
from amxfp4.hw.units import Unit, unit_of
from amxfp4.synth.record import Record, config_of

REFERENCES: dict[str, Callable[[Unit, Config], Config | None]] = {
    "ratio_to_mxfp4": lambda unit, config: unit.baseline(config),
    "ratio_to_window": lambda unit, config: unit.windowed(config) if unit.windowed else None,
    "ratio_to_symmetric": lambda unit, config: unit.symmetric(config),
    "ratio_to_mac": lambda unit, config: unit.fed_by(config) if unit.fed_by else None,
}
"""For each ratio of a record, the unit that it is taken to; None where a unit has no such ratio."""


def with_references(configs: Iterable[Config]) -> list[Config]:
    """The configs and, behind them, the units that their ratios are taken to, each once."""
    configs = list(configs)
    references = [reference for config in configs for reference in unit_of(config).references(config)]
    return list({config.name: config for config in (*configs, *references)}.values())


def with_ratios(records: Iterable[Record], quantity: str = "area") -> list[Record]:
    """The records with their ratios filled in.

    A ratio stays None where the unit compared with was not measured in the same library.

    Args:
        records: Those that are compared with each other. Each has a place for the ratios that it is to have: a key of
            `REFERENCES`.
        quantity: The figure that is compared.
    """
    records = list(records)
    figures = {(record.get("library"), record["name"]): record[quantity] for record in records}

    def ratio(record: Record, reference: Config | None) -> float | None:
        other = None if reference is None else figures.get((record.get("library"), reference.name))
        return None if other is None else round(record[quantity] / other, 4)

    compared = []
    for record in records:
        config = config_of(record)
        unit = unit_of(config)
        found = {key: ratio(record, of(unit, config)) for key, of in REFERENCES.items() if key in record}
        compared.append(record | found)
    return compared
