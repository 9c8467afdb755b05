"""Standard streams that are closed, full or of a narrow encoding, and surroundings that give a command no place."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AMXFP4 = f"'{sys.executable}' -m amxfp4.cli.main"
EXPLAIN = f"{AMXFP4} verilog --explain --lanes 1"


def run(folder: Path, command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs a line of shell."""
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
    )


def check_one_line(done: "subprocess.CompletedProcess[str]", says: str) -> None:
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_output_is_one_line(tmp_path: Path) -> None:
    check_one_line(run(tmp_path, f"{EXPLAIN} >/dev/full"), "cannot write to standard output: No space left on device")


def test_a_closed_output_is_one_line_before_any_work(tmp_path: Path) -> None:
    check_one_line(run(tmp_path, f"{AMXFP4} structures -o x.md >&-"), "standard output is closed")
    assert not list(tmp_path.iterdir())


def test_closed_streams_are_not_taken_by_files(tmp_path: Path) -> None:
    done = run(tmp_path, f"{EXPLAIN} -o x.v <&- 2>&-")
    assert done.returncode == 0
    assert (tmp_path / "x.v").read_text().startswith("/* verilator lint_save */")
    done = run(tmp_path, f"{AMXFP4} verilog --lanes 3 2>&-")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_narrow_encoding_breaks_nothing(tmp_path: Path) -> None:
    """Of what is printed a character may be lost; what is written is UTF-8."""
    begin = "from amxfp4.cli import main; import sys; main.prepare_streams()"
    printing = f"{begin}; print(chr(177)); print(chr(215), file=sys.stderr)"
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = run(tmp_path, f'{sys.executable} -c "{printing}"', **narrow)
    assert (done.stdout, done.stderr) == ("?\n", "?\n")
    writing = "from amxfp4.files import write_text; from pathlib import Path; write_text(Path('x'), chr(177))"
    done = run(tmp_path, f'{sys.executable} -c "{writing}"', **narrow)
    assert done.stderr == ""
    assert (tmp_path / "x").read_bytes() == "±".encode()


def test_a_cache_without_a_place_names_the_variable(tmp_path: Path) -> None:
    done = run(tmp_path, f"{AMXFP4} verilog --lanes 1 -o x.v", HOME="/dev/null/x", XDG_CACHE_HOME="/dev/null/x")
    check_one_line(done, "Not a directory; set XDG_CACHE_HOME to a writable folder")
    assert not list(tmp_path.iterdir())


def test_importing_writes_nothing(tmp_path: Path) -> None:
    """A checkout may be read-only."""
    watch = (
        "import sys\n"
        "def seen(event, given):\n"
        "    if event == 'open' and isinstance(given[2], int) and given[2] & 3 or event in ('os.mkdir', 'os.rename'):\n"
        "        print(event, given)\n"
        "sys.addaudithook(seen)\n"
        "import amxfp4\n"
        "amxfp4.quantize, amxfp4.matmul\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", watch], cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
