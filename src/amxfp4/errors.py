"""The one exception that a user's mistake raises: its text is a sentence that names the value and what is allowed."""


class UsageError(ValueError):
    """A wrong config, shape, dtype, code or file, or a missing tool; the command line prints it and exits with 2."""
