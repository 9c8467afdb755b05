"""Results of long runs, kept by the content of what went into them, so that the same run is made once."""

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


def kept(folder: Path | None, name: str, key: str) -> Result | None:
    """The result kept in a folder for a key, as `cached` keeps it; None where there is none."""
    if folder is None:
        return None
    try:
        found = json.loads(_file(folder, name, key).read_text(encoding="utf-8"))
        return found["result"] if found["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):  # none, or unreadable, which counts as none
        return None


def cached(folder: Path | None, name: str, key: str, compute: Callable[[], Result]) -> tuple[Result, bool]:
    """The result kept in a folder for a key, or a new one, which is then kept.

    Args:
        folder: None for neither reading nor keeping any.
        name: How the file's name begins; the key follows.
        key: `digest` of everything that the result depends on.
        compute: Gives a result ready for JSON.

    Returns:
        The result, and whether it was found.
    """
    found = kept(folder, name, key)
    if found is not None:
        return found, True
    result = compute()
    if folder is not None:
        write_text(_file(folder, name, key), json.dumps({"key": key, "result": result}) + "\n")
    return result, False


def _file(folder: Path, name: str, key: str) -> Path:
    return folder / f"{name}-{key[:16]}.json"
