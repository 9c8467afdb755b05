"""Which cases of a test run always, and which in the full run only."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest


def full_but(quick: Collection[str], cases: Iterable[Any], named: Callable[[Any], str]) -> list[Any]:
    """Parameters of a test, all but those named in `quick` marked `full`."""
    names = {named(case): case for case in cases}
    assert set(quick) <= set(names), "every quick case exists"
    return [
        pytest.param(case, id=name, marks=[] if name in quick else [pytest.mark.full]) for name, case in names.items()
    ]
