"""Imports run one way through the rooms, hw has no circle, and no room is importable but as a part of amxfp4."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import amxfp4

ROOT = Path(amxfp4.__file__).parent
BASE = {"errors", "files", "tensors", "lazy", "version", "temporaries", "workers"}
"""The modules of the top: each may be imported by all, and imports nothing but others of these."""

ARROWS = {
    "cli": {"report", "synth", "sim", "formal", "accuracy", "hw", "golden"},
    "report": {"synth", "sim", "formal", "accuracy", "hw", "golden"},
    "synth": {"sim", "hw", "golden"},
    "sim": {"hw", "golden"},
    "formal": {"hw", "golden"},
    "accuracy": {"golden"},
    "hw": {"golden"},
    "golden": set[str](),
}
"""Room: the rooms that it may import."""

# -- what is imported ------------------------------------------------------------------------------------------------


def modules() -> Iterator[tuple[str, Path]]:
    """Name and file of every module; folders that are links are followed."""
    for path in sorted(_files(ROOT)):
        name = ".".join(("amxfp4", *path.relative_to(ROOT).with_suffix("").parts))
        yield name.removesuffix(".__init__"), path


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _files(path)
        elif path.suffix == ".py":
            yield path


def imports(source: str, module: str, *, is_package: bool = False) -> set[str]:
    """Modules of amxfp4 that `source` imports, at its head or within a function; `from amxfp4 import hw` names
    `amxfp4.hw`. What stands under `if __name__ == "__main__":` is the entry of the command line, and left out."""
    package = module if is_package else module.rpartition(".")[0]
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(source)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            found |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
        pending += ast.iter_child_nodes(node)
    return {name for name in found if name.startswith("amxfp4.")}


def backward(module: str, imported: set[str]) -> list[str]:
    """What a module imports but may not."""
    room = _room(module)
    allowed = BASE if room in BASE else BASE | {room} | ARROWS[room]
    return sorted(name for name in imported if _room(name) not in allowed and _is_a_module(name))


def _room(name: str) -> str:
    return name.split(".")[1]


def _is_a_module(name: str) -> bool:
    """Not a name that the top gives, as `amxfp4.quantize`."""
    return _room(name) in ARROWS or _room(name) in BASE


# -- the arrows ------------------------------------------------------------------------------------------------------


def test_every_room_has_its_arrows() -> None:
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    assert rooms == set(ARROWS)
    assert {path.stem for path in ROOT.glob("*.py")} == BASE | {"__init__"}
    assert len(dict(modules())) > 100, "the links are followed"


def test_no_import_runs_back() -> None:
    """But `__main__.py`, which enters the command line, and the package's own head, whose names are lazy."""
    found = []
    for module, path in modules():
        if module != "amxfp4" and path.name != "__main__.py":
            imported = imports(path.read_text(), module, is_package=path.name == "__init__.py")
            found += [f"{module} imports {name}" for name in backward(module, imported)]
    assert not found, "; ".join(found)


@pytest.mark.parametrize(
    ("module", "source", "says"),
    (
        ("amxfp4.golden.dot", "from amxfp4.hw.config import Config", ["amxfp4.hw.config", "amxfp4.hw.config.Config"]),
        ("amxfp4.hw.units", "def f():\n    import amxfp4.synth.flow", ["amxfp4.synth.flow"]),
        ("amxfp4.sim.run", "from amxfp4 import synth", ["amxfp4.synth"]),
        ("amxfp4.hw.mac.unit", "from ...cli import main", ["amxfp4.cli", "amxfp4.cli.main"]),
        ("amxfp4.errors", "from amxfp4.golden import dot", ["amxfp4.golden", "amxfp4.golden.dot"]),
        ("amxfp4.synth.area", "from amxfp4.sim import run\nfrom amxfp4 import quantize", []),
        ("amxfp4.synth.tables", 'if __name__ == "__main__":\n    from amxfp4.cli.main import main', []),
    ),
)
def test_one_that_runs_back_is_seen(module: str, source: str, says: list[str]) -> None:
    assert backward(module, imports(source, module)) == says


# -- no circle -------------------------------------------------------------------------------------------------------


def graph(room: str) -> dict[str, set[str]]:
    """Each module of a room, and those of the room that it imports."""
    files = {name: path for name, path in modules() if _room(f"{name}.") == room and path.name != "__init__.py"}
    return {name: imports(path.read_text(), name) & set(files) for name, path in files.items()}


def test_hw_has_no_circle() -> None:
    modules_of_hw = graph("hw")
    assert len(modules_of_hw) > 30
    list(TopologicalSorter(modules_of_hw).static_order())
    modules_of_hw["amxfp4.hw.mac.products"] = {"amxfp4.hw.mac.plan"}
    with pytest.raises(CycleError):
        list(TopologicalSorter(modules_of_hw).static_order())


# -- what is installed -----------------------------------------------------------------------------------------------


def test_no_room_is_importable_by_itself(tmp_path: Path) -> None:
    """Where amxfp4 is installed, or its folder is on the path, nothing called `hw` or `sim` is beside it."""
    code = f"""
import sys
from importlib.util import find_spec
sys.path.append({str(ROOT.parent)!r})
assert find_spec("amxfp4") is not None
print(*(name for name in {sorted(set(ARROWS) | BASE)!r} if find_spec(name)))
"""
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == []
