"""Commands as pages, docstrings, comments and messages show them: the text of each, and where it stands."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROGRAMS = ("amxfp4", "apt-get", "dask", "make", "mypy", "pip", "pytest", "python", "ruff", "uv")
"""What a command of this project begins with."""

_START = rf"(?:[A-Z]\w*=\S+\s+)*(?:\.venv/bin/)?(?:{'|'.join(PROGRAMS)})"
_COMMAND = re.compile(rf"{_START}\s.+|make")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^\w*\$ ", re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_BARE = re.compile(rf"(?<![`\w./-])(?:python -m amxfp4\.\w+|make [a-z-]+ [A-Z]+=|{_START} [a-z-]+ --?\w)")


@dataclass(frozen=True)
class Snippet:
    """Text for a shell.

    Attributes:
        where: The file that has it, as seen from the root.
        text: One command, or the lines of a block.
    """

    where: str
    text: str


def page_snippets(page: Path) -> list[Snippet]:
    """The shell's blocks of a page in Markdown, its indented commands and those in backquotes."""
    text = page.read_text()
    where = str(page.relative_to(ROOT))
    blocks = [_shell_block(kind, block) for kind, block in _FENCE.findall(text)]
    prose = _FENCE.sub("", text)
    lines = re.findall(rf"^ {{4}}({_START} .+)$", prose, re.MULTILINE)
    return [Snippet(where, found) for found in (*blocks, *lines, *_in_backquotes(prose)) if found]


def _shell_block(kind: str, block: str) -> str:
    if kind == "sh":
        return block
    if kind == "console":  # where a line without a prompt is output
        return "\n".join(_PROMPT.sub("", line) for line in block.splitlines() if _PROMPT.match(line))
    return ""


def python_blocks(page: Path) -> list[str]:
    """The Python of a page."""
    return [block for kind, block in _FENCE.findall(page.read_text()) if kind == "python"]


def source_snippets(path: Path) -> list[Snippet]:
    """What the strings and comments of a Python file show: its docstrings, help and messages among them."""
    where = str(path.relative_to(ROOT))
    source = path.read_text()
    found: list[str] = []
    for string in _strings(source):
        found += _in_backquotes(string)
        # A list of commands, each with a gap and its meaning; or a message's part that is a command and nothing else.
        found += re.findall(rf"^ *({_START} \S.*?) {{3,}}\S", string, re.MULTILINE)
        found += re.findall(r"\Aamxfp4 [a-z]+\Z", string)
    found += comment_commands(source)
    return [Snippet(where, text) for text in found]


def _strings(source: str) -> Iterator[str]:
    """Every string, f-strings with `{}` for what only a run knows."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def comment_commands(source: str) -> list[str]:
    """The commands in backquotes of all comments that begin with `#`."""
    return _in_backquotes("\n".join(re.findall(r"(?:^|\s)# (.*)$", source, re.MULTILINE)))


def _in_backquotes(text: str) -> list[str]:
    spans = (" ".join(span.split()) for span in _SPAN.findall(text))
    return [span for span in spans if _COMMAND.fullmatch(span) and "{}" not in span]


def bare_commands(path: Path) -> list[str]:
    """Commands that stand in prose without backquotes, where `page_snippets` and `source_snippets` find none."""
    if path.suffix == ".py":
        texts = list(_strings(path.read_text()))
        # A command's own words, and lines of a list of commands, are found as they are.
        texts = [re.sub(rf"^ *{_START} \S.* {{3,}}\S.*$", "", text, flags=re.MULTILINE) for text in texts]
    else:
        text = re.sub(rf"^ {{4}}{_START} .+$", "", _FENCE.sub("", path.read_text()), flags=re.MULTILINE)
        texts = [text]
    return [found for text in texts for found in _BARE.findall(_SPAN.sub("", text))]


def options_named(page: Path) -> list[str]:
    """Options that a page has in backquotes by themselves: `--seed`, or `--front-registers 1`."""
    spans = _SPAN.findall(_FENCE.sub("", page.read_text()))
    return [span.split()[0].split("=")[0] for span in spans if re.match(r"--[a-z]", span)]


def variables_named(page: Path) -> list[str]:
    """Variables of a command that a page has in backquotes by themselves: `LIBERTY=file.lib`."""
    return re.findall(r"`([A-Z]+)=[^`]*`", page.read_text())
