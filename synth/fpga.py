"""What units cost in an FPGA: LUTs, carries, flip-flops and clock on a Lattice ECP5, after place and route.

A unit has more ports than the device has pins, and a path that ends at a pin says nothing about the unit. So each unit
is put between registers (`harness`): its inputs come from one shift register, and each bit of its outputs ends in a
register. Every path is then from register to register. The harness takes no LUT, and its flip-flops are not counted.

Multipliers are built from LUTs (`-nodsp`), so that one number holds all logic. Otherwise yosys and nextpnr do what they
do by default, for all units alike.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amaranth.lib import wiring

from amxfp4.golden.arguments import check_positive, integer_from
from amxfp4.hw.config import Config
from amxfp4.hw.units import described, unit_of
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth.cache import Result, cached, digest
from amxfp4.synth.record import Record
from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, AbcError, read_output

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
# ABC9, as built for WebAssembly, loses ports of a few netlists, so that yosys cannot take its result back. It does not
# on the same netlists once more optimised.
_SECOND_SYNTHESIS = _SYNTHESIS.replace("in.v; ", f"in.v; hierarchy -top {_TOP}; proc; flatten; opt -full -fine; ", 1)
_PLACE_AND_ROUTE = (
    "--25k --package CABGA381 "
    f"--speed {SPEED_GRADE} --freq {TARGET_MHZ} --timing-allow-fail --lpf-allow-unconstrained "
    "--json netlist.json --report report.json"
)


@dataclass(frozen=True)
class Streams:
    """How wide a unit's streams are.

    Attributes:
        inputs: Input stream -> bits of its payload.
        output: Bits of the payload of its output stream `o`.
    """

    inputs: Mapping[str, int]
    output: int

    @property
    def input_bits(self) -> int:
        """Bits that go into the unit: each input stream's payload and valid, and the output's ready."""
        return sum(bits + 1 for bits in self.inputs.values()) + 1

    @property
    def output_bits(self) -> int:
        """Bits that come out of the unit: the output's payload and valid, and each input stream's ready."""
        return self.output + 1 + len(self.inputs)


def streams_of(component: wiring.Component, config: Config) -> Streams:
    """How wide the streams of a unit are, which was built from this config."""
    widths = {name: getattr(component, name).payload.shape().size for name in (*unit_of(config).inputs, "o")}
    output = widths.pop("o")
    return Streams(widths, output)


def harness(name: str, streams: Streams) -> str:
    """Verilog of module `harness`, in which a unit stands between registers.

    Args:
        name: The unit's module.
        streams: Its streams. Bits of `i`, from bit 0: each input stream's payload and valid, then the output's ready.
            Bits of `o`: the output's payload and valid, then each input stream's ready.
    """
    ports = []
    place = 0
    for index, (stream, bits) in enumerate(streams.inputs.items()):
        ready = streams.output + 1 + index
        ports.append(
            f".{stream}__payload(i[{place + bits - 1}:{place}]), .{stream}__valid(i[{place + bits}]), "
            f".{stream}__ready(o[{ready}])"
        )
        place += bits + 1
    ports.append(f".o__payload(o[{streams.output - 1}:0]), .o__valid(o[{streams.output}]), .o__ready(i[{place}])")
    lines = ",\n    ".join([".clk(clk), .rst(reset)", *ports])
    return f"""
module {_TOP}(input clk, input rst, input data);
  reg reset;
  reg [{streams.input_bits - 1}:0] i;
  wire [{streams.output_bits - 1}:0] o;
  (* keep *) reg [{streams.output_bits - 1}:0] seen;
  always @(posedge clk) begin
    reset <= rst;
    i <= {{i[{streams.input_bits - 2}:0], data}};
    seen <= o;
  end
  {name} unit (
    {lines}
  );
endmodule
"""


def harness_flip_flops(streams: Streams) -> int:
    """Flip-flops of the harness itself: one for each bit of the unit's ports but the clock."""
    return 1 + streams.input_bits + streams.output_bits


