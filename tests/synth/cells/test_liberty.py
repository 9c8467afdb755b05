"""Liberty files: found, read, refused; the facts taken from them."""

import gzip
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.expressions import evaluate, python
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


@pytest.mark.parametrize(
    ("function", "ones"),
    [
        ("A & B", {3}),
        ("A * B", {3}),
        ("A B", {3}),
        ("A | B", {1, 2, 3}),
        ("A + B", {1, 2, 3}),
        ("A ^ B", {1, 2}),
        ("!A", {0, 2}),
        ("A'", {0, 2}),
        ("A''", {1, 3}),
        ("!A & B", {2}),
        ("(A & B)'", {0, 1, 2}),
        ("A B' + A' B", {1, 2}),
        ("A & B ^ B", set()),  # exclusive-or binds more strongly than and: A & (B ^ B)
        ("A | B & A", {1, 3}),
        ("1", {0, 1, 2, 3}),
        ("0", set()),
        ("!(!(A))", {1, 3}),
    ],
)
def test_expressions(function: str, ones: set[int]) -> None:
    values = [evaluate(function, {"A": row & 1, "B": row >> 1}) for row in range(4)]
    assert {row for row, value in enumerate(values) if value} == ones


def test_expressions_of_many_cases_at_once() -> None:
    assert eval(python("!A ^ (B | 0)", {"A": "a", "B": "b"}, "15"), {"a": 0b0101, "b": 0b0011}) == 0b1001


@pytest.mark.parametrize("function", ["", "A &", "(A", "A)", "A ? B", "& A", "A B |", "!"])
def test_what_is_no_expression_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match=r"stands where|is not a boolean expression"):
        evaluate(function, {"A": 1, "B": 1})


def test_an_unknown_pin_is_refused() -> None:
    with pytest.raises(KeyError, match="C"):
        evaluate("A & C", {"A": 1})


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
