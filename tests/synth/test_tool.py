"""Tools as wheels: missing, failing, slow."""

import os
import re
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.tool import LOG, YOSYS, AbcError, Tool, ToolError, read_output


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


def fake(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> Tool:
    """A tool whose entry does what the body says."""
    module = folder / "fake_tool.py"
    module.write_text(f"import os, signal, sys\ndef run(arguments):\n    {body}\n    return 1\n")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    return Tool("pytest", "fake_tool:run", "dev", ("-l", LOG))


KNOWN = (
    "ERROR: Can't open ABC output file `/tmp/yosys-abc-000003/output.blif'.",
    "ERROR: ABC output file does not contain a module `netlist'.",
    'ERROR: ABC: execution of command "yosys-abc -s -f abc.script 2>&1" failed: return code 1.',
    'ERROR: ABC: execution of script "abc.script" failed: return code 1 (errno=0).',
    "ERROR: Assert `GetSize(conn.first) == GetSize(conn.second)' failed in /x/kernel/rtlil.cc:3091.",
)


@pytest.mark.parametrize("line", KNOWN)
def test_a_known_failure_of_abc(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = fake(monkeypatch, tmp_path, f"open({LOG!r}, 'w').write({'Executing ABC.' + chr(10) + line + chr(10)!r})")
    with pytest.raises(AbcError, match=rf"a test failed: {re.escape(line)}"):
        tool.run([], work=tmp_path, timeout=100, doing="a test")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGBUS)", "was killed by SIGBUS"),
        ("raise RuntimeError('wasm trap')", "crashed: RuntimeError: wasm trap"),
        ("sys.exit(130)", "ended with status 130 and gave no reason"),
        ("pass", "ended with status 1 and gave no reason"),
        (f"open({LOG!r}, 'w').write('ERROR: Can\\'t open input file `parts.json\\' for reading')", "parts.json"),
    ],
)
def test_another_failure_is_none_of_abcs(body: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the log has one, as of a tool that was killed later, or of an earlier run."""
    (tmp_path / LOG).write_text(KNOWN[0] + "\n")
    if body.startswith(("os.kill", "raise")):
        body = f"open({LOG!r}, 'w').write({KNOWN[0] + chr(10)!r}); {body}"
    tool = fake(monkeypatch, tmp_path, body)
    with pytest.raises(ToolError, match=says) as failed:
        tool.run([], work=tmp_path, timeout=100, doing="a test")
    assert not isinstance(failed.value, AbcError)


def test_abcs_failure_is_what_yosys_really_says(tmp_path: Path) -> None:
    (tmp_path / "in.v").write_text("module t(input a, b, output y); assign y = a & b; endmodule\n")
    (tmp_path / "bad.abc").write_text("strash\nno_such_command\n")
    script = "read_verilog in.v; techmap; abc -script bad.abc"
    with pytest.raises(AbcError):
        YOSYS.run(["-q", "-p", script], work=tmp_path, timeout=100, doing="a test")


def test_a_missing_output_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"'none.json' cannot be read: No such file"):
        read_output(tmp_path / "none.json")
