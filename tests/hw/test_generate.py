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
from amaranth.lib import wiring
from gates import Gates

from amxfp4.errors import UsageError
from amxfp4.hw import generate
from amxfp4.hw.config import MacConfig
from amxfp4.hw.generate import LINT_WAIVERS, mac_manifest, standard_configs, verilog_text, write_mac
from amxfp4.hw.mac import MacUnit
from amxfp4.sim.verilate import verilator

OTHERS = [
    MacConfig("AMXFP4-X2", "AMXFP4-X2"),
    MacConfig("AMXFP4-E8M0", "AMXFP4-E8M0", lanes=4),
    MacConfig("MXFP4-E4M3", "AMXFP4", lanes=4, block_size=8),
]
STANDARD = standard_configs()
QUICK = [c for c in STANDARD if c.lanes == 1 or (c.lanes == 8 and c.activation == c.weight)] + OTHERS


def named(config: MacConfig) -> str:
    return config.name


@cache
def built(config: MacConfig) -> tuple[str, dict[str, Any]]:
    """Verilog and manifest."""
    unit = MacUnit(config)
    return verilog_text(unit, config.name), mac_manifest(unit)


def text_of(config: MacConfig) -> str:
    return built(config)[0]


def test_what_is_written_by_default() -> None:
    """Baseline, symmetric, half and fully asymmetric units at 1, 8 and 32 lanes, with every accumulator there is."""
    configs = standard_configs()
    assert {c.lanes for c in configs} == {1, 8, 32}
    found = {(c.activation, c.weight, c.lanes, c.accumulator) for c in configs}
    assert len(found) == len(configs)
    for lanes in (1, 8, 32):
        assert ("MXFP4", "MXFP4", lanes, "fp32") in found
        assert ("AMXFP4-E5M2", "AMXFP4-E5M2", lanes, "exact") in found
    assert ("AMXFP4-E5M2", "AMXFP4-E5M2", 8, "fp32") in found
    assert ("AMXFP4-E5M2", "AMXFP4-E5M2", 32, "fp32") not in found, "four terms a block, one cycle"


# -- the same bytes --------------------------------------------------------------------------------------------------

DIGEST = """
import hashlib
from amxfp4.hw.config import MacConfig
from amxfp4.hw.generate import verilog_text
from amxfp4.hw.mac import MacUnit
for formats in (("MXFP4", "MXFP4"), ("AMXFP4", "AMXFP4")):
    config = MacConfig(*formats, lanes=1)
    print(hashlib.sha256(verilog_text(MacUnit(config), config.name).encode()).hexdigest())
"""


def test_two_conversions_are_identical() -> None:
    for config in (QUICK[0], MacConfig("AMXFP4", "AMXFP4", lanes=8)):
        assert verilog_text(MacUnit(config), config.name) == text_of(config)


def test_other_processes_write_the_same() -> None:
    """Also with another order of sets and dictionaries' hashes."""
    here = [
        hashlib.sha256(text_of(MacConfig(*formats, lanes=1)).encode()).hexdigest()
        for formats in (("MXFP4", "MXFP4"), ("AMXFP4", "AMXFP4"))
    ]
    for seed in ("1", "77"):
        run = subprocess.run(
            [sys.executable, "-c", DIGEST], capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": seed}
        )
        assert run.stdout.split() == here, run.stderr


def test_no_place_or_time_is_written() -> None:
    """Neither where the sources lie nor when it was made."""
    text = text_of(QUICK[0])
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


