"""The units there are: what describes each, builds it, and which of its configs `make verilog` writes."""

from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from typing import Any

from amaranth.lib import wiring

from amxfp4.errors import UsageError
from amxfp4.hw.chain import Chain, ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.quantizer.unit import Quantizer


@dataclass(frozen=True)
class Unit:
    """A kind of unit.

    Attributes:
        name: as commands spell it.
        config: its config's class.
        component: builds it from a config.
        standard: the configs that `make verilog` writes.
        latency: what a config's `latency` counts.
        inputs: the names of its input streams.
    """

    name: str
    config: type[Any]
    component: Callable[[Any], wiring.Component]
    standard: Callable[[], list[Any]]
    latency: str
    inputs: tuple[str, ...] = ("i",)

    @property
    def fields(self) -> tuple["Field[Any]", ...]:
        """The fields of a config."""
        return fields(self.config)

    def configure(self, given: dict[str, Any]) -> Any:
        """A config with these fields as a command's options have them: the weights' format is the activations' unless
        given, all others are at their defaults.

        Raises:
            UsageError: a field that this unit does not have, or a config that cannot be built.
        """
        names = [field.name for field in self.fields]
        for name in given:
            if name not in names:
                allowed = ", ".join(_option(n) for n in names)
                raise UsageError(f"{_option(name)} is not an option of a {self.name}; it has {allowed}")
        if "activation" in given:
            given = {"weight": given["activation"]} | given
        return self.config(**given)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


STANDARD_PAIRS = (
    ("MXFP4", "MXFP4"),
    ("MXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "AMXFP4-E5M2"),
)
STANDARD_LANES = (1, 8, 32)


def standard_macs() -> list[MacConfig]:
    """Baseline, symmetric, half and fully asymmetric MAC units, at 1, 8 and 32 lanes, with every accumulator that the
    contract allows."""
    configs = []
    for activation, weight in STANDARD_PAIRS:
        for lanes in STANDARD_LANES:
            for accumulator in ("exact", "fp32"):
                try:
                    configs.append(MacConfig(activation, weight, lanes=lanes, accumulator=accumulator))
                except ValueError:
                    continue  # no such accumulator for this pair or this many lanes
    return configs


def standard_quantizers() -> list[QuantizerConfig]:
    """A quantiser of bfloat16 for each activation side of the standard MAC units."""
    formats = dict.fromkeys(activation for activation, _ in STANDARD_PAIRS)
    return [QuantizerConfig(name, lanes=lanes) for name in formats for lanes in STANDARD_LANES]


UNITS = {
    unit.name: unit
    for unit in (
        Unit(
            "mac",
            MacConfig,
            MacUnit,
            standard_macs,
            "from the edge that takes a dot product's last beat to its result, stalls not counted",
        ),
        Unit(
            "quantizer",
            QuantizerConfig,
            Quantizer,
            standard_quantizers,
            "from the edge that takes a block's last beat to that beat quantised, stalls not counted",
        ),
        Unit(
            "chain",
            ChainConfig,
            Chain,
            list,
            "from the edge that takes a dot product's last beat of floats to its result, stalls not counted",
            ("a", "w"),
        ),
    )
}


def unit_of(config: Config) -> Unit:
    """The unit that a config describes."""
    return next(unit for unit in UNITS.values() if unit.config is type(config))


def described(config: Config) -> dict[str, Any]:
    """How a record of measurements names a unit: `name`, `unit` ("mac", "quantizer" or "chain"), `activation`, `weight`
    (None for a quantiser), `block_size`, `lanes`, `accumulator` (None for a quantiser), `latency` in cycles, `config`
    (every field)."""
    fields = config.as_dict()
    return {
        "name": config.name,
        "unit": unit_of(config).name,
        "activation": fields.get("activation", fields.get("format")),
        "weight": fields.get("weight"),
        "block_size": fields["block_size"],
        "lanes": config.lanes,
        "accumulator": fields.get("accumulator"),
        "latency": config.latency,
        "config": fields,
    }


def inputs(config: Config) -> tuple[str, ...]:
    """The names of a unit's input streams; its output stream is `o`."""
    return unit_of(config).inputs
