"""Liberty files: finding one, reading it (plain or gzipped) and the facts of its cells that synthesis and timing need.

Every group is kept as it stands (`liberty_text.py`); `Library` and `Cell` give the few facts we use by name. Units stay
the library's own unless a name says otherwise.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from amxfp4.errors import UsageError
from amxfp4.synth.cells import units
from amxfp4.synth.cells.expressions import evaluate
from amxfp4.synth.cells.liberty_text import Group, parse
from amxfp4.synth.cells.pins import pins_of
from amxfp4.synth.cells.plain import write_plain

GENERIC = Path(__file__).with_name("generic.lib")
# Where Debian's qflow-tech-osu018 puts its library.
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
# Groups by which a cell keeps a state.
_STATES = ("ff", "ff_bank", "latch", "latch_bank", "statetable")


@dataclass(frozen=True)
class Cell:
    """A library cell.

    Attributes:
        name: As the library spells it.
        area: In the library's unit.
        group: Pins, timing and everything else.
    """

    name: str
    area: float
    group: Group

    @functools.cached_property
    def is_usable(self) -> bool:
        """Whether a mapper may take it. One with a bus may not: its pins are not told apart."""
        return not self.group.flag("dont_use") and not any(True for _ in self.group.of_kind("bus"))

    @property
    def is_flip_flop(self) -> bool:
        return any(True for _ in self.group.of_kind("ff"))

    @property
    def is_sequential(self) -> bool:
        """Whether it keeps a state: a register, a latch or a clock gate."""
        return self.is_clock_gate or any(group.kind in _STATES for group in self.group.groups)

    @property
    def is_plain_flip_flop(self) -> bool:
        """A rising-edge flip-flop with nothing but D, clock and outputs."""
        states = [group for group in self.group.groups if group.kind in _STATES]
        if [group.kind for group in states] != ["ff"] or {"clear", "preset"} & states[0].attributes.keys():
            return False
        clock = states[0].attributes.get("clocked_on", "").strip(" ()")  # as it is: no inverted clock
        data = [name for name in self.inputs() if name != clock]
        return (
            len(data) == 1 and len(self.inputs()) == 2 and _follows(states[0].attributes.get("next_state", ""), data[0])
        )

    @property
    def is_clock_gate(self) -> bool:
        return self.group.attributes.get("clock_gating_integrated_cell", "").startswith("latch_posedge")

    @functools.cached_property
    def pins(self) -> list[Group]:
        return pins_of(self.group)

    def inputs(self) -> list[str]:
        return [pin.name for pin in self.pins if pin.attributes.get("direction") == "input"]

    def outputs(self) -> list[str]:
        return [pin.name for pin in self.pins if pin.attributes.get("direction") == "output"]

    def function(self) -> str | None:
        """The boolean function of a combinational cell with one output, as the library writes it."""
        outputs = [pin for pin in self.pins if pin.attributes.get("direction") == "output"]
        if len(outputs) != 1 or self.is_sequential or "three_state" in outputs[0].attributes:
            return None
        return outputs[0].attributes.get("function")


@dataclass(frozen=True, eq=False)
class Library:
    """A liberty that was read.

    Attributes:
        path: Its file.
        name: As the file itself has it.
        text: Of the file.
        cells: By name.
        group: All of it.
    """

    path: Path
    name: str
    text: str
    cells: dict[str, Cell]
    group: Group

    @functools.cached_property
    def digest(self) -> str:
        """Of the text, so that a cache notices any change."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def area_unit(self) -> str:
        return self.group.attributes.get("area_unit", "um^2")

    @functools.cached_property
    def femtofarads(self) -> float:
        """How many fF the library's unit of capacitance is."""
        return units.femtofarads(self.group)

    @functools.cached_property
    def plain(self) -> str:
        """The library in the plainest liberty, for tools that read less of the format."""
        cells = (cell for cell in self.cells.values() if not any(True for _ in cell.group.of_kind("bus")))
        return write_plain(self.group, ((cell.group, cell.pins) for cell in cells))

    @functools.cached_property
    def nand2(self) -> Cell:
        """The smallest two-input NAND, whose area is one gate equivalent."""
        return self._smallest(truth=(1, 1, 1, 0), inputs=2)

    @functools.cached_property
    def inverter(self) -> Cell:
        return self._smallest(truth=(1, 0), inputs=1)

    @functools.cached_property
    def buffer(self) -> Cell:
        return self._smallest(truth=(0, 1), inputs=1)

    @functools.cached_property
    def flip_flop(self) -> Cell:
        """The smallest plain rising-edge D flip-flop."""
        found = [cell for cell in self.cells.values() if cell.is_plain_flip_flop and cell.is_usable]
        return _first(found)

    @functools.cached_property
    def clock_gates(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells.values() if cell.is_clock_gate and cell.is_usable)

    def _smallest(self, truth: tuple[int, ...], inputs: int) -> Cell:
        found = [
            cell
            for cell in self.cells.values()
            if cell.is_usable and len(cell.inputs()) == inputs and _truth(cell) == truth
        ]
        return _first(found)


