"""Verilog and manifests: the same bytes in every run, ports as the manifest says, clean lint, whole files or none."""

import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Fragment
from amaranth.lib import data, wiring
from helpers.gates import Gates

from amxfp4.errors import UsageError
from amxfp4.hw import verilog as generate
from amxfp4.hw.catalogue import standard
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.mac.unit import MacUnit
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import unit_of
from amxfp4.hw.verilog import LINT_WAIVERS, manifest, unit_verilog, verilog_text, write_unit
from amxfp4.sim.verilate import verilator

OTHERS = [
    MacConfig("MXFP4", "MXFP4"),
    MacConfig("AMXFP4-X2", "AMXFP4-X2"),
    MacConfig("AMXFP4", "AMXFP4"),
    MacConfig("AMXFP4", "AMXFP4", accumulator="fp32"),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=4),
    MacConfig("MXFP4-E4M3", "AMXFP4", lanes=4, block_size=8),
]
MACS = [c for c in standard("mac") if isinstance(c, MacConfig) and c.lanes == 1] + OTHERS
QUANTIZERS = [c for c in standard("quantizer") if isinstance(c, QuantizerConfig) and c.lanes == 1] + [
    QuantizerConfig("AMXFP4", lanes=8),
    QuantizerConfig("MXFP4", lanes=8, block_size=8, input="float32", rounding="nearest-even"),
    QuantizerConfig("AMXFP4-X2", lanes=2, input="float32"),
]
CHAINS = [ChainConfig(MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=1))]
QUICK: list[Config] = [*MACS, *QUANTIZERS, *CHAINS]


def named(config: Config) -> str:
    return config.name


@cache
def built(config: Config) -> tuple[str, dict[str, Any]]:
    """Verilog and manifest."""
    component = unit_of(config).component(config)
    return verilog_text(component, config.name), manifest(component, config)


def text_of(config: Config) -> str:
    return built(config)[0]


# -- the same bytes --------------------------------------------------------------------------------------------------

DIGEST = """
import hashlib
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.verilog import unit_verilog
from amxfp4.hw.quantizer.config import QuantizerConfig
for config in (MacConfig("MXFP4", "MXFP4", lanes=1), MacConfig(lanes=1), QuantizerConfig("MXFP4", lanes=1)):
    print(hashlib.sha256(unit_verilog(config).encode()).hexdigest())
"""


def test_two_conversions_are_identical() -> None:
    for config in (MACS[0], MacConfig("AMXFP4", "AMXFP4", lanes=8), QUANTIZERS[0]):
        assert unit_verilog(config) == text_of(config)


