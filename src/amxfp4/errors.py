"""The one exception that a user's mistake raises. Its text is a sentence that names the value and what is allowed."""


class UsageError(ValueError):
    """A wrong config, shape, dtype, code or file, or a missing tool.

    The command line prints the sentence and exits with status 2.
    """