def measure_fpga(config: Config, *, seed: int = SEED, timeout: float = 1800.0, cache: Path | None = CACHE) -> Record:
    """Places and routes one unit.

    Args:
        config: The unit.
        seed: Of the placement. The same seed gives the same result.
        timeout: Seconds for yosys and for nextpnr each. It is no part of the result.
        cache: Folder of finished runs, or None for neither reading nor writing any.

    Returns:
        What `described` says of the config, and:

        - `device`, `speed_grade`, `seed`.
        - `luts`: 4-input LUTs occupied after place and route, those in carry chains included. `carries`: two-bit carry
          cells (CCU2C), each of which occupies two LUTs. `flip_flops`: without the harness's.
        - `fmax_mhz`; `critical_path`: the cells that the longest path runs between.
        - `ratio_to_mxfp4`, `ratio_to_window`, `ratio_to_symmetric`, all of LUTs: None until `ratios.with_ratios`.
        - `seconds` that the run took; `cached`.

    Raises:
        UsageError: A seed that is none, a timeout that is not above 0, or a tool that is missing.
        ToolError: A tool failed or took too long. The text names the unit.
    """
    seed = integer_from(0, (1 << 31) - 1, "seed", seed)
    check_positive(timeout=timeout)
    component = unit_of(config).component(config)
    streams = streams_of(component, config)
    verilog = verilog_text(component, config.name) + harness(config.name, streams)
    versions = (YOSYS.version(), NEXTPNR_ECP5.version())
    key = digest((verilog, _SYNTHESIS, _PLACE_AND_ROUTE, str(seed), *versions))
    own = harness_flip_flops(streams)
    result, found = cached(cache, config.name, key, lambda: _run(verilog, config.name, own, seed, timeout))
    return {
        **described(config),
        "device": DEVICE,
        "speed_grade": SPEED_GRADE,
        "seed": seed,
        "ratio_to_mxfp4": None,
        "ratio_to_window": None,
        "ratio_to_symmetric": None,
        **result,
        "cached": found,
    }


def _synthesise(work: Path, name: str, timeout: float) -> None:
    doing = f"synthesis of {name!r}"
    try:
        YOSYS.run(["-q", "-p", _SYNTHESIS], work=work, timeout=timeout, doing=doing)
    except AbcError:
        YOSYS.run(["-q", "-p", _SECOND_SYNTHESIS], work=work, timeout=timeout, doing=doing)


def _run(verilog: str, name: str, own_flip_flops: int, seed: int, timeout: float) -> Result:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="amxfp4-fpga-") as folder:
        work = Path(folder)
        (work / "in.v").write_text(verilog, encoding="utf-8")
        _synthesise(work, name, timeout)
        arguments = [*_PLACE_AND_ROUTE.split(), "--seed", str(seed)]
        NEXTPNR_ECP5.run(arguments, work=work, timeout=timeout, doing=f"place and route of {name!r}")
        cells = json.loads(read_output(work / "stat.json"))["design"]["num_cells_by_type"]
        report = json.loads(read_output(work / "report.json"))
    (clock,) = report["fmax"]
    path = next(p for p in report["critical_paths"] if clock in p["from"] and clock in p["to"])["path"]
    return {
        "luts": report["utilization"]["TRELLIS_COMB"]["used"],
        "carries": cells.get("CCU2C", 0),
        "flip_flops": report["utilization"]["TRELLIS_FF"]["used"] - own_flip_flops,
        "fmax_mhz": round(report["fmax"][clock]["achieved"], 2),
        "critical_path": [_register(path[0]["from"]["cell"]), _register(path[-1]["to"]["cell"])],
        "seconds": round(time.monotonic() - started, 1),
    }


def _register(cell: str) -> str:
    """The register that a cell belongs to, without what the tools have put behind and before its name."""
    return re.sub(r"_TRELLIS_FF_Q.*|\$.*", "", cell).removeprefix("unit.")
