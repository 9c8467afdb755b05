"""The command line `amxfp4`: one file a command."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.cli.main import COMMANDS, run
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["COMMANDS", "run"]
