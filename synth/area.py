"""One unit to one record: its area, flip-flops and longest path in one library.

`measure` keeps what synthesis gave in a cache. It prints nothing and needs nothing but its arguments, so that a process
pool or a cluster can run it.
"""

from __future__ import annotations

import functools
import os
from dataclasses import asdict
from pathlib import Path

from amxfp4.golden.arguments import check_positive
from amxfp4.hw.config import Config
from amxfp4.hw.units import described, unit_of
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth import flow
from amxfp4.synth.cache import Result, cached, digest, kept
from amxfp4.synth.cells import liberty
from amxfp4.synth.record import Record
from amxfp4.synth.sources import digest_of, imported
from amxfp4.synth.tool import YOSYS

CACHE = Path("build/area/cache")
"""Where finished runs are kept, relative to the working directory."""

ONE_CYCLE_LOOP_FO4 = 87
"""Delay target in fan-out-of-4 inverters where MXFP4's float32 accumulator has one cycle per addition.

Aligning, adding, normalising and rounding then stand in a row."""


def target_fo4(config: Config) -> float:
    """The delay target of a unit in fan-out-of-4 inverters: one that its baseline can meet.

    All units with as many lanes are held to the same clock. A clock that the baseline cannot reach would make the
    baseline pay for speed in vain, and a slower one would let the others off. The baseline accumulates in one cycle
    where a block is one beat.
    """
    unit = unit_of(config)
    one_cycle = unit.counts_macs and unit.baseline(config).beats_per_block == 1
    return ONE_CYCLE_LOOP_FO4 if one_cycle else flow.TARGET_FO4


def measure_area(
    config: Config,
    library: str | os.PathLike[str] | None = None,
    *,
    breakdown: bool = True,
    target_ps: float | None = None,
    timeout: float = 600.0,
    cache: Path | None = CACHE,
) -> Record:
    """Maps one unit to the gates of one library.

    Args:
        config: The unit.
        library: As `liberty.find` takes it: a .lib or .lib.gz, "osu018", or "generic", which None means too.
        breakdown: Whether the areas of submodules are wanted, which takes a second run.
        target_ps: Delay target. None takes `target_fo4`, in the library's own inverters.
        timeout: Seconds for each run of yosys. It is no part of the result.
        cache: Folder of finished runs, or None for neither reading nor writing any.

    Returns:
        What `described` says of the config, and the following. Only `seconds` and `cached` differ between runs.

        - `library`: its own name.
        - `area` in `area_unit`; `area_ge` in gate equivalents (NAND2); `registers_ge`, the part of it in flip-flops and
          clock gates; `area_ge_per_mac`, one lane's share.
        - `flip_flops`, `clock_gates`; `cells`: library cell -> how many.
        - `delay_ps`: the longest path through logic alone. `period_ps`: with clock-to-output and setup.
          `critical_path`: the registers or ports that this path runs between. `target_ps`.
        - `ratio_to_mxfp4`, `ratio_to_window`, `ratio_to_symmetric`, `ratio_to_mac`: None until `ratios.with_ratios`.
        - `breakdown`: instance path -> its own gate equivalents; None unless wanted.
        - `seconds` that the run took; `cached`.

    Raises:
        UsageError: A wrong liberty, a number that is not above 0, or a missing yosys.
        ToolError: yosys failed or took too long. The text names the unit.
    """
    check_positive(timeout=timeout, **({} if target_ps is None else {"target_ps": target_ps}))
    lib = liberty.read(liberty.find(library))
    verilog = verilog_text(unit_of(config).component(config), config.name)
    target = flow.default_target_ps(lib, target_fo4(config)) if target_ps is None else target_ps
    if not breakdown:
        whole = kept(cache, config.name, _key(verilog, lib, target, True))
        if whole is not None:  # it has more than is wanted
            return _record(config, lib, target, whole | {"breakdown_ge": {}}) | {"cached": True}
    key = _key(verilog, lib, target, breakdown)

    def run() -> Result:
        return asdict(flow.synthesise(verilog, config.name, lib, breakdown, target_ps=target, timeout=timeout))

    result, found = cached(cache, config.name, key, run)
    return _record(config, lib, target, result) | {"cached": found}


def _record(config: Config, lib: liberty.Library, target_ps: float, result: Result) -> Record:
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
        "ratio_to_window": None,
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
    """Of the sources of the flow: its recipes, its timing, and the fields of its result."""
    return digest_of(imported("synth.flow", rooms=["synth"]))
