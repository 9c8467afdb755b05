"""Made-up figures in the shape of those that the other commands write, quick to make and easy to foretell."""

import json
from pathlib import Path
from typing import Any

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS
from amxfp4.accuracy.case import Case
from amxfp4.accuracy.choice import as_used
from amxfp4.accuracy.int4 import Int4
from amxfp4.accuracy.products import ATTENTION_KINDS
from amxfp4.accuracy.weights import LINEAR_KINDS
from amxfp4.golden import ENCODES, ROUNDINGS, block_format
from amxfp4.hw.catalogue import standard
from amxfp4.hw.mac.config import MacConfig
from amxfp4.synth import fpga
from amxfp4.synth.ratios import with_ratios
from amxfp4.synth.record import Record

COST = {"MXFP4": 1.0, "MXFP4-E5M2": 1.05, "AMXFP4-E5M2": 1.3, "MXFP4-UE5M3": 1.1, "AMXFP4-X2": 1.14, "NVFP4": 1.2}
"""What each operand's format multiplies a unit's cost by."""

SQNR = {"MXFP4": 16.22, "MXFP4-E5M2": 18.2, "AMXFP4-E5M2": 19.15, "MXFP4-UE5M3": 18.97, "AMXFP4-X2": 19.27}


def cost(config: MacConfig) -> float:
    """A figure for a unit's size, MXFP4 with one lane being 100."""
    exact = 1.1 if config.accumulator == "exact" else 1.0
    sums = (100 + 30 * (config.lanes - 1)) * (1 + 0.1 * (config.front_registers or 0))
    return sums * (COST[config.activation] * COST[config.weight]) ** 0.5 * exact


def area_record(config: Any, library: str = "sample") -> Record:
    area = cost(config)
    names = ("activation", "weight", "block_size", "lanes", "accumulator", "latency", "name")
    return {name: getattr(config, name) for name in names} | {
        "unit": "mac",
        "config": config.as_dict(),
        "library": library,
        "area": area,
        "area_ge": area / 0.8,
        "registers_ge": area / 2,
        "area_ge_per_mac": area / 0.8 / config.lanes,
        "flip_flops": round(area),
        "clock_gates": 3,
        "delay_ps": 900.0,
        "period_ps": 1000.0 + config.lanes,
        "ratio_to_mxfp4": None,
        "ratio_to_window": None,
        "ratio_to_symmetric": None,
        "ratio_to_mac": None,
        "breakdown": {
            "": 10.0,
            "pipeline.sums": area / 2,
            "pipeline.scale0": area / 4,
            "pipeline.accumulator": area / 4,
        },
    }


def area_records() -> list[Record]:
    """Of every MAC unit of the table with these formats, in blocks of 32."""
    macs = [config for config in standard("mac") if isinstance(config, MacConfig) and config.block_size == 32]
    return with_ratios(area_record(config) for config in macs if {config.activation, config.weight} <= set(COST))


def sweep_records() -> list[Record]:
    """Of two pairs at all lanes, with either pipeline."""
    return with_ratios(
        area_record(MacConfig(name, name, lanes=lanes, front_registers=registers))
        for name in ("MXFP4", "AMXFP4-X2")
        for lanes in (1, 2, 4, 8, 16, 32)
        for registers in (0, 1)
    )


def study() -> Record:
    """As the accuracy study gives it."""
    pairs = [(name, name) for name in SQNR] + [("AMXFP4-E5M2", "MXFP4-E5M2"), ("AMXFP4-X2", "MXFP4-UE5M3")]
    cases = [
        case(Case(activation, weight, 32, rounding, encode))
        for activation, weight in pairs
        for rounding in ROUNDINGS
        for encode in ENCODES
        if encode == "direct" or activation == weight == "AMXFP4-X2"
    ]
    tensors = [*LINEAR_INPUTS, *ATTENTION_OPERANDS, *WEIGHTS]
    return {
        "quick": False,
        "model": "a sample model",
        "sentences": 7,
        "cases": [*cases, *map(case, BASELINES)],
        "int4": [case(Int4())],
        "sides": {"32": {name: {"blocks": 10, "twice": 0.25} for name in tensors}},
        "underflow": {},
        "sentences_with_reference_nan": {"32": {"linear": 1, "linear and attention": 2}},
        "variants": [],
        "example_blocks": [],
    }


BASELINES = (as_used("MXFP4", rule="ceil"), as_used("MXFP4", rule="even"), as_used("NVFP4"))
GAINS = {"ceil": 0.5, "even": 1.5, None: 0.0}


def case(way: Case | Int4) -> Record:
    output = sqnr_of(way) if isinstance(way, Case) else 15.0
    gain = GAINS[way.rule] if isinstance(way, Case) else 0
    means = {"activation": output + 1, "weight": output + 1, "output": output}
    end = {
        "cosine_mean": 0.98 + gain / 1000,
        "cosine_min": 0.9,
        "cosine_error": 0.001,
        "rank_correlation": 0.97,
        "to_nvfp4": {"difference": gain / 1000, "error": 0.0005},
    }
    return {
        **way.to_dict(),
        "linear_layers_mean": means,
        "kinds": {kind: [means] for kind in (*LINEAR_KINDS, *ATTENTION_KINDS)},
        "end_to_end": {name: dict(end) for name in ("linear", "linear and attention")},
    }


def sqnr_of(way: Case) -> float:
    output = (SQNR.get(way.activation, 19.8) + SQNR.get(way.weight, 19.8)) / 2 + GAINS[way.rule]
    return output + 0.5 * (way.weight_encode != "direct") - 5 * (way.rounding != block_format(way.activation).ties)


def fpga_records() -> list[Record]:
    records = []
    for unit in area_records():
        kept = ("name", "unit", "activation", "weight", "block_size", "lanes", "accumulator", "latency", "config")
        luts = {"luts": round(unit["area_ge"] * 10), "carries": 80, "flip_flops": 200, "fmax_mhz": 60.0}
        board = {"device": fpga.DEVICE, "speed_grade": 6, "ratio_to_mxfp4": None, "ratio_to_symmetric": None}
        records.append({key: unit[key] for key in kept} | luts | board)
    return with_ratios(records, "luts")


def energy_records() -> list[Record]:
    records = []
    for unit in area_records():
        if unit["lanes"] == 8 and (unit["accumulator"] == "exact" or unit["activation"] == "MXFP4"):
            kept = {key: unit[key] for key in ("name", "activation", "weight", "lanes", "accumulator", "library")}
            parts = {"logic": 800.0, "registers": 160.0, "clock": 80.0, "energy_per_mac": 130.0, "ratio_to_mxfp4": 1.25}
            records.append(kept | parts)
    return records


def write(folder: Path) -> None:
    """All files, where the commands write them below `folder`."""
    for path, content in {
        "build/area/area.json": area_records(),
        "build/sweep/sweep.json": sweep_records(),
        "build/accuracy/accuracy.json": study(),
        "build/fpga/fpga.json": fpga_records(),
        "build/energy/energy.json": energy_records(),
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
