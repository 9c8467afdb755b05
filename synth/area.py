"""What units cost in gates: which ones are measured, how one is, and what it is compared with.

`measure` takes one config and one library to one flat record, ready for JSON, and keeps what synthesis gave in a cache.
It prints nothing and needs nothing but its arguments, so it runs as well in a process pool or on a cluster.
`with_ratios` then compares records with each other.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amxfp4.errors import UsageError
from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, block_format
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import UNITS, described, unit_of
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth import flow as synth
from amxfp4.synth import partition as stages
from amxfp4.synth import timing
from amxfp4.synth.cache import cached, digest, kept
from amxfp4.synth.cells import liberty
from amxfp4.synth.tool import YOSYS

Record = dict[str, Any]

CACHE = Path("build/area/cache")
"""Where finished runs are kept, relative to the working directory."""

BASELINE = "MXFP4"
PAIRS = (
    ("MXFP4", "MXFP4"),
    ("MXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "MXFP4-E5M2"),
    ("AMXFP4-E5M2", "AMXFP4-E5M2"),
    ("MXFP4-UE5M3", "MXFP4-UE5M3"),
    ("AMXFP4-X2", "MXFP4-UE5M3"),
    ("AMXFP4-X2", "AMXFP4-X2"),
)
LANES = (1, 8, 32)

ONE_CYCLE_LOOP_FO4 = 87
"""Delay target in fan-out-of-4 inverters where MXFP4's float32 accumulator has one cycle an addition: align, add,
normalise and round in a row, which small gates do in some 1.9 ns in Nangate45 and fast ones in 1.65."""

QUANTIZER_FORMATS = ("MXFP4", "MXFP4-E5M2", "AMXFP4-E5M2", "MXFP4-UE5M3", "AMXFP4-X2")
QUANTIZER_LANES = (8, 32)


# -- which units -----------------------------------------------------------------------------------------------------


def standard_units(lanes: Iterable[int] = LANES) -> list[Config]:
    """The units of the table: MAC units of `PAIRS` with every accumulator that the contract allows, and quantisers."""
    units: list[Config] = []
    for count in dict.fromkeys(lanes):
        MacConfig(BASELINE, BASELINE, lanes=count)  # refuses a wrong number
        for activation, weight in PAIRS:
            for accumulator in ("exact", "fp32"):
                with contextlib.suppress(UsageError):  # no such accumulator for this pair or this many lanes
                    units.append(MacConfig(activation, weight, lanes=count, accumulator=accumulator))
        if count in QUANTIZER_LANES:
            units += [QuantizerConfig(name, lanes=count) for name in QUANTIZER_FORMATS]
    return units


def symmetric(name: str) -> str:
    """The format with the same scale and a single one of it: MXFP4-E5M2 of AMXFP4-E5M2, MXFP4-UE5M3 of AMXFP4-X2."""
    scale = block_format(name).scale
    formats = [block_format(other) for other in BLOCK_FORMAT_NAMES]
    return next(f.name for f in formats if f.scale == scale and not f.two_sided)


def baseline_of(config: Config) -> Config:
    """MXFP4's unit at the same lanes and block size; of a MAC unit, with its float32 accumulator."""
    if isinstance(config, QuantizerConfig):
        return QuantizerConfig(BASELINE, config.block_size, config.lanes, config.input, config.rounding)
    assert isinstance(config, MacConfig)
    return MacConfig(BASELINE, BASELINE, config.block_size, config.lanes, "fp32")


def symmetric_of(config: Config) -> Config:
    """The unit with the same scale formats, lanes and accumulator, but one scale a block on both sides."""
    if isinstance(config, QuantizerConfig):
        format = symmetric(config.format)
        return QuantizerConfig(format, config.block_size, config.lanes, config.input, config.rounding)
    assert isinstance(config, MacConfig)
    activation, weight = symmetric(config.activation), symmetric(config.weight)
    return MacConfig(activation, weight, config.block_size, config.lanes, config.accumulator)


def fed_by(config: Config) -> Config | None:
    """The MAC unit that a quantiser feeds: its format on both sides, the default accumulator; None for a MAC unit."""
    if not isinstance(config, QuantizerConfig):
        return None
    return MacConfig(config.format, config.format, config.block_size, config.lanes)


def with_references(configs: Iterable[Config]) -> list[Config]:
    """The configs and, behind them, the units that their ratios are taken to."""
    configs = list(configs)
    more = [other for c in configs for other in (baseline_of(c), symmetric_of(c), fed_by(c)) if other is not None]
    return list({config.name: config for config in (*configs, *more)}.values())


def target_fo4(config: Config) -> float:
    """The delay target of a unit in fan-out-of-4 inverters: that which MXFP4's unit at the same lanes can meet.

    All units at as many lanes are held to the same clock: one that the baseline cannot reach would make it pay for
    speed in vain, and a slower one would let the others off.
    """
    baseline = baseline_of(config)
    one_cycle = isinstance(baseline, MacConfig) and baseline.plan.accumulator.cycles_per_term == 1
    return ONE_CYCLE_LOOP_FO4 if one_cycle else synth.TARGET_FO4


# -- measuring one ---------------------------------------------------------------------------------------------------