def find(library: str | os.PathLike[str] | None = None) -> Path:
    """The file of a library.

    The default does not depend on what is installed, so that figures compare between machines.

    Args:
        library: A path, which is taken as it is; "osu018"; or "generic", which None means too.

    Raises:
        UsageError: osu018 is not installed.
    """
    if library is None or library == "generic":
        return GENERIC
    if library != "osu018":
        return Path(library)
    if not OSU018.is_file():
        raise UsageError(f"library 'osu018' is not at {str(OSU018)!r}; Debian's package qflow-tech-osu018 brings it")
    return OSU018


def read(path: str | os.PathLike[str]) -> Library:
    """Reads a `.lib` or `.lib.gz`.

    Raises:
        UsageError: The file is missing, is not a liberty, has a unit that is not understood, or lacks what every
            mapping needs: an inverter, a buffer, a NAND2 and a D flip-flop.
    """
    file = Path(path)
    try:
        stamp = file.stat()
    except OSError:
        raise UsageError(
            f"liberty {str(file)!r} does not exist; give a .lib or .lib.gz file, or one of the names generic and osu018"
        ) from None
    return _read(file.resolve(), stamp.st_mtime_ns, stamp.st_size)


@functools.lru_cache(maxsize=4)
def _read(file: Path, _mtime: int, _size: int) -> Library:
    text = _text(file)
    group = parse(text, str(file))
    library = Library(file, group.name, text, _cells(group), group)
    for what, attribute in (
        ("inverter", "inverter"),
        ("buffer", "buffer"),
        ("two-input NAND", "nand2"),
        ("plain D flip-flop", "flip_flop"),
    ):
        try:
            cell = getattr(library, attribute)
        except LookupError:
            raise UsageError(f"liberty {str(file)!r} has no {what}; a library that has one is needed") from None
        if cell.area <= 0:
            raise UsageError(f"liberty {str(file)!r} gives cell {cell.name!r} no area; areas above 0 are needed")
    for unit in (units.femtofarads, units.picoseconds, units.volts):
        unit(group)  # refuses what it does not understand
    return library


def _cells(library: Group) -> dict[str, Cell]:
    """The cells of a library by name, each with an area, pins and a word on its use that can be understood."""
    found: dict[str, Cell] = {}
    for group in library.of_kind("cell"):
        if len(group.names) != 1:
            raise group.lack("single name", "a cell has one name")
        if group.name in found:
            raise group.lack("name of its own", "one cell of each name is allowed")
        cell = Cell(group.name, group.number("area"), group)
        if cell.area < 0:
            raise group.refusal("area", group.attributes["area"], "0 or more is needed")
        cell.is_usable, cell.pins  # noqa: B018 - both are kept, and refuse what they do not understand
        found[cell.name] = cell
    return found


def _text(file: Path) -> str:
    """A file's text, unpacked. What is not UTF-8 is Latin-1, which old libraries have in their comments."""
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"liberty {str(file)!r} cannot be read ({reason}); give a .lib or .lib.gz file") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _truth(cell: Cell) -> tuple[int, ...] | None:
    """The truth table of a combinational cell with one output, input patterns counted up; None for any other cell."""
    function = cell.function()
    if function is None or not cell.inputs():
        return None
    inputs = cell.inputs()
    try:
        return tuple(
            evaluate(function, {name: row >> i & 1 for i, name in enumerate(inputs)}) for row in range(1 << len(inputs))
        )
    except (ValueError, KeyError):
        return None


def _follows(function: str, pin: str) -> bool:
    """Whether an expression is a pin or its inverse."""
    try:
        return evaluate(function, {pin: 0}) != evaluate(function, {pin: 1})
    except (ValueError, KeyError):
        return False


def _first(cells: list[Cell]) -> Cell:
    """The smallest.

    Raises:
        LookupError: There is none.
    """
    if not cells:
        raise LookupError
    return min(cells, key=lambda cell: (cell.area, cell.name))
