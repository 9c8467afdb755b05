"""A config as files: Verilog, and beside it a JSON manifest that says what a user of the netlist must know."""

import json
import re
from pathlib import Path
from typing import Any, Protocol

from amaranth.back import verilog
from amaranth.lib import data, wiring

from amxfp4.errors import UsageError
from amxfp4.files import replacing
from amxfp4.hw.config import MacConfig
from amxfp4.hw.mac import MacUnit


class Config(Protocol):
    """What a unit's config offers, whichever unit it is."""

    @property
    def name(self) -> str: ...
    @property
    def latency(self) -> int: ...
    def as_dict(self) -> dict[str, object]: ...


STANDARD_PAIRS = (
    ("MXFP4", "MXFP4"),
    ("MXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "AMXFP4-E5M2"),
)
STANDARD_LANES = (1, 8, 32)


def standard_configs() -> list[MacConfig]:
    """The units that `make verilog` writes: baseline, symmetric, half and fully asymmetric, at 1, 8 and 32 lanes, with
    every accumulator that the contract allows."""
    configs = []
    for activation, weight in STANDARD_PAIRS:
        for lanes in STANDARD_LANES:
            for accumulator in ("exact", "fp32"):
                try:
                    configs.append(MacConfig(activation, weight, lanes=lanes, accumulator=accumulator))
                except ValueError:
                    continue  # no such accumulator for this pair or this many lanes
    return configs


# Verilator's warnings on what yosys writes, each with the reason why it is none; all others are taken seriously.
LINT_WAIVERS = {
    "DECLFILENAME": "one file holds all modules of the unit",
    "UNUSED": "every field and every carry has a name, whether it is used whole, in part or not at all",
    "WIDTH": "operands narrower than their sum are extended as meant; `!` of several bits means that none is set",
}
_REGISTER = re.compile(r"^\s*(\\\S+ |\w+)\s+<=", re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?P<head>\s*reg\s+(?:\[[^]]*\]\s*)?)(?P<name>\\\S+ |\w+)\s*=(?P<value>[^;]*);$", re.MULTILINE
)


def verilog_text(component: wiring.Component, name: str) -> str:
    """Verilog of `component` as module `name`; the same component gives the same bytes in every run.

    Verilator's lint with -Wall finds nothing: the text waives `LINT_WAIVERS` within itself, and registers get their
    initial values, which are for FPGAs, in `initial` statements, as a declaration with a value that is assigned to
    later is a warning of its own.
    """
    text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    registers = set(_REGISTER.findall(text))

    def initialise(match: re.Match[str]) -> str:
        head, register, value = match["head"], match["name"], match["value"]
        return f"{head}{register};\n  initial {register} ={value};" if register in registers else match[0]

    waivers = "".join(f"/* verilator lint_off {rule} */ // {reason}\n" for rule, reason in LINT_WAIVERS.items())
    return f"/* verilator lint_save */\n{waivers}{_DECLARATION.sub(initialise, text)}/* verilator lint_restore */\n"


def manifest(component: wiring.Component, config: Config, *, throughput: dict[str, object]) -> dict[str, Any]:
    """What a user of the netlist must know, ready for JSON.

    Keys: `top`, `unit`, `config`, `clock`, `reset`, `ports` (each with `direction`, `width` and, for a payload,
    `fields` with `offset` and `width` in bits, and `count` for arrays, whose element 0 is lowest), `latency`,
    `throughput`.
    """
    ports: dict[str, Any] = {
        "clk": {"direction": "input", "width": 1},
        "rst": {"direction": "input", "width": 1},
    }
    for name, direction in (("i", "input"), ("o", "output")):
        other = "output" if direction == "input" else "input"
        layout = getattr(component, name).payload.shape()
        ports[f"{name}__payload"] = {"direction": direction, "width": layout.size, "fields": _fields(layout)}
        ports[f"{name}__valid"] = {"direction": direction, "width": 1}
        ports[f"{name}__ready"] = {"direction": other, "width": 1}
    return {
        "top": config.name,
        "unit": type(component).__name__,
        "config": config.as_dict(),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {"port": "rst", "active": "high", "synchronous": True},
        "ports": ports,
        "latency": {"cycles": config.latency, "meaning": "from the edge that takes the last beat, stalls not counted"},
        "throughput": throughput,
    }


def _fields(layout: data.Layout) -> list[dict[str, object]]:
    fields = []
    for name, field in layout:
        entry: dict[str, object] = {"name": name, "offset": field.offset, "width": field.width}
        if isinstance(field.shape, data.ArrayLayout):
            entry |= {"count": field.shape.length, "element_width": field.width // field.shape.length}
        fields.append(entry)
    return fields


def mac_manifest(unit: MacUnit) -> dict[str, Any]:
    """The manifest of a MAC unit, with derived widths that an integrator may ask for."""
    config = unit.config
    throughput: dict[str, object] = {
        "beats_per_cycle": 1,
        "macs_per_cycle": config.lanes,
        "beats_per_block": config.beats_per_block,
    }
    document = manifest(unit, config, throughput=throughput)
    if config.exact:
        document["accumulator"] = {"bits": config.accumulator_bits, "least_bit_exponent": config.lsb_exponent}
    return document


def write_unit(component: wiring.Component, document: dict[str, Any], path: Path) -> tuple[Path, Path]:
    """Writes Verilog to `path` and the manifest beside it as `.json`; returns both paths."""
    text = verilog_text(component, document["top"])
    beside = path.with_suffix(".json")
    for file in (path, beside):
        if file.is_dir():
            raise UsageError(f"cannot write {str(file)!r}: it is a folder; a file's name is needed")
    with replacing(path) as verilog_file, replacing(beside) as manifest_file:  # both or neither
        verilog_file.write_text(text)
        manifest_file.write_text(json.dumps(document | {"verilog": path.name}, indent=2) + "\n")
    return path, beside


def write_mac(config: MacConfig, path: Path) -> tuple[Path, Path]:
    """Writes a MAC unit's Verilog and manifest."""
    unit = MacUnit(config)
    return write_unit(unit, mac_manifest(unit), path)
