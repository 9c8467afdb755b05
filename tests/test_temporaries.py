"""Temporary files beside a result: gone in the end, and known to whoever outlives a command that was killed."""

import os
from pathlib import Path

import pytest

from amxfp4.files import write_text
from amxfp4.temporaries import VARIABLE, remove_all, temporary_beside


def test_what_is_left_is_removed(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_beside(tmp_path / "x.json") as temporary:
        temporary.mkdir()
        (temporary / "file").touch()
        assert temporary.suffix == ".json" and temporary.name.startswith(".")
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())


def test_a_note_is_kept_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, results = tmp_path / "command", tmp_path / "results"
    command.mkdir()
    results.mkdir()
    monkeypatch.setenv(VARIABLE, str(command))
    monkeypatch.chdir(results)
    write_text(Path("whole"), "text")
    with temporary_beside(Path("x")) as temporary:
        temporary.write_text("half")
        (note,) = command.glob("beside/*")
        assert Path(os.readlink(note)) == results / temporary
        remove_all(command)  # as after a kill
        assert [path.name for path in results.iterdir()] == ["whole"]
    assert not command.exists()


def test_a_command_that_is_gone_notes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    write_text(tmp_path / "whole", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]
