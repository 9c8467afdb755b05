"""Every path that docs/contributing.md names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "contributing.md"


def paths() -> list[str]:
    """Files and folders in backquotes: what has a slash and neither a blank nor a place for a name (`<unit>`)."""
    named = re.findall(r"`([^`\s]+)`", PAGE.read_text())
    return sorted({word for word in named if "/" in word and "<" not in word and not word.startswith("build/")})


@pytest.mark.parametrize("path", paths())
def test_a_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_paths_are_found() -> None:
    assert {"golden/formats.py", "hw/units.py", "sim/mutants/faults/", "docs/tried.md"} <= set(paths())
    assert len(paths()) > 40
