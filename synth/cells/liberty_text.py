"""The text of a liberty file, read into groups: `group (names) { attribute : value; attribute (values); group ... }`.

The grammar is that of the Liberty User Guide. Besides, what is common in libraries is taken: `//` comments, and
statements that end with their line instead of a semicolon. Nothing is left out without a word: text that fits no rule
is refused, with its line.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from amxfp4.errors import UsageError

MAX_DEPTH = 40
"""Groups within groups. Libraries have about seven."""

# A line that a backslash continues; blanks behind the backslash are a slip that many files have.
_CONTINUED = r"\\[ \t]*\r?\n"
_IN_WORD = r"[^\s\"(){}:;,/\\]"
_SLASH = r"(?:/(?![*/])|\\(?![ \t]*\r?\n))"
# A token is one sign, a quoted string, a word (names, numbers and operators without spaces), or what is skipped. The
# last two are what never ends; they take all the rest, so that no text is looked at twice.
_TOKEN = re.compile(
    r"[(){}:;,]"
    r'|"[^"\\]*(?:\\.[^"\\]*)*"'
    rf"|{_IN_WORD}+(?:{_SLASH}{_IN_WORD}*)*|{_SLASH}(?:{_IN_WORD}|{_SLASH})*"
    rf"|/\*.*?\*/|//[^\r\n]*|{_CONTINUED}"
    r'|".*|/\*.*',
    re.DOTALL,
)
_SKIPPED = ("/*", "//", "\\\n", "\\\r", "\\ ", "\\\t")
_STOPS = frozenset("(){}:;")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class Source:
    """A text and its tokens.

    Args:
        text: Of the file.
        file: What errors call it.
    """

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        found = _TOKEN.findall(text)
        self.tokens: list[str] = [token for token in found if not token.startswith(_SKIPPED)]
        if found and not _ends(last := found[-1]):
            what = "comment" if last[0] == "/" else "string"
            line = text.count("\n", 0, len(text) - len(last)) + 1
            raise self.refusal(f"the {what} that begins there does not end", line)

    @functools.cached_property
    def starts(self) -> list[int]:
        """Where each token stands in the text. Only errors and missing semicolons need it."""
        return [match.start() for match in _TOKEN.finditer(self.text) if not match[0].startswith(_SKIPPED)]

    def line(self, at: int) -> int:
        """The line of a token, counted from 1."""
        return self.text.count("\n", 0, self.starts[at]) + 1 if at < len(self.tokens) else self.text.count("\n") + 1

    def begins_line(self, at: int) -> bool:
        """Whether a token is the first of its line, a continued line counting as one."""
        before = self.text[self.starts[at - 1] + len(self.tokens[at - 1]) : self.starts[at]]
        return "\n" in re.sub(_CONTINUED, "", before)

    def error(self, at: int, what: str) -> UsageError:
        """An error at a token."""
        return self.refusal(what, self.line(at))

    def refusal(self, what: str, line: int) -> UsageError:
        """An error of the whole file."""
        return UsageError(f"{self.file!r} is not a liberty file: {what} (line {line})")


@dataclass(slots=True)
class Group:
    """One liberty group, such as `pin (A) { ... }`.

    Attributes:
        kind: "pin", for this one.
        names: What stands in its parentheses.
        attributes: The simple ones. Of several with the same name the last counts.
        complex: Those with several values, likewise.
        groups: The groups within.
        earlier: Complex attributes before the last of their name, of which some kinds make a list.
        source: The text that it comes from.
        at: Which of the text's tokens it begins with.
        parent: The group around it.
    """

    kind: str
    names: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    complex: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    earlier: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    source: Source | None = field(default=None, repr=False, compare=False)
    at: int = field(default=0, repr=False, compare=False)
    parent: Group | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""

    def of_kind(self, kind: str) -> Iterator[Group]:
        return (group for group in self.groups if group.kind == kind)

    def number(self, attribute: str, default: float = 0.0) -> float:
        """The value of a simple attribute.

        Raises:
            UsageError: It is no number.
        """
        value = self.attributes.get(attribute)
        if value is None:
            return default
        found = number(value)
        if found is None:
            raise self.refusal(attribute, value, "a number such as 1.5 is needed")
        return found

    def flag(self, attribute: str) -> bool:
        """Whether an attribute that is true or false is there and true.

        Raises:
            UsageError: It is something else.
        """
        value = self.attributes.get(attribute, "false")
        if value.lower() not in ("true", "false"):
            raise self.refusal(attribute, value, "true or false is needed")
        return value.lower() == "true"

    def refusal(self, attribute: str, value: str, needed: str) -> UsageError:
        """An error that names an attribute's value, where it stands, and what is needed."""
        return UsageError(f"{self._file()} has {value!r} as {attribute} of {self._place(attribute)}; {needed}")

    def lack(self, what: str, needed: str) -> UsageError:
        """An error that names what a group does not have."""
        return UsageError(f"{self._file()} has no {what} in {self._place()}; {needed}")

    def _file(self) -> str:
        return f"liberty {self.source.file!r}" if self.source else "the liberty"

    def _place(self, attribute: str = "") -> str:
        """Such as: pin 'A' of cell 'INV' (line 12)."""
        names = []
        group: Group | None = self
        while group is not None and (group is self or group.kind != "library"):
            names.append(f"{group.kind} {', '.join(map(repr, group.names))}".strip())
            group = group.parent
        line = f" (line {self.source.line(self._token(attribute))})" if self.source else ""
        return " of ".join(names) + line

    def _token(self, attribute: str) -> int:
        """The token of the last attribute of a name, or that of the group itself where there is none."""
        assert self.source is not None
        tokens, depth, found = self.source.tokens, 0, self.at
        for at in range(self.at, len(tokens) - 1):
            depth += {"{": 1, "}": -1}.get(tokens[at], 0)
            if depth == 1 and tokens[at] == attribute and tokens[at + 1] in (":", "("):
                found = at
            if not depth and tokens[at] == "}":
                break
        return found


