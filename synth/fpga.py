"""What units cost in an FPGA: LUTs, carries, flip-flops and clock on a Lattice ECP5, after place and route.

A unit has more ports than the device has pins, and a path that ends at a pin says nothing about the unit. So each unit
is put between registers (`harness`): its inputs come from one shift register, its outputs end in one register a bit.
Every path is then from register to register; the harness takes no LUT, and its flip-flops are not counted.

Multipliers are built from LUTs (`-nodsp`), so that one number holds all logic. Otherwise yosys and nextpnr do what they
do by default, for all units alike.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from amxfp4.hw.config import Config
from amxfp4.hw.units import described, unit_of
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth.area import baseline_of, config_of, symmetric_of
from amxfp4.synth.cache import cached, digest
from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, ToolError, ToolTimeout

Record = dict[str, Any]

CACHE = Path("build/fpga/cache")
"""Where finished runs are kept, relative to the working directory."""

DEVICE = "LFE5U-25F"
SPEED_GRADE = 6
"""The slowest of 6, 7 and 8, and the one that most boards carry."""

TARGET_MHZ = 200
"""What place and route strives for: more than any unit reaches, so that it never stops short."""

SEED = 1

_TOP = "harness"
_SYNTHESIS = f"read_verilog in.v; synth_ecp5 -nodsp -top {_TOP} -json netlist.json; tee -q -o stat.json stat -json"
# ABC9, as built for WebAssembly, crashes on a few netlists without a word; on the same ones once more optimised it does
# not.
_SECOND_SYNTHESIS = _SYNTHESIS.replace("in.v; ", f"in.v; hierarchy -top {_TOP}; proc; flatten; opt -full -fine; ", 1)
_PLACE_AND_ROUTE = (
    "--25k --package CABGA381 "
    f"--speed {SPEED_GRADE} --freq {TARGET_MHZ} --timing-allow-fail --lpf-allow-unconstrained "
    "--json netlist.json --report report.json"
)


def harness(name: str, input_bits: int, output_bits: int) -> str:
    """Verilog of module `harness`, in which the unit `name` stands between registers.

    Args:
        input_bits, output_bits: of the payloads of the streams `i` and `o`.
    """
    inputs, outputs = input_bits + 2, output_bits + 2  # with each stream's valid and ready
    return f"""
module {_TOP}(input clk, input rst, input data);
  reg reset;
  reg [{inputs - 1}:0] i;
  wire [{outputs - 1}:0] o;
  (* keep *) reg [{outputs - 1}:0] seen;
  always @(posedge clk) begin
    reset <= rst;
    i <= {{i[{inputs - 2}:0], data}};
    seen <= o;
  end
  {name} unit (
    .clk(clk), .rst(reset),
    .i__payload(i[{input_bits - 1}:0]), .i__valid(i[{input_bits}]), .i__ready(o[{output_bits + 1}]),
    .o__payload(o[{output_bits - 1}:0]), .o__valid(o[{output_bits}]), .o__ready(i[{input_bits + 1}])
  );
endmodule
"""


def harness_flip_flops(input_bits: int, output_bits: int) -> int:
    """Flip-flops of the harness itself: one for each port of the unit but the clock."""
    return 1 + input_bits + 2 + output_bits + 2


def measure(config: Config, *, seed: int = SEED, timeout: float = 1800.0, cache: Path | None = CACHE) -> Record:
    """Place and route one unit.

    Parameters
    ----------
    config
        A MacConfig or QuantizerConfig.
    seed
        Of the placement; the same seed gives the same result.
    timeout
        Seconds for yosys and for nextpnr each; it is no part of the result.
    cache
        Folder of finished runs, or None for neither reading nor writing any.

    Returns a flat record:

    - what `described` says of the config
    - `device`, `speed_grade`, `seed`
    - `luts`: 4-input LUTs occupied after place and route, those in carry chains included; `carries`: two-bit carry
      cells (CCU2C), each of which occupies two LUTs; `flip_flops`: without the harness's
    - `fmax_mhz`, `critical_path` (the cells that the longest path runs between)
    - `ratio_to_mxfp4`, `ratio_to_symmetric`: None until `with_ratios`
    - `seconds` that the run took, `cached`

    Raises UsageError for a missing tool and ToolError, which names the unit, when one fails or takes too long.
    """
    component = unit_of(config).component(config)
    bits = [getattr(component, stream).payload.shape().size for stream in "io"]
    verilog = verilog_text(component, config.name) + harness(config.name, *bits)
    versions = (YOSYS.version(), NEXTPNR_ECP5.version())
    key = digest((verilog, _SYNTHESIS, _PLACE_AND_ROUTE, str(seed), *versions))
    result, found = cached(cache, config.name, key, lambda: _run(verilog, config.name, bits, seed, timeout))
    return {
        **described(config),
        "device": DEVICE,
        "speed_grade": SPEED_GRADE,
        "seed": seed,
        "ratio_to_mxfp4": None,
        "ratio_to_symmetric": None,
        **result,
        "cached": found,
    }


def _synthesise(work: Path, name: str, timeout: float) -> None:
    doing = f"synthesis of {name!r}"
    try:
        YOSYS.run(["-q", "-p", _SYNTHESIS], work=work, timeout=timeout, doing=doing)
    except ToolTimeout:
        raise
    except ToolError:
        YOSYS.run(["-q", "-p", _SECOND_SYNTHESIS], work=work, timeout=timeout, doing=doing)


def _run(verilog: str, name: str, bits: list[int], seed: int, timeout: float) -> Record:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="amxfp4-fpga-") as folder:
        work = Path(folder)
        (work / "in.v").write_text(verilog)
        _synthesise(work, name, timeout)
        arguments = [*_PLACE_AND_ROUTE.split(), "--seed", str(seed)]
        NEXTPNR_ECP5.run(arguments, work=work, timeout=timeout, doing=f"place and route of {name!r}")
        cells = json.loads((work / "stat.json").read_text())["design"]["num_cells_by_type"]
        report = json.loads((work / "report.json").read_text())
    (clock,) = report["fmax"]
    path = next(p for p in report["critical_paths"] if clock in p["from"] and clock in p["to"])["path"]
    return {
        "luts": report["utilization"]["TRELLIS_COMB"]["used"],
        "carries": cells.get("CCU2C", 0),
        "flip_flops": report["utilization"]["TRELLIS_FF"]["used"] - harness_flip_flops(*bits),
        "fmax_mhz": round(report["fmax"][clock]["achieved"], 2),
        "critical_path": [_register(path[0]["from"]["cell"]), _register(path[-1]["to"]["cell"])],
        "seconds": round(time.monotonic() - started, 1),
    }


def _register(cell: str) -> str:
    """The register that a cell belongs to, without what the tools have put behind and before its name."""
    return re.sub(r"_TRELLIS_FF_Q.*|\$.*", "", cell).removeprefix("unit.")


def with_ratios(records: Iterable[Record]) -> list[Record]:
    """The records with the ratios of their LUTs to those of `area.baseline_of` and `area.symmetric_of` filled in, where
    these are among them."""
    records = list(records)
    luts = {record["name"]: record["luts"] for record in records}

    def ratio(record: Record, other: Config) -> float | None:
        return round(record["luts"] / luts[other.name], 4) if other.name in luts else None

    return [
        record
        | {
            "ratio_to_mxfp4": ratio(record, baseline_of(config)),
            "ratio_to_symmetric": ratio(record, symmetric_of(config)),
        }
        for record in records
        for config in [config_of(record)]
    ]
