"""Boolean expressions of liberty files, such as `!(A & B)`.

Operators by falling strength: `'` and `!`; `^`; `&`, `*` and a blank; `|` and `+`. `0` and `1` are constants. A name
that begins with a digit stands in quotation marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

MAX_DEPTH = 40
"""Parentheses and negations within each other."""
_TOKEN = re.compile(r'"[^"]*"|[A-Za-z_][\w\[\]<>:./$]*|\S')


def evaluate(function: str, values: dict[str, int]) -> int:
    """The value, 0 or 1, of a liberty expression.

    Raises:
        ValueError: It is no expression.
        KeyError: It has a name without a value.
    """
    return int(eval(python(function, {name: str(value) for name, value in values.items()}, "1")))


def python(function: str, names: Mapping[str, str], ones: str) -> str:
    """A liberty expression as a Python expression over integers that have one bit per case.

    Args:
        function: The expression.
        names: What stands for each pin.
        ones: The integer with all bits set.

    Raises:
        ValueError: It is no expression.
        KeyError: A pin is not in `names`.
    """
    reader = _Reader(function, names, ones)
    try:
        text = reader.any_of()
    except IndexError:
        raise ValueError(f"{function!r} is not a boolean expression") from None
    if reader.at != len(reader.tokens):
        raise ValueError(f"{function!r} is not a boolean expression")
    return text


class _Reader:
    def __init__(self, function: str, names: Mapping[str, str], ones: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(function)
        self.names = names
        self.ones = ones
        self.at = 0
        self.depth = 0

    def any_of(self) -> str:
        return self._chain(self._all_of, "|", lambda token: token in ("|", "+"))

    def _all_of(self) -> str:
        return self._chain(self._odd_of, "&", lambda token: token not in ("|", "+", ")"))

    def _odd_of(self) -> str:
        return self._chain(self._factor, "^", lambda token: token == "^")

    def _chain(self, part: Callable[[], str], operator: str, joins: Callable[[str], bool]) -> str:
        parts = [part()]
        while self.at < len(self.tokens) and joins(token := self.tokens[self.at]):
            self.at += token in ("|", "+", "&", "*", "^")  # two factors side by side have no operator
            parts.append(part())
        return parts[0] if len(parts) == 1 else f"({f' {operator} '.join(parts)})"

    def _factor(self) -> str:
        negated = self._count("!")
        token = self.tokens[self.at]
        self.at += 1
        if token == "(":
            text = self._within()
        elif token in ("0", "1"):
            text = self.ones if token == "1" else "0"
        elif re.match(r'[\w"]', token):
            text = self.names[token.strip('"')]
        else:
            raise ValueError(f"{token!r} stands where a pin is expected")
        negated += self._count("'")
        return f"({self.ones} ^ {text})" if negated % 2 else text

    def _within(self) -> str:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"the expression has more than {MAX_DEPTH} parentheses within each other")
        text = self.any_of()
        if self.tokens[self.at] != ")":
            raise ValueError(f"{self.tokens[self.at]!r} stands where ')' is expected")
        self.at += 1
        self.depth -= 1
        return text

    def _count(self, sign: str) -> int:
        """How often a sign stands here, and passes it."""
        begin = self.at
        while self.at < len(self.tokens) and self.tokens[self.at] == sign:
            self.at += 1
        return self.at - begin