def number(text: str) -> float | None:
    """The number that a text is; None for any other text, what is too large for a float among them."""
    found = float(text) if _NUMBER.fullmatch(text.strip()) else math.inf
    return found if math.isfinite(found) else None


def parse(text: str, file: str = "text") -> Group:
    """The one `library` group of a liberty text.

    Args:
        text: Of the file.
        file: What errors call it.

    Raises:
        UsageError: It is something else; the error says what, and in which line.
    """
    source = Source(text, file)
    tokens = source.tokens
    if not tokens or tokens[0] != "library":
        found = repr(tokens[0][:40]) if tokens else "nothing"
        raise source.error(0, f"it starts with {found} where 'library' is expected")
    try:
        group, at = _parse_group(source, 0, None, 1)
    except IndexError:
        raise source.error(len(tokens), "it ends inside a group") from None
    while at < len(tokens) and tokens[at] == ";":
        at += 1
    if at < len(tokens):
        raise source.error(at, f"{tokens[at][:40]!r} stands behind the library's end; one library per file is allowed")
    return group


def _parse_group(source: Source, at: int, parent: Group | None, depth: int) -> tuple[Group, int]:
    """Parses `kind ( names ) { ... }`, and returns the group and the position behind its closing brace."""
    tokens = source.tokens
    kind = tokens[at]
    names, end = _parse_names(source, at + 1)
    if tokens[end] != "{":
        raise source.error(end, f"{tokens[end][:40]!r} stands where '{{' of {kind} is expected")
    if depth > MAX_DEPTH:
        raise source.error(at, f"{kind[:40]!r} is {depth} groups deep; {MAX_DEPTH} are allowed")
    group = Group(kind, names, source=source, at=at, parent=parent)
    at = end + 1
    while (token := tokens[at]) != "}":
        at = at + 1 if token == ";" else _parse_statement(source, at, group, depth)
    return group, at + 1


