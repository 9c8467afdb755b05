"""A config as files: Verilog, and beside it a JSON manifest that says what a user of the netlist must know."""

import json
import os
import re
from pathlib import Path
from typing import Any

from amaranth.back import verilog
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from amxfp4.errors import UsageError
from amxfp4.files import replacing
from amxfp4.hw.config import Config
from amxfp4.hw.tool_cache import amaranth_error
from amxfp4.hw.units import unit_of

# Verilator's warnings on what yosys writes, each with the reason why it is none; all others are taken seriously.
LINT_WAIVERS = {
    "DECLFILENAME": "one file holds all modules of the unit",
    "CASEINCOMPLETE": "what a case chooses has a value before it, which stays where no choice fits",
    "UNUSED": "every field and every carry has a name, whether it is used whole, in part or not at all",
    "WIDTH": "operands narrower than their sum are extended as meant; `!` of several bits means that none is set",
}
_REGISTER = re.compile(r"^\s*(\\\S+ |\w+)\s+<=", re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?P<head>\s*reg\s+(?:\[[^]]*\]\s*)?)(?P<name>\\\S+ |\w+)\s*=(?P<value>[^;]*);$", re.MULTILINE
)


def verilog_text(component: wiring.Component, name: str) -> str:
    """Verilog of a component; the same component gives the same bytes in every run.

    Verilator's lint with -Wall finds nothing. The text waives `LINT_WAIVERS` within itself. Registers get their initial
    values, which are for FPGAs, in `initial` statements: a declaration with a value that is assigned to later would be
    a warning of its own.

    Args:
        component: What to convert.
        name: Its module's name.

    Raises:
        UsageError: The tool that writes it has no place for its cache, or cannot run.
    """
    try:
        text = verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    except verilog.YosysError as error:
        raise amaranth_error(str(error)) or error from None
    registers = set(_REGISTER.findall(text))

    def initialise(match: re.Match[str]) -> str:
        head, register, value = match["head"], match["name"], match["value"]
        return f"{head}{register};\n  initial {register} ={value};" if register in registers else match[0]

    waivers = "".join(f"/* verilator lint_off {rule} */ // {reason}\n" for rule, reason in LINT_WAIVERS.items())
    return f"/* verilator lint_save */\n{waivers}{_DECLARATION.sub(initialise, text)}/* verilator lint_restore */\n"


def unit_verilog(config: Config) -> str:
    """Verilog of the unit that `config` describes, as module `config.name`."""
    return verilog_text(unit_of(config).component(config), config.name)


def manifest(component: wiring.Component, config: Config) -> dict[str, Any]:
    """What a user of a netlist must know, ready for JSON.

    Args:
        component: The unit.
        config: What it was built from.

    Returns:
        `top`, `unit`, `config`, `clock`, `reset`, `latency`, `throughput`; `accumulator` where there is an exact one;
        and `ports`. Each port has `direction` and `width`. A payload also has `fields`, each with `offset` and `width`
        in bits, and arrays with `count`; element 0 is lowest.
    """
    unit = unit_of(config)
    ports: dict[str, Any] = {
        "clk": {"direction": "input", "width": 1},
        "rst": {"direction": "input", "width": 1},
    }
    for name, member in component.signature.members.items():
        given, taken = ("input", "output") if member.flow is In else ("output", "input")
        layout = getattr(component, name).payload.shape()
        ports[f"{name}__payload"] = {"direction": given, "width": layout.size, "fields": _fields(layout)}
        ports[f"{name}__valid"] = {"direction": given, "width": 1}
        ports[f"{name}__ready"] = {"direction": taken, "width": 1}
    return {
        "top": config.name,
        "unit": type(component).__name__,
        "config": config.as_dict(),
        "clock": {"port": "clk", "edge": "rising"},
        "reset": {"port": "rst", "active": "high", "synchronous": True},
        "ports": ports,
        "latency": {"cycles": config.latency, "meaning": unit.latency_counts},
        "throughput": {
            "beats_per_cycle": 1,
            f"{unit.work.lower()}s_per_cycle": config.lanes,
            "beats_per_block": config.beats_per_block,
        },
        **unit.facts(config),
    }


def _fields(layout: data.Layout) -> list[dict[str, object]]:
    fields = []
    for name, field in layout:
        entry: dict[str, object] = {"name": name, "offset": field.offset, "width": field.width}
        if isinstance(field.shape, data.ArrayLayout):
            entry |= {"count": field.shape.length, "element_width": field.width // field.shape.length}
        fields.append(entry)
    return fields


def write_unit(config: Config, path: Path) -> tuple[Path, Path]:
    """Writes a unit's Verilog, and its manifest beside it as `.json`.

    Args:
        config: The unit.
        path: Where the Verilog goes.

    Returns:
        Both paths.

    Raises:
        UsageError: One of the two cannot be written; then neither is.
    """
    component = unit_of(config).component(config)
    text, document = verilog_text(component, config.name), manifest(component, config)
    beside = path.with_suffix(".json")
    for file in (path, beside):
        if os.path.isdir(file):
            raise UsageError(f"cannot write {str(file)!r}: it is a folder; a file's name is needed")
    with replacing(path) as verilog_file:  # both or neither
        verilog_file.write_text(text, encoding="utf-8")
        with replacing(beside) as manifest_file:
            shown = json.dumps(document | {"verilog": path.name}, indent=2) + "\n"
            manifest_file.write_text(shown, encoding="utf-8")
    return path, beside
