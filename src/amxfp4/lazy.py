"""Names of a package that are imported when they are first used (PEP 562).

A package imports its names as any package does, but only type checkers see the imports:

    if TYPE_CHECKING:
        from amxfp4.sim.layer.run import run_layer
    else:
        __getattr__, __dir__ = lazy_exports(__name__)

    __all__ = ["run_layer"]

So editors and type checkers read ordinary imports. `lazy_exports` reads the same lines from the package's source, so no
second table of names has to be kept. (`lazy_loader.attach_stub` of SPEC 1 reads a .pyi file instead.)

A lazy name must differ from the names of the package's own modules, as importing such a module would replace it.
"""

import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def lazy_exports(package: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` of a package that imports its public names below `if TYPE_CHECKING:`.

    Args:
        package: the package's `__name__`. Its `__all__` says which names are public.

    Returns:
        The two functions. `__getattr__` raises `AttributeError` for a name that is not public.
    """

    def get(name: str) -> Any:
        module = sys.modules[package]
        source = _imports(package).get(name) if name in module.__all__ else None
        if source is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        origin, original = source
        # `from amxfp4 import hw` in amxfp4 itself means the module amxfp4.hw.
        value = import_module(f"{package}.{name}") if origin == package else getattr(import_module(origin), original)
        setattr(module, name, value)
        return value

    def names() -> list[str]:
        return sorted(sys.modules[package].__all__)

    return get, names


@cache
def _imports(package: str) -> dict[str, tuple[str, str]]:
    """For each name that the package imports for type checkers: the module that has it, and its name there."""
    import ast  # only here, as both take longer to import than the whole package
    import inspect

    source = inspect.getsource(sys.modules[package])
    return {
        alias.asname or alias.name: (statement.module or "", alias.name)
        for block in ast.parse(source).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
