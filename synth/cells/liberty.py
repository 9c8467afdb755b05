"""Liberty files: finding one, reading it (plain or gzipped) and the facts of its cells that synthesis and timing need.

The grammar is Synopsys' Liberty: `group (names) { attribute : value; attribute (values); group ... }`. Every group is
kept as it stands in `Group`; `Library` and `Cell` give the few facts we use by name. Units stay the library's own
unless a name says otherwise.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amxfp4.errors import UsageError

GENERIC = Path(__file__).with_name("generic.lib")
# Where Debian's qflow-tech-osu018 puts its library.
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")


@dataclass
class Group:
    """One liberty group, such as `pin (A) { ... }`.

    Attributes:
        kind: "pin", for this one.
        names: What stands in its parentheses.
        attributes: The simple ones.
        complex: Those with several values.
        groups: The groups within.
    """

    kind: str
    names: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    complex: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.names[0] if self.names else ""

    def of_kind(self, kind: str) -> Iterator[Group]:
        return (group for group in self.groups if group.kind == kind)

    def number(self, attribute: str, default: float = 0.0) -> float:
        return float(self.attributes.get(attribute, default))


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

    @property
    def is_usable(self) -> bool:
        return self.group.attributes.get("dont_use", "false").lower() != "true"

    @property
    def is_flip_flop(self) -> bool:
        return any(True for _ in self.group.of_kind("ff"))

    @property
    def is_plain_flip_flop(self) -> bool:
        """A rising-edge flip-flop with nothing but D, clock and outputs."""
        ff = next(self.group.of_kind("ff"), None)
        if ff is None or {"clear", "preset"} & ff.attributes.keys():
            return False
        if not re.fullmatch(r"[\s(]*\w+[\s)]*", ff.attributes.get("clocked_on", "")):  # an inverted clock
            return False
        inputs = [pin for pin in self.pins if pin.attributes.get("direction") == "input"]
        return len(inputs) == 2

    @property
    def is_clock_gate(self) -> bool:
        return self.group.attributes.get("clock_gating_integrated_cell", "").startswith("latch_posedge")

    @property
    def pins(self) -> list[Group]:
        return list(self.group.of_kind("pin"))

    def inputs(self) -> list[str]:
        return [pin.name for pin in self.pins if pin.attributes.get("direction") == "input"]

    def outputs(self) -> list[str]:
        return [pin.name for pin in self.pins if pin.attributes.get("direction") == "output"]

    def function(self) -> str | None:
        """The boolean function of a combinational cell with one output, as the library writes it."""
        outputs = [pin for pin in self.pins if pin.attributes.get("direction") == "output"]
        return outputs[0].attributes.get("function") if len(outputs) == 1 else None


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

    @property
    def femtofarads(self) -> float:
        """How many fF the library's unit of capacitance is."""
        number, unit = (*self.group.complex.get("capacitive_load_unit", ()), "1", "pf")[:2]
        return float(number) * {"ff": 1.0, "pf": 1e3}[unit.lower()]

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
        return min(found, key=lambda cell: (cell.area, cell.name))

    @functools.cached_property
    def clock_gates(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells.values() if cell.is_clock_gate and cell.is_usable)

    def _smallest(self, truth: tuple[int, ...], inputs: int) -> Cell:
        found = [
            cell
            for cell in self.cells.values()
            if cell.is_usable and len(cell.inputs()) == inputs and _truth(cell) == truth
        ]
        return min(found, key=lambda cell: (cell.area, cell.name))


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
        UsageError: The file is missing, is not a liberty, or lacks what every mapping needs: an inverter, a buffer, a
            NAND2 and a D flip-flop.
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
    try:
        group = parse(text)
    except ValueError as error:
        raise UsageError(f"{str(file)!r} is not a liberty file: {error}") from None
    cells = {cell.name: Cell(cell.name, cell.number("area"), cell) for cell in group.of_kind("cell")}
    library = Library(file, group.name, text, cells, group)
    for what, attribute in (
        ("inverter", "inverter"),
        ("buffer", "buffer"),
        ("two-input NAND", "nand2"),
        ("plain D flip-flop", "flip_flop"),
    ):
        try:
            cell = getattr(library, attribute)
        except ValueError:
            raise UsageError(f"liberty {str(file)!r} has no {what}; a library that has one is needed") from None
        if cell.area <= 0:
            raise UsageError(f"liberty {str(file)!r} gives cell {cell.name!r} no area; areas above 0 are needed")
    return library


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8", errors="replace")
    except (OSError, EOFError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"liberty {str(file)!r} cannot be read ({reason}); give a .lib or .lib.gz file") from None


# A token is a quoted string, a word (names, numbers and expressions without spaces) or one sign.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"(){}:;,]+|[(){}:;,]', re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\\\r?\n", re.DOTALL)


