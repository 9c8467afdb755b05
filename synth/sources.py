"""Which source files a result depends on, so that a change of one makes a kept result void, and no other change does.

The files are found by following imports. A file that moves or a new one is found too.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import amxfp4

PACKAGE = Path(amxfp4.__file__).parent
ROOMS = ("golden", "hw", "synth")
"""Rooms in which imports are followed. Others say how files are written or errors are worded."""


def hardware(package: Path = PACKAGE) -> set[Path]:
    """Every file of the hardware."""
    return set((package / "hw").rglob("*.py"))


def imported(module: str, rooms: Iterable[str] = ROOMS, package: Path = PACKAGE) -> set[Path]:
    """The files of a module and of all that it imports, and what those import.

    Args:
        module: Without the package's name: "synth.flow".
        rooms: Only files in these folders.
        package: The folder of the package.
    """
    found: set[Path] = set()
    pending = [_file(module, package)]
    while pending:
        file = pending.pop()
        if file is None or file in found or file.relative_to(package).parts[0] not in rooms:
            continue
        found.add(file)
        pending += [_file(name, package) for name in _imports(file, package)]
    return found


def digest_of(files: Iterable[Path], package: Path = PACKAGE) -> str:
    """One digest of the files' places in the package and of their contents."""
    lines = (f"{file.relative_to(package)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _imports(file: Path, package: Path) -> Iterator[str]:
    """The project's modules that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "amxfp4":
            parent = (node.module or "").removeprefix("amxfp4").lstrip(".")
            for alias in node.names:
                child = f"{parent}.{alias.name}".lstrip(".")
                yield child if _file(child, package) else parent
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("amxfp4.") for alias in node.names if alias.name.startswith("amxfp4."))


def _file(module: str, package: Path) -> Path | None:
    """A module's file; None where there is none."""
    place = package.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)
