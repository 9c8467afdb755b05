"""A change of a file that decides a result is noticed, wherever it lies; a change of any other file is not."""

import shutil
from pathlib import Path

import pytest

from amxfp4.synth import sources, sweep


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package's sources."""
    copy = tmp_path_factory.mktemp("sources") / "amxfp4"
    shutil.copytree(sources.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def fingerprint(package: Path) -> str:
    return sweep.fingerprint.__wrapped__(package)


def flow_digest(package: Path) -> str:
    """As `measure` takes it into the keys of its cache."""
    return sources.digest_of(sources.imported("synth.flow", ["synth"], package), package)


def noticed(package: Path, file: str) -> tuple[bool, bool]:
    """Whether a changed file changes the sweep's fingerprint, and the digest of the flow."""
    before = fingerprint(package), flow_digest(package)
    path = package / file
    text = path.read_text()
    path.write_text(text + "# changed\n")
    after = fingerprint(package), flow_digest(package)
    path.write_text(text)
    assert (fingerprint(package), flow_digest(package)) == before
    return before[0] != after[0], before[1] != after[1]


def test_a_copy_is_the_same(package: Path) -> None:
    assert fingerprint(package) == sweep.fingerprint()


@pytest.mark.parametrize(
    "file",
    [
        "hw/chain.py",
        "hw/arith/compress.py",
        "hw/mac/unit.py",
        "hw/quantizer/encode.py",
        "golden/formats.py",
    ],
)
def test_the_hardware_decides_a_sweeps_results(package: Path, file: str) -> None:
    """Its Verilog is in the cache's key as it is, so the flow's digest needs none of its sources."""
    assert noticed(package, file) == (True, False)


@pytest.mark.parametrize("file", ["flow", "partition", "timing", "tool", "cells/liberty"])
def test_the_flow_decides_both(package: Path, file: str) -> None:
    assert noticed(package, f"synth/{file}.py") == (True, True)


@pytest.mark.parametrize(
    "file",
    [
        "synth/tables.py",
        "synth/area_tables.py",
        "synth/ratios.py",
        "synth/fpga.py",
        "synth/__init__.py",
        "golden/matmul.py",
    ],
)
def test_how_results_are_shown_and_compared_decides_nothing(package: Path, file: str) -> None:
    assert noticed(package, file) == (False, False)


def test_a_new_file_of_the_hardware_is_noticed(package: Path) -> None:
    before = fingerprint(package)
    new = package / "hw" / "mac" / "new.py"
    new.write_text("")
    assert fingerprint(package) != before
    new.unlink()


def test_imports_are_followed_as_python_does(tmp_path: Path) -> None:
    for name, text in {
        "synth/a.py": "from amxfp4.synth import b\nimport amxfp4.hw.d\nfrom amxfp4.errors import UsageError\n",
        "synth/b.py": "def late():\n    from amxfp4.synth.c import x\n",
        "synth/c.py": "import numpy\nfrom amxfp4.synth import a\n",
        "synth/unused.py": "",
        "synth/__init__.py": "from amxfp4.synth import unused\n",
        "hw/d.py": "from amxfp4.hw import name\n",
        "hw/__init__.py": "",
        "errors.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = sources.imported("synth.a", ["synth", "hw"], tmp_path)
    places = {str(file.relative_to(tmp_path)) for file in found}
    assert places == {"synth/a.py", "synth/b.py", "synth/c.py", "hw/d.py", "hw/__init__.py"}
