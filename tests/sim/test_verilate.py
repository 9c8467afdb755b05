"""Verilog to an executable: what is changed on the way, what is cached, what is said when it fails."""

import re
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.verilog import unit_verilog
from amxfp4.sim.verilate import BUILD, BuildError, build_harness, verilator, without_initial_values

CONFIG = MacConfig("MXFP4", "MXFP4", lanes=8)


def test_only_registers_lose_their_initial_values() -> None:
    verilog = """
      reg [3:0] count;
      initial count = 4'h3;
      reg \\sum[1] ;
      initial \\sum[1]  = 1'h0;
      reg comb = 0;
    """
    lines = [line.strip() for line in without_initial_values(verilog).splitlines()]
    assert lines == ["", "reg [3:0] count;", "reg \\sum[1] ;", "reg comb = 0;", ""]


def test_no_register_of_a_unit_keeps_one() -> None:
    verilog = unit_verilog(CONFIG)
    registers = set(re.findall(r"^ +(\S+) +<=", verilog, re.MULTILINE))
    declared = dict(re.findall(r"^ +reg (?:\[[^]]*\] )?(\S+?) *(=.*)?;", without_initial_values(verilog), re.MULTILINE))
    assert len(registers) > 10
    assert {declared[register] for register in registers} == {""}
    assert "initial" in verilog and "initial" not in without_initial_values(verilog)


def test_verilog_without_registers_is_refused() -> None:
    with pytest.raises(BuildError, match="no register"):
        without_initial_values("module empty; endmodule")


def test_a_build_is_used_again() -> None:
    verilog = unit_verilog(CONFIG)
    folder = build_harness(verilog, CONFIG.name)
    before = (folder / CONFIG.name).stat().st_mtime_ns
    assert build_harness(verilog, CONFIG.name) == folder
    assert (folder / CONFIG.name).stat().st_mtime_ns == before
    assert folder.parent == BUILD / "units"


def test_verilog_that_verilator_refuses_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="syntax error"):
        build_harness("module broken(", "broken", build=tmp_path)
    assert not [path for path in (tmp_path / "units").iterdir() if "broken" in path.name and path.is_dir()]


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match=r"g\+\+ was not found"):
        verilator.__wrapped__()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="builds need a writable folder"):
        build_harness(unit_verilog(CONFIG), CONFIG.name, build=tmp_path / "file")
