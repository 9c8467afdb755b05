"""docs/api.md has every public name with its signature; its examples are run by test_examples.py."""

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
ROOMS = ("golden", "hw", "sim", "synth", "formal", "accuracy", "report", "cli")


def sections() -> dict[str, str]:
    """The page's text by package: what follows a heading `## amxfp4.golden`."""
    parts = re.split(r"^## `(amxfp4[\w.]*)`.*$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows() -> list[tuple[str, str]]:
    return [(package, name) for package in sections() for name in importlib.import_module(package).__all__]


def signature(name: str, value: Any) -> str:
    """As the page has it: names, kinds and plain defaults; `...` stands for any other default."""
    shown = []
    starred = False
    for parameter in inspect.signature(value).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            shown.append("*")
            starred = True
        default = "" if parameter.default is parameter.empty else f"={_plain(parameter.default)}"
        shown.append(parameter.name + default)
    return f"{name}({', '.join(shown)})"


def _plain(default: object) -> str:
    if isinstance(default, str):
        return json.dumps(default)
    return repr(default) if default is None or isinstance(default, int | float | tuple) else "..."


def test_every_package_has_a_section() -> None:
    assert list(sections()) == ["amxfp4", *(f"amxfp4.{room}" for room in ROOMS)]


@pytest.mark.parametrize("package, name", rows())
def test_every_public_name_has_a_row(package: str, name: str) -> None:
    first_cells = re.findall(r"^\| `([^`]*)`", sections()[package], re.MULTILINE)
    cell = next((cell for cell in first_cells if re.split(r"[(:]", cell)[0] == name), None)
    assert cell is not None, f"docs/api.md has no row for {package}.{name}"
    value = getattr(importlib.import_module(package), name)
    # A class that functions give, and no user makes, stands without its parameters.
    if inspect.isfunction(value) or (inspect.isclass(value) and cell != name):
        assert cell == signature(name, value)


def test_no_row_is_stale() -> None:
    for package, text in sections().items():
        named = {re.split(r"[(:]", cell)[0] for cell in re.findall(r"^\| `([^`]*)`", text, re.MULTILINE)}
        assert named == set(importlib.import_module(package).__all__), package
