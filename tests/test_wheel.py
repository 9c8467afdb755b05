"""The wheel: built from the checkout, installed elsewhere, used from there."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

SCRIPT = """
import importlib.util, json, pathlib
import numpy as np
import amxfp4
from amxfp4 import golden
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.verilog import write_unit

def blocks(seed):
    return golden.quantize(np.random.default_rng(seed).standard_normal((4, 64), dtype=np.float32), "AMXFP4")

a, w = blocks(1), blocks(2)
result = golden.matmul(a, w)
verilog, manifest = write_unit(MacConfig(lanes=2), pathlib.Path("unit.v"))
print(json.dumps({
    "where": amxfp4.__file__,
    "result": list(result.shape),
    "top": json.loads(manifest.read_text())["top"],
    "strays": [name for name in ("hw", "golden", "sim", "cli", "accuracy") if importlib.util.find_spec(name)],
    "data": [p.name for p in pathlib.Path(amxfp4.__file__).parent.rglob("*.lib")],
}))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A clean virtual environment with the wheel in it, and an empty folder to work in."""
    folder = tmp_path_factory.mktemp("wheel")
    # Without isolation: the build's requirements are in the lock already, and no network is asked.
    # From a copy, so that nothing an earlier build left in the checkout finds its way into the wheel.
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "tests"))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    (wheel,) = folder.glob("amxfp4-*.whl")
    home = folder / "env"
    # The locked dependencies are borrowed from this environment; the project itself is not: see `strays` and `where`.
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    site = next((home / "lib").glob("python*/site-packages"))
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    borrowed = Path(pytest.__file__).resolve().parents[1]
    (folder / "borrowed").mkdir()
    for entry in borrowed.iterdir():
        if "amxfp4" not in entry.name and entry.suffix != ".pth":
            (folder / "borrowed" / entry.name).symlink_to(entry)
    (site / "borrowed.pth").write_text(f"{folder / 'borrowed'}\n")
    work = folder / "work"
    work.mkdir()
    return python, work


def run(python: Path, work: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PYTEST"))}
    return subprocess.run([str(python), *arguments], cwd=work, capture_output=True, text=True, env=plain)


def test_the_wheel_works_outside_the_checkout(environment: tuple[Path, Path]) -> None:
    done = run(*environment, "-c", SCRIPT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert str(ROOT) not in found["where"]
    assert found["result"] == [4, 4]
    assert found["top"] == "mac_amxfp4e5m2_x_amxfp4e5m2_l2_exact"
    assert found["strays"] == []
    assert found["data"] == ["generic.lib"]


def test_the_installed_command_line_works(environment: tuple[Path, Path]) -> None:
    done = run(*environment, "-m", "amxfp4.cli.main", "verilog", "--lanes", "1", "-o", "one.v")
    assert done.returncode == 0, done.stderr
    assert (environment[1] / "one.v").is_file()
    refused = run(*environment, "-m", "amxfp4.cli.main", "verilog", "--lanes", "3", "-o", "three.v")
    assert refused.returncode == 2
    assert refused.stderr == "error: lanes is 3; allowed are 1, 2, 4, 8, 16, 32\n"
    assert not (environment[1] / "three.v").exists()
