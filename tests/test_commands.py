"""Every command in a page, docstring, comment or message can be given as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.command_sandbox import GATES, NOT_OURS, Sandbox, every_option, outside_make
from helpers.documented import (
    ROOT,
    Snippet,
    bare_commands,
    comment_commands,
    options_named,
    page_snippets,
    source_snippets,
    variables_named,
)

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOLDERS = ("accuracy", "cli", "formal", "golden", "hw", "report", "sim", "src", "synth", "tests")

FOREIGN_OPTIONS = {"--x-initial": "Verilator's"}

VARIABLES = {"LIBERTY", "JOBS", "WAVES"}
"""Those of make and of `amxfp4 benches`."""

IN_FULL = (
    ("-m", "amxfp4.sim.mutants", "--only", "nan"),
    ("-m", "amxfp4.cli.main", "benches", "--unit", "mac", "--lanes", "8", "--test", "ties"),
    ("-m", "amxfp4.cli.main", "formal", "stream", "scale"),
    ("-m", "amxfp4.cli.main", "layer", "--quantize-in-hardware"),
    ("-m", "amxfp4.cli.main", "verilog", "--standard"),
)
"""Commands of the pages that the full run runs to their end. What else has a gate takes longer, or is measured by a
test of its own."""


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    return Sandbox(tmp_path, monkeypatch)


def give(sandbox: Sandbox, snippets: list[Snippet]) -> None:
    """Gives all commands, each once, and names those that fail."""
    faults = []
    for snippet in dict.fromkeys(snippets):
        try:
            called = sandbox.give(snippet.text)
            assert called, "calls nothing"
        except AssertionError as error:
            faults.append(f"{snippet.where}: {snippet.text!r}: {str(error).splitlines()[0]}")
    assert not faults, "\n".join(faults)


def sources(folder: str) -> list[Path]:
    """Python files, but this one, which has broken commands."""
    return sorted(path for path in (ROOT / folder).rglob("*.py") if path != Path(__file__))


def test_commands_are_found() -> None:
    """One of each kind: of a block, behind a prompt, indented, in backquotes, listed, in a comment, in a message."""
    pages = {page.name: "\n".join(snippet.text for snippet in page_snippets(page)) for page in PAGES}
    assert "make test   # everything" in pages["README.md"]
    assert "\namxfp4 sweep --scheduler tcp" in pages["sweeps.md"]
    assert "\nWAVES=1 amxfp4 benches" in f"\n{pages['verification.md']}"
    assert "\namxfp4 formal stream scale\n" in pages["verification.md"]
    listed = {snippet.text for path in sources("cli") for snippet in source_snippets(path)}
    assert {"amxfp4 benches --matrix full", "amxfp4 --help", "make area LIBERTY=osu018"} <= listed
    assert "make docs" in comment_commands((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page(page: Path, sandbox: Sandbox) -> None:
    give(sandbox, page_snippets(page))


@pytest.mark.parametrize("folder", FOLDERS)
def test_commands_of_a_folder(folder: str, sandbox: Sandbox) -> None:
    give(sandbox, [snippet for path in sources(folder) for snippet in source_snippets(path)])


@pytest.mark.parametrize("name", ("Makefile", "pyproject.toml"))
def test_commands_of_comments(name: str, sandbox: Sandbox) -> None:
    give(sandbox, [Snippet(name, text) for text in comment_commands((ROOT / name).read_text())])


def test_rules_of_make(sandbox: Sandbox) -> None:
    """Also those that no page names; `make help` has a line for each."""
    makefile = (ROOT / "Makefile").read_text()
    targets = [line.split()[1] for line in makefile.splitlines() if line.startswith(".PHONY:")]
    give(sandbox, [Snippet("Makefile", f"make {target}") for target in targets])
    shown = subprocess.run(
        ["make", "help"], cwd=sandbox.folder, env=outside_make(), capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[0] for line in shown.splitlines()] == [target for target in targets if target != "types"]


@pytest.mark.parametrize("where", [*PAGES, *FOLDERS[:-1]], ids=lambda where: getattr(where, "name", where))
def test_no_command_hides_in_prose(where: Path | str) -> None:
    """Without backquotes it would not be found above. Strings of tests are what messages are compared with."""
    paths = sources(where) if isinstance(where, str) else [where]
    assert {str(path): bare for path in paths if (bare := bare_commands(path))} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_and_variables_of_a_page(page: Path) -> None:
    assert set(options_named(page)) <= every_option() | set(FOREIGN_OPTIONS)
    assert set(variables_named(page)) <= VARIABLES


@pytest.mark.parametrize(
    "text, says",
    (
        ("amxfp4 verilogue", "no command 'verilogue'"),
        ("amxfp4 verilog --lane 8", "No such option"),
        ("amxfp4 verilog --lanes 7", "lanes is 7"),
        ("amxfp4 area --liberty other.lib", "does not exist"),
        ("amxfp4 mutants --only nonsense", "no mutant"),
        ("python -m amxfp4.sim.mutants --only nonsense", "no mutant"),
        ("amxfp4 formal nonsense", "no proof's name contains 'nonsense'"),
        ("amxfp4 benches --unit mac --lanes 8 --test nonsense", "no test 'nonsense'"),
        ("amxfp4 accuracy y.npy", "y.npy"),
        ("amxfp4 layer --activations x.npy --weights w.npz:layer1", "layer1"),
        ("python -m amxfp4.sim.mutant", "no module amxfp4.sim.mutant"),
        ("python tests/hw/digests.py", "tests/hw/digests.py"),
        ("python tests/hw/verilog_digests.py --some", "unrecognized arguments: --some"),
        ("python -m amxfp4.synth.tables build/area/area.md docs/results.md 'area other'", "has no lines"),
        ("make areas", "No rule to make target"),
        ("make area LIBRARIES=file.lib", "no variable LIBRARIES=file.lib"),
        ("make area LIBERTY=other.lib", "does not exist"),
        ("pytest tests/hw/arith/test_rounding.py", "no tests in tests/hw/arith/test_rounding.py"),
        ("cp build/report/nonsense.svg docs", "are not all there"),
        ("amxfp4 verilog | nonsense", "the shell says"),
        ("uvx ruff", "the shell says"),
    ),
)
def test_a_wrong_command_is_refused(text: str, says: str, sandbox: Sandbox) -> None:
    with pytest.raises((AssertionError, FileNotFoundError)) as refused:
        sandbox.give(text)
    assert says in str(refused.value)


def test_what_is_not_run_has_a_reason() -> None:
    assert all(NOT_OURS.values())
    assert all(reason for _, _, reason in GATES.values())


def test_the_full_run_s_commands(sandbox: Sandbox) -> None:
    give(sandbox, [Snippet("IN_FULL", f"python {' '.join(words)}") for words in IN_FULL])


@pytest.mark.full
def test_make_docs(sandbox: Sandbox) -> None:
    """The line of the rule, with this interpreter in place of the sandbox's."""
    (line,) = sandbox.recipes(sandbox.split("make docs")[0]).splitlines()
    line = line.replace(".venv/bin/python", sys.executable)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(line, shell=True, cwd=sandbox.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (sandbox.folder / "build" / "docs" / "amxfp4" / "golden.html").is_file()


@pytest.mark.full
@pytest.mark.parametrize("words", IN_FULL, ids=" ".join)
def test_to_the_end(words: tuple[str, ...], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
