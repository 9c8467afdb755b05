"""The one exception that a user's mistake raises. Its text is a sentence that names the value and what is allowed."""

_SHOWN_CHARACTERS = 80


class UsageError(ValueError):
    """A wrong config, shape, dtype, code or file, or a missing tool.

    The command line prints the sentence and exits with status 2.
    """


def shown(value: object) -> str:
    """`repr(value)` for a sentence: on one line, and cut short if it is long, as an array's is."""
    line = " ".join(repr(value).split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 4] + " ..."
