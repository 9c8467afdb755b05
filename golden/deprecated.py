"""Old spellings of the public functions that go on working, with a warning."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def takes_accumulate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let `function` take its keyword `accumulator` by the name that it had before, `accumulate`, too."""

    @wraps(function)
    def renaming(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if "accumulate" in kwargs:
            if "accumulator" in kwargs:
                raise TypeError(f"{function.__name__}() got both accumulator and accumulate, its old name")
            warn_renamed("the keyword accumulate", "accumulator")
            kwargs["accumulator"] = kwargs.pop("accumulate")
        return function(*args, **kwargs)

    return renaming


def warn_renamed(what: str, now: str) -> None:
    """Warn the caller of the function that calls this one."""
    warnings.warn(f"{what} is now called {now}", DeprecationWarning, stacklevel=3)
