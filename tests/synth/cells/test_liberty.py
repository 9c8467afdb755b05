"""Liberty files: found, read, refused; the facts taken from them."""

import gzip
from pathlib import Path

import pytest
from helpers.liberties import BUFFER, FLOP, INVERTER, NAND, library

from amxfp4.errors import UsageError
from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.liberty_text import parse

SMALL = """
/* a comment { with a brace */
library (small) {
  time_unit : "1ps";
  capacitive_load_unit (1, ff); // another
  define (x, y, string);
  lu_table_template (t) { variable_1 : input_net_transition; index_1 ("1, 2"); }
  cell (BIG_NAND) { area : 9; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "(A*B)'"; } }
  cell ("NAND") { area : 4; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!A | !B"; } }
  cell (UNUSED) { area : 1; dont_use : true; pin (A) { direction : input; } pin (B) { direction : input; }
    pin (Y) { direction : output; function : "!(A & B)"; } }
  cell (INV) { area : 2; pin (A) { direction : input; capacitance : 1.5 }
    pin (Y) { direction : output; function : "A'"; } }
  cell (BUF) { area : 3; pin (A) { direction : input; } pin (Y) { direction : output; function : "A"; } }
  cell (NEGATIVE) { area : 5; ff (IQ, IQN) { next_state : "D"; clocked_on : "!CK"; }
    pin (D) { direction : input; } pin (CK) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
  cell (RESET) { area : 5; ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; clear : "!R"; }
    pin (D) { direction : input; } pin (CK) { direction : input; } pin (R) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; } }
  cell (ENABLE) { area : 5; ff (IQ, IQN) { next_state : "(D E) | (IQ !E)"; clocked_on : "CK"; }
    pin (D) { direction : input; } pin (CK) { direction : input; } pin (E) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; } }
  cell (FLOP) { area : 20; ff (IQ, IQN) { next_state : "D"; clocked_on : "CK"; }
    pin (D) { direction : input; } pin (CK) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
  cell (GATE) { area : 7; clock_gating_integrated_cell : latch_posedge;
    pin (CK) { direction : input; } pin (E) { direction : input; } pin (GCK) { direction : output; } }
}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "x.lib"
    path.write_text(text)
    return path


def test_groups_are_kept_as_they_stand() -> None:
    library = parse(SMALL)
    assert (library.kind, library.name) == ("library", "small")
    assert library.attributes["time_unit"] == "1ps"
    assert library.complex["capacitive_load_unit"] == ("1", "ff")
    (table,) = library.of_kind("lu_table_template")
    assert table.complex["index_1"] == ("1, 2",)
    inverter = next(cell for cell in library.of_kind("cell") if cell.name == "INV")
    assert inverter.number("area") == 2
    (pin, _) = inverter.of_kind("pin")
    assert pin.number("capacitance") == 1.5  # its semicolon is missing
    assert pin.number("absent", 7) == 7


def test_the_smallest_usable_cell_of_each_kind_is_found(tmp_path: Path) -> None:
    library = liberty.read(write(tmp_path, SMALL))
    assert (library.nand2.name, library.inverter.name, library.buffer.name) == ("NAND", "INV", "BUF")
    # Neither a falling edge nor a reset nor an enable.
    assert library.flip_flop.name == "FLOP"
    assert [cell.name for cell in library.clock_gates] == ["GATE"]
    assert library.cells["NAND"].inputs() == ["A", "B"]
    assert library.cells["NAND"].outputs() == ["Y"]
    assert library.femtofarads == 1
    assert library.area_unit == "um^2"


def test_a_gzipped_library_reads_the_same(tmp_path: Path) -> None:
    plain = liberty.read(write(tmp_path, SMALL))
    packed = tmp_path / "y.lib.gz"
    packed.write_bytes(gzip.compress(SMALL.encode()))
    assert liberty.read(packed).digest == plain.digest


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    before = liberty.read(path)
    path.write_text(SMALL.replace("area : 4", "area : 40"))
    assert liberty.read(path).nand2.name == "BIG_NAND"
    assert liberty.read(path).digest != before.digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a liberty file: it starts with nothing where 'library' is expected"),
        ("module x; endmodule", "it starts with 'module' where 'library' is expected"),
        ("library (x) { cell (A) {", "it ends inside a group"),
        ("library (x) [", "where '{' of library is expected"),
        ("library (x) { a b c }", "'b' stands where ':' or '(' is expected behind 'a'"),
        ("library (x) { }", "has no inverter"),
        (SMALL.replace("A'", "A"), "has no inverter"),
        (SMALL.replace('"(A*B)\'"', '"A"').replace('"!A | !B"', '"A"'), "has no two-input NAND"),
        (
            SMALL.replace("cell (FLOP)", "cell (NAND3)").replace('"IQ"', '"Z"').replace("ff (IQ", "latch (IQ"),
            "flip-flop",
        ),
        (SMALL.replace("area : 4", "area : 0"), "gives cell 'NAND' no area"),
    ],
)
def test_what_is_no_library_is_refused_in_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as error:
        liberty.read(path)
    assert says in str(error.value)
    assert repr(str(path)) in str(error.value)


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.lib.gz"
    path.write_bytes(gzip.compress(SMALL.encode())[:60])
    with pytest.raises(UsageError, match="cannot be read"):
        liberty.read(path)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(SMALL.encode())[:30] + bytes(200) + gzip.compress(SMALL.encode())[230:],
        gzip.compress(SMALL.encode())[:-6] + bytes(6),
        gzip.compress(SMALL.encode()) + b"more",
        b"\x1f\x8b",
        gzip.compress(b"\x7fELF\0\1\2"),
        gzip.compress(b""),
        bytes(range(256)) * 9,
        SMALL.encode("utf-16"),
        b'library (x) { a : "',
    ],
    ids=["damaged", "sum", "trailing", "magic", "other", "empty", "binary", "utf-16", "string"],
)
def test_a_file_of_anything_else_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.lib.gz"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"cannot be read|is not a liberty file") as error:
        liberty.read(path)
    assert repr(str(path)) in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_encodings_and_line_ends(encoding: str, tmp_path: Path) -> None:
    text = library('  comment : "30 \N{DEGREE SIGN}C \\\n typical";\n')
    path = tmp_path / "x.lib"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert liberty.read(path).group.attributes["comment"] == "30 \N{DEGREE SIGN}C  typical"


@pytest.mark.parametrize(
    "changed",
    [
        library(cells=INVERTER + NAND.replace("pin (A) { direction : input; } pin (B)", "pin (A, B)") + BUFFER + FLOP),
        library(cells=(INVERTER + NAND + BUFFER + FLOP).replace(";", "\n")),
        library('comment : "see http://x"; date : $Date: 1 $;'),
        library("scaled_cell (NAND, slow) { area : 1; }"),
        library("cell (DELAY) { area : 1; pin (A) { direction : input; } pin (EN) { direction : input; }"
                " pin (Y) { direction : output; three_state : \"EN\"; function : \"!(A & EN)\"; } }"),
        library("cell (TEST) { area : 1; test_cell () { pin (A) { direction : input; } } statetable (A, Y) { }"
                " pin (A, B) { direction : input; } pin (Y) { direction : output; function : \"!(A & B)\"; } }"),
        library("cell (WIDE) { area : 1; bus (C) { direction : input; } pin (A, B) { direction : input; }"
                " pin (Y) { direction : output; function : \"!(A & B)\"; } }"),
        library("cell (PACK) { area : 1; bundle (X) { members (C, D); direction : input; }"
                " pin (A, B) { direction : input; } pin (Y) { direction : output; function : \"!(A & B)\"; } }"),
        library("cell (QUOTED) { area : 1; dont_use : \"TRUE\"; pin (A, B) { direction : input; }"
                " pin (Y) { direction : output; function : \"!(A & B)\"; } }"),
        library("cell (BAD) { area : 1; pin (A, B) { direction : input; }"
                " pin (Y) { direction : output; function : \"!(A ? B)\"; } }"),
        library("cell (TOGGLE) { area : 1; ff (IQ, IQN) { next_state : \"T ^ IQ\"; clocked_on : CK; }"
                " pin (T, CK) { direction : input; } pin (Q) { direction : output; function : IQ; } }"),
        library("cell (KEPT) { area : 1; ff (IQ, IQN) { next_state : D; clocked_on : CK; } latch (L, LN) { }"
                " pin (D, CK) { direction : input; } pin (Q) { direction : output; function : IQ; } }"),
    ],
)  # fmt: skip
def test_what_changes_no_reference(changed: str, tmp_path: Path) -> None:
    found = liberty.read(write(tmp_path, changed))
    names = [cell.name for cell in (found.inverter, found.nand2, found.buffer, found.flip_flop)]
    assert names == ["INV", "NAND", "BUF", "FLOP"]
    assert found.cells["NAND"].inputs() == ["A", "B"]


def test_a_flip_flop_may_invert_its_data(tmp_path: Path) -> None:
    """Some libraries have no other; the mapper puts an inverter before it."""
    assert liberty.read(write(tmp_path, library().replace('"D"', '"(!D)"'))).flip_flop.name == "FLOP"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (library().replace("area : 4", 'area : "1,5"'), r"has '1,5' as area of cell 'NAND' \(line 8\); a number"),
        (library().replace("area : 4", "area : 1,5"), r"has '1,5' as area of cell 'NAND' \(line 8\); a number"),
        (library().replace("area : 4", "area : -4"), r"has '-4' as area of cell 'NAND' \(line 8\); 0 or more"),
        (library().replace("area : 4", "area : 4; dont_use : maybe"), "has 'maybe' as dont_use of cell 'NAND'"),
        (library(NAND), r"has no name of its own in cell 'NAND' \(line 13\); one cell of each name"),
        (library("cell () { }"), "has no single name in cell"),
        (library("cell (A, B) { }"), "has no single name in cell 'A', 'B'"),
        (
            library(header="capacitive_load_unit (1, nf);"),
            r"has '\(1, nf\)' as capacitive_load_unit of library 'small'",
        ),
        (library(header=""), "has no capacitive_load_unit"),
        (library('time_unit : "1 fortnight";'), "has '1 fortnight' as time_unit"),
        (library('voltage_unit : "1A";'), "has '1A' as voltage_unit"),
    ],
)
def test_a_value_that_is_not_understood_is_refused(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        liberty.read(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"does not exist; give a \.lib or \.lib\.gz file"):
        liberty.read(tmp_path / "none.lib")


def test_libraries_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert liberty.find() == liberty.find("generic") == liberty.GENERIC
    assert liberty.find("some.lib") == Path("some.lib")
    monkeypatch.setattr(liberty, "OSU018", tmp_path / "osu018.lib")
    with pytest.raises(UsageError, match="Debian's package qflow-tech-osu018 brings it"):
        liberty.find("osu018")
    (tmp_path / "osu018.lib").touch()
    assert liberty.find("osu018") == tmp_path / "osu018.lib"


def test_nangate45(shared: Path) -> None:
    library = liberty.read(shared / "lib" / "nangate45_typ.lib.gz")
    assert library.name == "NangateOpenCellLibrary"
    assert (library.nand2.name, library.nand2.area) == ("NAND2_X1", 0.798)
    assert (library.inverter.name, library.buffer.name, library.flip_flop.name) == ("INV_X1", "BUF_X1", "DFF_X1")
    assert {"CLKGATE_X1", "CLKGATE_X8"} <= {cell.name for cell in library.clock_gates}


@pytest.mark.skipif(not liberty.OSU018.is_file(), reason="Debian's qflow-tech-osu018 is not installed")
def test_osu018() -> None:
    library = liberty.read(liberty.find("osu018"))
    assert (library.nand2.name, library.nand2.area, library.flip_flop.name) == ("NAND2X1", 24, "DFFPOSX1")
    assert library.clock_gates == ()
    assert library.femtofarads == 1000
