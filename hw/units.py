"""The units there are. Each has one descriptor, from which commands take all that they need to know of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, get_args, get_type_hints

from amaranth.lib import wiring

from amxfp4.errors import UsageError, shown
from amxfp4.hw import explain, references
from amxfp4.hw.chain import Chain, ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer


@dataclass(frozen=True)
class Option:
    """A field of a config as a command line option.

    Attributes:
        name: The field's name.
        kind: `int`, `str` or `bool`.
        help: One sentence that says what the field is.
        default: Its value unless given. None where the config finds one.
    """

    name: str
    kind: type[int] | type[str] | type[bool]
    help: str
    default: int | str | bool | None

    @property
    def spelling(self) -> str:
        """As a command line has it."""
        return spelling(self.name)


def spelling(name: str) -> str:
    """A field as a command line option: `--block-size`."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True)
class Unit:
    """A kind of unit.

    Attributes:
        name: As commands spell it.
        title: Of tables about several of them.
        config: The class of its configs.
        component: Builds a unit from its config.
        inputs: The names of its input streams. Its output stream is `o`.
        columns: Fields of a config that tell the units of a table apart, in the table's order.
        choices: More such fields, for tables in which a unit has another value than it would have by default.
        latency_counts: What a config's `latency` counts.
        work: What one lane does per cycle: a "MAC", or an "element" converted.
        baseline: The unit of MXFP4 that a unit is compared with; see `references`.
        windowed: The same with a windowed accumulator. None for a unit without an accumulator.
        symmetric: The unit with one scale per block that a unit is compared with; see `references`.
        fed_by: The MAC unit that a unit feeds, whose area its own is compared with. None for a unit that feeds none.
        explain: In a few lines, how a config's unit is built and why.
        facts: Entries of the manifest beyond those that every unit has.
    """

    name: str
    title: str
    config: type[Any]
    component: Callable[[Any], wiring.Component]
    inputs: tuple[str, ...]
    columns: tuple[str, ...]
    latency_counts: str
    work: Literal["MAC", "element"]
    baseline: Callable[[Any], Config]
    windowed: Callable[[Any], Config] | None
    symmetric: Callable[[Any], Config]
    fed_by: Callable[[Any], Config] | None
    explain: Callable[[Any], list[str]]
    facts: Callable[[Any], dict[str, Any]] = lambda config: {}
    choices: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[Option, ...]:
        """The fields of a config; of a config within a config, that one's fields."""
        return tuple(_options(self.config))

    @property
    def counts_macs(self) -> bool:
        """Whether a unit multiplies and accumulates."""
        return self.work == "MAC"

    def configure(self, given: dict[str, Any]) -> Any:
        """A config from its fields, as a command's options, a record or a manifest have them.

        Args:
            given: Value of each field that has one. The weights' format is the activations' unless given; all others
                have their defaults.

        Raises:
            UsageError: The unit has no such field, or the config cannot be built.
        """
        options = {option.name: option for option in self.options}
        for name in given:
            if name not in options:
                allowed = ", ".join(option.spelling for option in options.values())
                raise UsageError(f"{spelling(name)} is not an option of a {self.name}; it has {allowed}")
        if "activation" in given:
            given = {"weight": given["activation"]} | given
        return _built(self.config, given)

    def references(self, config: Config) -> list[Config]:
        """The units that a unit is compared with."""
        compared = (self.baseline, self.windowed, self.symmetric, self.fed_by)
        return [reference(config) for reference in compared if reference]


def _options(config: type[Any]) -> Iterator[Option]:
    hints = get_type_hints(config)
    for field in fields(config):
        hint = hints[field.name]
        if is_dataclass(hint):
            yield from _options(hint)  # type: ignore[arg-type]
        else:
            kind = next((kind for kind in (bool, int) if kind in (hint, *get_args(hint))), str)
            assert field.default is None or isinstance(field.default, int | str | bool)
            yield Option(field.name, kind, field.metadata["help"], field.default)


def _built(config: type[Any], given: dict[str, Any]) -> Any:
    """A config from those of the given fields that it has, configs within it likewise."""
    hints = get_type_hints(config)
    nested = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    arguments = {field.name: given[field.name] for field in fields(config) if field.name in given}
    return config(**arguments, **{name: _built(hint, given) for name, hint in nested.items()})  # type: ignore[arg-type]


def _fixed_point(config: MacConfig) -> dict[str, Any]:
    """What a user must know to read a fixed-point accumulator's overflow."""
    if not config.fixed_point:
        return {}
    return {"accumulator": {"bits": config.accumulator_bits, "least_bit_exponent": config.lsb_exponent}}


_ALL = (
    Unit(
        name="mac",
        title="MAC units",
        config=MacConfig,
        component=MacUnit,
        inputs=("i",),
        columns=("activation", "weight", "lanes", "accumulator"),
        latency_counts="from the edge that takes a dot product's last beat to its result, stalls not counted",
        work="MAC",
        baseline=references.mac_baseline,
        windowed=references.mac_windowed,
        symmetric=references.mac_symmetric,
        fed_by=None,
        explain=explain.mac,
        facts=_fixed_point,
    ),
    Unit(
        name="quantizer",
        title="Quantisers",
        config=QuantizerConfig,
        component=Quantizer,
        inputs=("i",),
        columns=("format", "input", "lanes"),
        choices=("rule", "tensor_scale"),
        latency_counts="from the edge that takes a block's last beat to that beat quantised, stalls not counted",
        work="element",
        baseline=references.quantizer_baseline,
        windowed=None,
        symmetric=references.quantizer_symmetric,
        fed_by=references.mac_behind,
        explain=explain.quantizer,
    ),
    Unit(
        name="chain",
        title="Chains",
        config=ChainConfig,
        component=Chain,
        inputs=("a", "w"),
        columns=("activation", "weight", "input", "lanes", "accumulator"),
        latency_counts="from the edge that takes a dot product's last beat of floats to its result, stalls not counted",
        work="MAC",
        baseline=references.chain_baseline,
        windowed=references.chain_windowed,
        symmetric=references.chain_symmetric,
        fed_by=None,
        explain=explain.chain,
        facts=lambda config: _fixed_point(config.mac),
    ),
)
UNITS = {unit.name: unit for unit in _ALL}


def unit_of(config: Config) -> Unit:
    """The unit that a config describes.

    Raises:
        UsageError: it is no unit's config.
    """
    for unit in _ALL:
        if unit.config is type(config):
            return unit
    allowed = ", ".join(unit.config.__name__ for unit in _ALL)
    raise UsageError(f"config is {shown(config)}; one of type {allowed} is needed")


def described(config: Config) -> dict[str, Any]:
    """How a record of measurements names a unit.

    Returns:
        `name`; `unit`, a key of `UNITS`; `activation`; `weight` and `accumulator`, both None for a quantiser;
        `block_size`; `lanes`; `latency` in cycles; `config`, every field.
    """
    fields = config.as_dict()
    return {
        "name": config.name,
        "unit": unit_of(config).name,
        "activation": fields.get("activation", fields.get("format")),
        "weight": fields.get("weight"),
        "block_size": config.block_size,
        "lanes": config.lanes,
        "accumulator": fields.get("accumulator"),
        "latency": config.latency,
        "config": fields,
    }
