"""The exceptions whose text is a sentence for the user: a mistake of the user's, and a run that broke off."""

_SHOWN_CHARACTERS = 80


class UsageError(ValueError):
    """A wrong config, shape, dtype, code or file, or a missing tool. The sentence names the value and what is allowed.

    The command line prints the sentence and exits with status 2.
    """


def shown(value: object) -> str:
    """`repr(value)` for a sentence: on one line, and cut short if it is long, as an array's is."""
    line = " ".join(repr(value).split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 4] + " ..."


class RunError(RuntimeError):
    """A tool, a simulator or a process failed or was killed, so that there is no result.

    The command line prints the sentence and exits with status 1.
    """


def ending(status: int) -> str:
    """How a process ended, in words.

    Args:
        status: As `subprocess` gives it: the exit status, or a signal's number below zero.
    """
    import signal

    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