def parse(text: str) -> Group:
    """The one top-level `library` group of a liberty text.

    Raises:
        ValueError: It is something else; the error says what.
    """
    tokens = _TOKEN.findall(_COMMENT.sub(" ", text))
    if not tokens or tokens[0] != "library":
        found = repr(tokens[0][:40]) if tokens else "nothing"
        raise ValueError(f"it starts with {found} where 'library' is expected")
    try:
        group, _ = _parse_group(tokens, 0)
    except IndexError:
        raise ValueError("it ends inside a group") from None
    return group


def _parse_group(tokens: list[str], at: int) -> tuple[Group, int]:
    """Parses `kind ( names ) { ... }`, and returns the group and the position behind its closing brace."""
    kind = tokens[at]
    names, at = _parse_names(tokens, at + 1)
    if tokens[at] != "{":
        raise ValueError(f"{tokens[at][:40]!r} stands where '{{' of {kind} is expected")
    group = Group(kind, names)
    at += 1
    while tokens[at] != "}":
        at = tokens_end = _parse_statement(tokens, at, group)
        while tokens[tokens_end] == ";":
            tokens_end += 1
        at = tokens_end
    return group, at + 1


def _parse_statement(tokens: list[str], at: int, group: Group) -> int:
    key, sign = tokens[at], tokens[at + 1]
    if sign == ":":
        end = at + 2
        # An unquoted expression may be several words; some files leave the semicolon out, then the value is one word.
        while tokens[end] not in (";", "}") and not (end > at + 2 and tokens[end + 1] in (":", "(")):
            end += 1
        group.attributes[key] = " ".join(token.strip('"') for token in tokens[at + 2 : end])
        return end
    if sign != "(":
        raise ValueError(f"{sign[:40]!r} stands where ':' or '(' is expected behind {key[:40]!r}")
    names, end = _parse_names(tokens, at + 1)
    if tokens[end] == "{":
        inner, end = _parse_group(tokens, at)
        group.groups.append(inner)
    else:
        group.complex[key] = names
    return end


def _parse_names(tokens: list[str], at: int) -> tuple[tuple[str, ...], int]:
    if tokens[at] != "(":
        raise ValueError(f"{tokens[at][:40]!r} stands where '(' is expected")
    end = tokens.index(")", at)
    names = tuple(token.strip('"') for token in tokens[at + 1 : end] if token != ",")
    return names, end + 1


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


def evaluate(function: str, values: dict[str, int]) -> int:
    """The value, 0 or 1, of a liberty expression.

    Raises:
        ValueError: It is no expression.
        KeyError: It has a name without a value.
    """
    return int(eval(python(function, {name: str(value) for name, value in values.items()}, "1")))


def python(function: str, names: Mapping[str, str], ones: str) -> str:
    """A liberty expression as a Python expression over integers that have one bit per case.

    Liberty's operators by falling strength: `'` and `!`; `^`; `&`, `*` and a space; `|` and `+`.

    Args:
        function: The expression.
        names: What stands for each pin.
        ones: The integer with all bits set.

    Raises:
        ValueError: It is no expression.
        KeyError: A pin is not in `names`.
    """
    tokens = re.findall(r"[A-Za-z_][\w\[\]]*|\S", function)
    try:
        text, end = _or(tokens, 0, names, ones)
    except IndexError:
        end = -1
    if end != len(tokens):
        raise ValueError(f"{function!r} is not a boolean expression")
    return text


def _or(tokens: list[str], at: int, names: Mapping[str, str], ones: str) -> tuple[str, int]:
    text, at = _and(tokens, at, names, ones)
    while at < len(tokens) and tokens[at] in "|+":
        other, at = _and(tokens, at + 1, names, ones)
        text = f"({text} | {other})"
    return text, at


def _and(tokens: list[str], at: int, names: Mapping[str, str], ones: str) -> tuple[str, int]:
    text, at = _xor(tokens, at, names, ones)
    while at < len(tokens) and tokens[at] not in "|+)":
        other, at = _xor(tokens, at + (tokens[at] in "&*"), names, ones)
        text = f"({text} & {other})"
    return text, at


def _xor(tokens: list[str], at: int, names: Mapping[str, str], ones: str) -> tuple[str, int]:
    text, at = _factor(tokens, at, names, ones)
    while at < len(tokens) and tokens[at] == "^":
        other, at = _factor(tokens, at + 1, names, ones)
        text = f"({text} ^ {other})"
    return text, at


def _factor(tokens: list[str], at: int, names: Mapping[str, str], ones: str) -> tuple[str, int]:
    if tokens[at] == "!":
        text, at = _factor(tokens, at + 1, names, ones)
        text = f"({ones} ^ {text})"
    elif tokens[at] == "(":
        text, at = _or(tokens, at + 1, names, ones)
        if tokens[at] != ")":
            raise ValueError(f"{tokens[at]!r} stands where ')' is expected")
        at += 1
    elif tokens[at] in ("0", "1"):
        text, at = (ones if tokens[at] == "1" else "0"), at + 1
    elif re.match(r"\w", tokens[at]):
        text, at = names[tokens[at]], at + 1
    else:
        raise ValueError(f"{tokens[at]!r} stands where a pin is expected")
    while at < len(tokens) and tokens[at] == "'":
        text, at = f"({ones} ^ {text})", at + 1
    return text, at
