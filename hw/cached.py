"""Results of long runs kept by the content of what went in, so that the same run is made once."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from amxfp4.files import write_text

Result = dict[str, Any]


def digest(inputs: Iterable[str]) -> str:
    """One digest of several texts, in their order."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()


def cached(folder: Path | None, name: str, key: str, compute: Callable[[], Result]) -> tuple[Result, bool]:
    """The result kept in `folder` for `key`, or a new one, which is then kept; and whether it was found.

    Args:
        folder: None for neither reading nor keeping any.
        name: how the file's name begins; the key follows.
        key: `digest` of everything that the result depends on.
        compute: gives a result ready for JSON.
    """
    if folder is None:
        return compute(), False
    file = folder / f"{name}-{key[:16]}.json"
    try:
        kept = json.loads(file.read_text())
        if kept["key"] == key:
            return kept["result"], True
    except (OSError, ValueError, KeyError, TypeError):  # none, or unreadable, which counts as none
        pass
    result = compute()
    write_text(file, json.dumps({"key": key, "result": result}) + "\n")
    return result, False