def test_other_processes_write_the_same() -> None:
    """Also with another order of sets and dictionaries' hashes."""
    here = [
        hashlib.sha256(text_of(config).encode()).hexdigest()
        for config in (MacConfig("MXFP4", "MXFP4", lanes=1), MacConfig(lanes=1), QuantizerConfig("MXFP4", lanes=1))
    ]
    for seed in ("1", "77"):
        run = subprocess.run(
            [sys.executable, "-c", DIGEST], capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        assert run.stdout.split() == here, run.stderr


def test_no_place_or_time_is_written() -> None:
    """Neither where the sources lie nor when it was made."""
    text = text_of(MACS[0])
    assert str(Path(generate.__file__).parent) not in text
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b|\bsrc\b", text)


# -- the manifest ----------------------------------------------------------------------------------------------------


def ports_of(text: str, top: str) -> dict[str, tuple[str, int]]:
    """Direction and width of each port of the top module, as the Verilog declares them."""
    body = re.search(rf"^module {top}\((.*?)\);(.*?)^endmodule", text, re.MULTILINE | re.DOTALL)
    assert body is not None
    declared = re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", body[2], re.MULTILINE)
    assert sorted(name for _, _, name in declared) == sorted(re.findall(r"\w+", body[1]))
    return {name: (direction, int(top_bit or 0) + 1) for direction, top_bit, name in declared}


def payloads(config: Config) -> dict[str, data.StructLayout]:
    """Each stream's layout, as the config has it."""
    if isinstance(config, ChainConfig):
        return {"a": config.quantizer.beat_layout, "w": config.weight_layout, "o": config.mac.result_layout}
    if isinstance(config, MacConfig):
        return {"i": config.beat_layout, "o": config.result_layout}
    assert isinstance(config, QuantizerConfig)
    return {"i": config.beat_layout, "o": config.output_layout}


@pytest.mark.parametrize("config", QUICK, ids=named)
def test_manifest_and_verilog_agree(config: Config) -> None:
    document = built(config)[1]
    ports = {name: (port["direction"], port["width"]) for name, port in document["ports"].items()}
    assert ports == ports_of(text_of(config), config.name)
    for stream, layout in payloads(config).items():
        port = document["ports"][f"{stream}__payload"]
        end = 0
        for field in port["fields"]:
            assert field["offset"] == end, "fields follow each other without gaps"
            end += field["width"]
            assert (layout[field["name"]].offset, layout[field["name"]].width) == (field["offset"], field["width"])
            assert field.get("count", 1) * field.get("element_width", field["width"]) == field["width"]
        assert end == port["width"]
    streams = {name.removesuffix("__payload"): p["direction"] for name, p in document["ports"].items() if "fields" in p}
    assert streams == dict.fromkeys(unit_of(config).inputs, "input") | {"o": "output"}
    assert document["top"] == config.name
    assert document["latency"]["cycles"] == config.latency
    assert unit_of(config).configure(document["config"]) == config


@pytest.mark.parametrize("config", MACS, ids=named)
def test_the_manifest_of_a_mac(config: MacConfig) -> None:
    document = built(config)[1]
    assert document["unit"] == "MacUnit"
    assert document["throughput"] == {
        "beats_per_cycle": 1,
        "macs_per_cycle": config.lanes,
        "beats_per_block": config.block_size // config.lanes,
    }
    if config.fixed_point:
        assert document["accumulator"]["bits"] == config.accumulator_bits
    else:
        assert "accumulator" not in document


@pytest.mark.parametrize("config", QUANTIZERS, ids=named)
def test_the_manifest_of_a_quantizer(config: QuantizerConfig) -> None:
    document = built(config)[1]
    assert document["unit"] == "Quantizer"
    assert document["throughput"] == {
        "beats_per_cycle": 1,
        "elements_per_cycle": config.lanes,
        "beats_per_block": config.block_size // config.lanes,
    }
    assert "accumulator" not in document


def fields(config: MacConfig) -> dict[str, tuple[int, int]]:
    document = built(config)[1]
    return {f["name"]: (f["offset"], f["width"]) for f in document["ports"]["i__payload"]["fields"]}


def test_a_beat_bit_by_bit() -> None:
    """The port of three units, written out: nothing of another format is there."""
    assert fields(MacConfig("MXFP4", "MXFP4", lanes=8)) == {
        "a_codes": (0, 32),
        "w_codes": (32, 32),
        "a_scales": (64, 8),
        "w_scales": (72, 8),
        "last": (80, 1),
    }
    assert fields(MacConfig("AMXFP4", "MXFP4-E5M2", lanes=1)) == {
        "a_codes": (0, 4),
        "w_codes": (4, 4),
        "a_scales": (8, 14),
        "w_scales": (22, 7),
        "last": (29, 1),
    }
    assert fields(MacConfig("AMXFP4-X2", "AMXFP4-E4M3", lanes=2)) == {
        "a_codes": (0, 8),
        "w_codes": (8, 8),
        "a_scales": (16, 8),
        "a_halved": (24, 2),
        "w_scales": (26, 14),
        "last": (40, 1),
    }


# -- no dead logic ---------------------------------------------------------------------------------------------------


def test_flip_flops_of_the_baseline() -> None:
    """MXFP4 x MXFP4 with 8 lanes has just the registers that it needs: none of an FP8 scale's significand, of a second
    scale or sum, or of turns."""
    beats_left = 2 + 1  # of 4 beats a block, and whether the next is the first
    scales = 9 + 1  # sum of two exponents, NaN
    # Signed sum of 8 products with its offset of 256 a lane, at most 3200, in three rows, of which synthesis drops the
    # places that no bit is left for; valid, first, ends, last.
    beat = 3 * 12 + 4
    block = 14 + 3  # signed sum of 32 products with its offset; done, its last, begin
    scale_product = 9 + 1  # sum of two exponents, NaN; a significand would be a constant
    term = 13 + 1 + 10 + 1 + 3  # 144 x 32 normalised, sign, signed exponent, NaN; valid, first, last
    addition = 29 + 10 + 4 + 1  # raw sum, exponent; sign, old sign, infinite, NaN; taken
    result = 32 + 1 + 1 + 2  # float32, NaN, infinite; valid after each stage
    expected = beats_left + scales + beat + block + scale_product + term + addition + result
    assert Gates(MacUnit(MacConfig("MXFP4", "MXFP4", lanes=8))).flip_flops == expected


def test_flip_flops_of_amxfp4() -> None:
    beats_left = 2 + 1
    scales = 2 * (14 + 14)  # a block's, and for the tail those of the block before
    beat = 4 * 2 * 11 + 4  # four sums of 8 products of one sign, at most 1152, in two rows; valid, first, ends, last
    # Four sums of 32 products, two of which are kept with an offset as their negative; three wait for their turn.
    block = 2 * 13 + 2 * 14 + (14 + 14 + 13) + 3
    turns = 3  # after the first
    term = 19 + 6 + 1 + 4  # 144 x 32 x 49 and sign, sum of two exponents, NaN; valid, first, ends, last
    accumulator = 97 + 3  # 96 bits and one for sums within a block; NaN, overflowed, whole
    # Sign, 24 bits and guard of the result with what the last four stages of the shift may bring in; sticky; the shift
    # so far; NaN, overflow.
    rounder = (1 + 24 + 1 + 15) + 1 + 3 + 2
    result = 34 + 3  # and complete, rounding, valid
    expected = beats_left + scales + beat + block + turns + term + accumulator + rounder + result
    assert Gates(MacUnit(MacConfig("AMXFP4", "AMXFP4", lanes=8))).flip_flops == expected


# -- lint ------------------------------------------------------------------------------------------------------------


def lint(text: str, folder: Path, name: str) -> str:
    path = folder / f"{name}.v"
    path.write_text(text)
    run = subprocess.run(
        [verilator().binary, "--lint-only", "-Wall", path],
        capture_output=True,
        text=True,
        env=os.environ | {"VERILATOR_ROOT": str(verilator().root)},
    )
    assert (run.returncode == 0) == (not run.stderr)
    return run.stderr


@pytest.mark.parametrize("config", QUICK, ids=named)
def test_lint_finds_nothing(config: Config, tmp_path: Path) -> None:
    assert lint(text_of(config), tmp_path, config.name) == ""


@pytest.mark.full
@pytest.mark.parametrize("config", [c for c in standard() if c not in QUICK], ids=named)
def test_lint_finds_nothing_in_the_others(config: Config, tmp_path: Path) -> None:
    assert lint(text_of(config), tmp_path, config.name) == ""


@pytest.mark.parametrize("rule", LINT_WAIVERS)
def test_lint_waives_only_what_is_needed(rule: str, tmp_path: Path) -> None:
    """Each waiver is needed by a unit, and has a reason beside it."""
    config = QUANTIZERS[0] if rule == "CASEINCOMPLETE" else MACS[0]
    line = f"/* verilator lint_off {rule} */ // {LINT_WAIVERS[rule]}\n"
    assert line in text_of(config)
    assert rule in lint(text_of(config).replace(line, ""), tmp_path, config.name)


def test_lint_sees_everything_else(tmp_path: Path) -> None:
    """Waivers end with the file, and leave other warnings alone: a case without a value before it is a latch."""
    text = text_of(MACS[0])
    driven = re.search(r"^  assign i__ready = .*\n", text, re.MULTILINE)
    assert driven is not None
    assert "UNDRIVEN" in lint(text.replace(driven[0], ""), tmp_path, MACS[0].name)
    own = "module another(input [3:0] a, output [1:0] b); assign b = a; endmodule\n"
    assert "WIDTHTRUNC" in lint(text + own, tmp_path, MACS[0].name)
    latch = "module latch(input a, output reg b);\n  always @* casez (a)\n    1'h1: b = a;\n  endcase\nendmodule\n"
    last = text.rindex("/* verilator lint_restore */")
    assert "LATCH" in lint(text[:last] + latch + text[last:], tmp_path, MACS[0].name)


def test_registers_keep_their_initial_values() -> None:
    """Each register has one, in an `initial` statement of its own."""
    text = text_of(MACS[0])
    modules = re.findall(r"^module .*?^endmodule", text, re.MULTILINE | re.DOTALL)
    count = 0
    for module in modules:
        registers = set(re.findall(r"^ +(\S+) +<= ", module, re.MULTILINE))
        assert registers == set(re.findall(r"^  initial (\S+) += \d+'[hdb]", module, re.MULTILINE))
        count += len(registers)
    assert count > 20


# -- files -----------------------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    config = MACS[0]
    verilog, beside = write_unit(config, tmp_path / "new" / "unit.v")
    assert sorted(path.name for path in verilog.parent.iterdir()) == ["unit.json", "unit.v"]
    assert verilog.read_text() == text_of(config)
    assert json.loads(beside.read_text()) == built(config)[1] | {"verilog": "unit.v"}


def test_nothing_is_left_by_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither when the conversion fails nor when the manifest cannot be written; and old files stay."""

    def fails(component: wiring.Component, **options: object) -> str:
        Fragment.get(component, None)  # elaborated, or Amaranth complains
        raise RuntimeError("no Verilog")

    old = tmp_path / "unit.v"
    old.write_text("old")
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="no Verilog"):
        patch.setattr(generate.verilog, "convert", fails)
        write_unit(MACS[0], old)
    assert [path.name for path in tmp_path.iterdir()] == ["unit.v"]
    assert old.read_text() == "old"


def test_a_manifest_that_cannot_be_written_leaves_no_verilog(tmp_path: Path) -> None:
    (tmp_path / "unit.json").mkdir()
    with pytest.raises(UsageError, match=r"unit\.json"):
        write_unit(MACS[0], tmp_path / "unit.v")
    assert [path.name for path in tmp_path.iterdir()] == ["unit.json"]