def _parse_statement(source: Source, at: int, group: Group, depth: int) -> int:
    tokens = source.tokens
    key, sign = tokens[at], tokens[at + 1]
    if not _NAME.match(key):
        raise source.error(at, f"{key[:40]!r} stands where a name is expected")
    if sign == ":":
        group.attributes[key], end = _parse_value(source, at + 2)
        return end
    if sign == "=":  # a variable, which nothing here reads: an attribute that names it is no number
        return _parse_value(source, at + 2)[1]
    if sign != "(":
        raise source.error(at + 1, f"{sign[:40]!r} stands where ':' or '(' is expected behind {key[:40]!r}")
    names, end = _parse_names(source, at + 1)
    if tokens[end] == "{":
        inner, end = _parse_group(source, at, group, depth + 1)
        group.groups.append(inner)
    elif key == "include_file":
        raise source.error(at, f"it includes {', '.join(names)!r}; a library in one file is needed")
    else:
        if key in group.complex:
            group.earlier.append((key, group.complex[key]))
        group.complex[key] = names
    return end


def _parse_value(source: Source, at: int) -> tuple[str, int]:
    """A string, or an expression of several words that a semicolon, a brace or the next statement ends."""
    tokens = source.tokens
    if tokens[at][0] == '"':
        return _unquoted(tokens[at]), at + 1
    end = at
    while tokens[end] not in (";", "{", "}") and tokens[end][0] != '"' and not (end > at and _begins(source, end)):
        end += 1
    return " ".join(tokens[at:end]).replace(" , ", ","), end


def _begins(source: Source, at: int) -> bool:
    """Whether a word within a value is the beginning of the next statement: the semicolon is missing then.

    `area : 8 pin (A) {` has two statements, and `clocked_on : A (B)` has one. What stands on a line of its own is a
    statement.
    """
    tokens = source.tokens
    if tokens[at + 1] not in (":", "=", "(") or not _NAME.fullmatch(tokens[at]):
        return False
    if tokens[at + 1] != "(" or source.begins_line(at):
        return True
    end = at + 2
    while tokens[end] not in ("(", ")", "{", "}", ";"):
        end += 1
    return tokens[end] == ")" and tokens[end + 1] == "{"


def _parse_names(source: Source, at: int) -> tuple[tuple[str, ...], int]:
    """Parses `( a, b )`, in which commas and blanks part names and colons join them, as in `A[3:0]`."""
    tokens = source.tokens
    if tokens[at] != "(":
        raise source.error(at, f"{tokens[at][:40]!r} stands where '(' is expected")
    end = at + 1
    while tokens[end] not in _STOPS:
        end += 1
    if tokens[end] == ")":
        return tuple([_unquoted(token) for token in tokens[at + 1 : end] if token != ","]), end + 1
    return _parse_joined(source, at)


def _parse_joined(source: Source, at: int) -> tuple[tuple[str, ...], int]:
    tokens = source.tokens
    names: list[str] = []
    joined = False
    at += 1
    while (token := tokens[at]) != ")":
        if token in ("(", "{", "}", ";"):
            raise source.error(at, f"{token!r} stands where ')' is expected")
        if token == ":":
            names[-1:] = ["".join(names[-1:]) + ":"]
            joined = True
        elif token != ",":
            names[-1 if joined else len(names) :] = [(names[-1] if joined else "") + _unquoted(token)]
            joined = False
        at += 1
    return tuple(names), at + 1


def _unquoted(token: str) -> str:
    if token[0] != '"':
        return token
    if "\\" not in token:
        return token[1:-1]
    return re.sub(_CONTINUED, "", token[1:-1]).replace('\\"', '"')


def _ends(token: str) -> bool:
    """Whether a token that opens with a quotation mark or as a comment is closed too."""
    if token[0] == '"':
        return re.fullmatch(r'"[^"\\]*(?:\\.[^"\\]*)*"', token, re.DOTALL) is not None
    return token[:2] != "/*" or (token.endswith("*/") and len(token) > 3)