@pytest.mark.parametrize("config", QUICK, ids=named)
def test_manifest_and_verilog_agree(config: MacConfig) -> None:
    document = built(config)[1]
    ports = {name: (port["direction"], port["width"]) for name, port in document["ports"].items()}
    assert ports == ports_of(text_of(config), config.name)
    for name, layout in (("i__payload", config.beat_layout), ("o__payload", config.result_layout)):
        end = 0
        for field in document["ports"][name]["fields"]:
            assert field["offset"] == end, "fields follow each other without gaps"
            end += field["width"]
            assert (layout[field["name"]].offset, layout[field["name"]].width) == (field["offset"], field["width"])
            assert field.get("count", 1) * field.get("element_width", field["width"]) == field["width"]
        assert end == document["ports"][name]["width"]
    assert document["top"] == config.name
    assert document["latency"]["cycles"] == config.latency
    assert document["throughput"] == {
        "beats_per_cycle": 1,
        "macs_per_cycle": config.lanes,
        "beats_per_block": config.block_size // config.lanes,
    }
    assert MacConfig(**document["config"]) == config
    if config.exact:
        assert document["accumulator"]["bits"] == config.accumulator_bits
    else:
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
    beats_left = 2  # of 4 beats a block
    scales = 8 + 8
    beat = 12 + 4  # signed sum of 8 products with its offset of 256 a lane: at most 3200; valid, first, ends, last
    block = 14 + 3  # signed sum of 32 products with its offset; done, its last, begin
    scale_product = 9 + 1  # sum of two exponents, NaN; a significand would be a constant
    term = 13 + 1 + 10 + 1 + 3  # 144 x 32 normalised, sign, signed exponent, NaN; valid, first, last
    addition = 29 + 10 + 4 + 1  # raw sum, exponent; sign, old sign, infinite, NaN; taken
    result = 32 + 1 + 1 + 2  # float32, NaN, infinite; valid after each stage
    expected = beats_left + scales + beat + block + scale_product + term + addition + result
    assert Gates(MacUnit(MacConfig("MXFP4", "MXFP4", lanes=8))).flip_flops == expected


def test_flip_flops_of_amxfp4() -> None:
    beats_left = 2
    scales = 2 * (14 + 14)  # a block's, and for the tail those of the block before
    beat = 4 * 11 + 4  # four sums of 8 products of one sign, at most 1152; valid, first, ends, last
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
def test_lint_finds_nothing(config: MacConfig, tmp_path: Path) -> None:
    assert lint(text_of(config), tmp_path, config.name) == ""


@pytest.mark.full
@pytest.mark.parametrize("config", [c for c in STANDARD if c not in QUICK], ids=named)
def test_lint_finds_nothing_in_the_others(config: MacConfig, tmp_path: Path) -> None:
    assert lint(text_of(config), tmp_path, config.name) == ""


def test_lint_waives_only_what_is_explained(tmp_path: Path) -> None:
    """Each waiver is needed, has a reason beside it, ends with the file, and leaves other warnings alone."""
    text = text_of(QUICK[0])
    for rule, reason in LINT_WAIVERS.items():
        line = f"/* verilator lint_off {rule} */ // {reason}\n"
        assert line in text
        assert rule in lint(text.replace(line, ""), tmp_path, QUICK[0].name)
    driven = re.search(r"^  assign i__ready = .*\n", text, re.MULTILINE)
    assert driven is not None
    assert "UNDRIVEN" in lint(text.replace(driven[0], ""), tmp_path, QUICK[0].name)
    own = "module another(input [3:0] a, output [1:0] b); assign b = a; endmodule\n"
    assert "WIDTHTRUNC" in lint(text + own, tmp_path, QUICK[0].name)


def test_registers_keep_their_initial_values() -> None:
    """Each register has one, in an `initial` statement of its own."""
    text = text_of(QUICK[0])
    modules = re.findall(r"^module .*?^endmodule", text, re.MULTILINE | re.DOTALL)
    count = 0
    for module in modules:
        registers = set(re.findall(r"^ +(\S+) +<= ", module, re.MULTILINE))
        assert registers == set(re.findall(r"^  initial (\S+) += \d+'[hdb]", module, re.MULTILINE))
        count += len(registers)
    assert count > 20


# -- files -----------------------------------------------------------------------------------------------------------


def test_files(tmp_path: Path) -> None:
    config = QUICK[0]
    verilog, beside = write_mac(config, tmp_path / "new" / "unit.v")
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
        write_mac(QUICK[0], old)
    assert [path.name for path in tmp_path.iterdir()] == ["unit.v"]
    assert old.read_text() == "old"


def test_a_manifest_that_cannot_be_written_leaves_no_verilog(tmp_path: Path) -> None:
    (tmp_path / "unit.json").mkdir()
    with pytest.raises(UsageError, match=r"unit\.json"):
        write_mac(QUICK[0], tmp_path / "unit.v")
    assert [path.name for path in tmp_path.iterdir()] == ["unit.json"]
