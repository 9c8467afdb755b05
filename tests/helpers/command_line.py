"""The command line as a user meets it."""

import contextlib
import io
import sys
from dataclasses import dataclass

import pytest

from amxfp4.cli.main import main


@dataclass(frozen=True)
class Run:
    status: int
    out: str
    err: str


def call(*words: str) -> int:
    """Runs `amxfp4` with these words and returns its exit status."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amxfp4", *words])
        with pytest.raises(SystemExit) as done:
            main()
    assert isinstance(done.value.code, int)
    return done.value.code


def run(*words: str) -> Run:
    """Likewise, with what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = call(*words)
    return Run(status, out.getvalue(), err.getvalue())


def check_refused(status: int, out: str, err: str, says: str) -> None:
    """A mistake is said in one line, and the exit status is 2."""
    assert status == 2
    assert out == ""
    assert says in err
    assert err.count("\n") == 1
