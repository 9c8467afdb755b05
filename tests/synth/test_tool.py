"""Tools as wheels: missing, failing, slow."""

from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.tool import YOSYS, Tool, ToolError


def test_it_runs_in_the_folder(tmp_path: Path) -> None:
    YOSYS.run(["-q", "-p", "tee -q -o out.txt log words"], work=tmp_path, timeout=100, doing="a test")
    assert "words" in (tmp_path / "out.txt").read_text()


def test_a_failure_ends_with_the_tools_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"a test failed: ERROR: No such command: nonsense"):
        YOSYS.run(["-q", "-p", "nonsense"], work=tmp_path, timeout=100, doing="a test")


def test_a_time_budget(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"a test took longer than its budget of 0.05 s"):
        YOSYS.run(["-q", "-p", "help"], work=tmp_path, timeout=0.05, doing="a test")


def test_a_missing_tool_names_the_extra(tmp_path: Path) -> None:
    tool = Tool("amxfp4-no-such-tool", "nothing:run", "fpga")
    with pytest.raises(UsageError, match=r"amxfp4-no-such-tool is not installed; install the extra amxfp4\[fpga\]"):
        tool.run([], work=tmp_path, timeout=1, doing="a test")