def measure(
    config: Config,
    library: str | os.PathLike[str] | None = None,
    *,
    breakdown: bool = True,
    target_ps: float | None = None,
    timeout: float = 600.0,
    cache: Path | None = CACHE,
) -> Record:
    """Map one unit to the gates of one library.

    Parameters
    ----------
    config
        A MacConfig or QuantizerConfig.
    library
        As `liberty.find` takes it: a .lib or .lib.gz, "osu018" or "generic" (None likewise).
    breakdown
        Whether the areas of submodules are wanted, which takes a run more.
    target_ps
        Delay target; None takes `target_fo4`, in the library's own inverters.
    timeout
        Seconds for each run of yosys; it is no part of the result.
    cache
        Folder of finished runs, or None for neither reading nor writing any.

    Returns a flat record, the same for the same inputs but for `seconds` and `cached`:

    - what `described` says of the config
    - `library` (its own name), `area` in `area_unit`, `area_ge` in gate equivalents (NAND2), `registers_ge` (its part
      in flip-flops and clock gates), `area_ge_per_mac` (a lane's share: one lane takes one MAC a cycle), `flip_flops`,
      `clock_gates`, `cells` (library cell -> number)
    - `delay_ps` (longest path through logic alone), `period_ps` (with clock-to-output and setup), `critical_path` (the
      registers or ports that this runs between), `target_ps`
    - `ratio_to_mxfp4`, `ratio_to_symmetric`, `ratio_to_mac`: None until `with_ratios`
    - `breakdown`: instance path -> its own gate equivalents, None unless wanted
    - `seconds` that the run took, `cached`

    Raises UsageError for a wrong liberty or a missing yosys, and `ToolError`, which names the unit, when
    yosys fails or takes too long.
    """
    lib = liberty.read(liberty.find(library))
    verilog = verilog_text(unit_of(config).component(config), config.name)
    target = synth.default_target_ps(lib, target_fo4(config)) if target_ps is None else target_ps
    if not breakdown:
        whole = kept(cache, config.name, _key(verilog, lib, target, True))
        if whole is not None:  # it has more than is wanted
            return _record(config, lib, target, whole | {"breakdown_ge": {}}) | {"cached": True}
    key = _key(verilog, lib, target, breakdown)

    def run() -> Record:
        return asdict(synth.synthesise(verilog, config.name, lib, breakdown, target_ps=target, timeout=timeout))

    result, found = cached(cache, config.name, key, run)
    return _record(config, lib, target, result) | {"cached": found}


def _record(config: Config, lib: liberty.Library, target_ps: float, result: dict[str, Any]) -> Record:
    path = result["timing"]["path"]
    return {
        **described(config),
        "library": lib.name,
        "area": result["area"],
        "area_unit": result["area_unit"],
        "area_ge": result["area_ge"],
        "registers_ge": result["area_registers_ge"],
        "area_ge_per_mac": round(result["area_ge"] / config.lanes, 2),
        "flip_flops": result["flip_flops"],
        "clock_gates": result["clock_gates"],
        "cells": result["cells"],
        "delay_ps": result["delay_ps"],
        "period_ps": result["timing"]["period_ps"],
        "critical_path": [path[0]["name"], path[-1]["name"]] if path else None,
        "target_ps": target_ps,
        "ratio_to_mxfp4": None,
        "ratio_to_symmetric": None,
        "ratio_to_mac": None,
        "breakdown": result["breakdown_ge"] or None,
        "seconds": result["seconds"],
    }


def _key(verilog: str, lib: liberty.Library, target_ps: float, breakdown: bool) -> str:
    """A digest of everything that a result depends on."""
    return digest((verilog, lib.digest, f"{target_ps:g}", str(breakdown), YOSYS.version(), _flow_digest()))


@functools.cache
def _flow_digest() -> str:
    """Of the source of the flow itself: its recipes, its timing, and the fields of its result."""
    found = hashlib.sha256()
    for module in (synth, stages, timing, liberty):
        assert module.__file__ is not None
        found.update(Path(module.__file__).read_bytes())
    return found.hexdigest()


# -- comparing -------------------------------------------------------------------------------------------------------


def config_of(record: Record) -> Config:
    """The config that a record is of."""
    config: Config = UNITS[record["unit"]].configure(record["config"])
    return config


def with_ratios(records: Iterable[Record]) -> list[Record]:
    """The records with their ratios filled in, where the unit compared with is among them in the same library.

    - `ratio_to_mxfp4`: area over that of `baseline_of`, what the user pays in all.
    - `ratio_to_symmetric`: area over that of `symmetric_of`, what asymmetry alone costs; 1 for a symmetric unit.
    - `ratio_to_mac`: a quantiser's area over that of the MAC unit that it feeds.
    """
    records = list(records)
    areas = {(record["library"], record["name"]): record["area"] for record in records}

    def ratio(record: Record, other: Config | None) -> float | None:
        area = None if other is None else areas.get((record["library"], other.name))
        return None if area is None else round(record["area"] / area, 4)

    compared = []
    for record in records:
        config = config_of(record)
        compared.append(
            record
            | {
                "ratio_to_mxfp4": ratio(record, baseline_of(config)),
                "ratio_to_symmetric": ratio(record, symmetric_of(config)),
                "ratio_to_mac": ratio(record, fed_by(config)),
            }
        )
    return compared


OWN = "pipeline"
"""What `by_part` calls a unit's own logic outside its submodules: registers between stages, and control."""


def by_part(record: Record) -> dict[str, float]:
    """The breakdown by submodule, in gate equivalents; instances of a kind are added up: `scale0`, `scale1` to `scale`.

    A rounder counts for itself wherever it is, so that accumulators compare.
    """
    parts: dict[str, float] = {}
    for path, area in (record["breakdown"] or {}).items():
        names = [name.rstrip("$0123456789") for name in path.split(".") if name not in ("", OWN)]
        part = "rounder" if "rounder" in names else (names or [OWN])[0]
        parts[part] = round(parts.get(part, 0.0) + area, 2)
    return parts
