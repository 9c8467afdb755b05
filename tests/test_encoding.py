"""Text is UTF-8 whatever the locale is: no file is opened, and no tool's output read, in the locale's encoding."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import amxfp4

ROOT = Path(amxfp4.__file__).parent
NOT_OF_TEXT = {"os", "archive"}
"""What has an `open` that gives bytes."""


def sources(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from sources(path)
        elif path.suffix == ".py":
            yield path


def in_the_locales_encoding(source: str) -> list[int]:
    """Lines of calls that would read or write text in it."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and _is_one(node)]


def _is_one(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in given or None in given:
        return False
    if "text" in given or "universal_newlines" in given:
        return True
    function = call.func
    if isinstance(function, ast.Attribute):
        if function.attr in ("read_text", "write_text"):
            return True
        if function.attr != "open" or ast.unparse(function.value) in NOT_OF_TEXT:
            return False
        modes = call.args[:1]
    else:
        if not isinstance(function, ast.Name) or function.id != "open":
            return False
        modes = call.args[1:2]
    modes += [given["mode"]] if "mode" in given else []
    return not any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in modes)


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_has_its_encoding(path: Path) -> None:
    assert in_the_locales_encoding(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("path.read_text()", True),
        ("path.write_text(text)", True),
        ("path.write_text(text, encoding='utf-8')", False),
        ("write_text(path, text)", False),
        ("open(path)", True),
        ("open(path, 'rb')", False),
        ("path.open('w')", True),
        ("path.open(mode='wb')", False),
        ("path.open(encoding='utf-8')", False),
        ("os.open(path, flags)", False),
        ("subprocess.run(words, text=True)", True),
        ("subprocess.run(words, text=True, encoding='utf-8')", False),
    ],
)
def test_what_is_noticed(source: str, is_one: bool) -> None:
    assert in_the_locales_encoding(source) == [1] * is_one
