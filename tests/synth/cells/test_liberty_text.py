"""Liberty's text: what its manual allows, what is common besides, and what is refused."""

import pytest

from amxfp4.errors import UsageError
from amxfp4.synth.cells.liberty_text import Group, number, parse


def within(text: str) -> Group:
    return parse(f"library (x) {{ {text} }}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a : b;", "b"),
        ("a : b", "b"),
        ('a : "see http://x";', "see http://x"),
        ('a : "/* no comment */";', "/* no comment */"),
        ("a : /* one */ b // two\n;", "b"),
        ("a : b/**/;", "b"),
        ("a : div/u_div/Q;", "div/u_div/Q"),
        ('a : "b \\\n c";', "b  c"),
        ('a : "b\\\r\nc";', "bc"),
        ('a : "b\\ \t\nc";', "bc"),
        ("a : VDD + \\\n 0.5;", "VDD + 0.5"),
        ("a : VDD +\n 0.5;", "VDD + 0.5"),
        ('a : "say \\"1A\\" & B";', 'say "1A" & B'),
        ("a : (D&EN) | (IQ&!EN);", "( D&EN ) | ( IQ&!EN )"),
        ("a : IHP GmbH, 2024 ;", "IHP GmbH,2024"),
        ("a : $Date: Thu Mar 14 15:49:26 2024 $ ;", "$Date : Thu Mar 14 15 : 49 : 26 2024 $"),
        ("a : A1 == 1'b1 & A2 == 1'b0 ;", "A1 == 1'b1 & A2 == 1'b0"),
        ("a : A (B) ;", "A ( B )"),
        ("a : 1; a : 2;", "2"),
        ("a : ;", ""),
        ("a : 0.5 \r\n;;", "0.5"),
        ("k = 3; a : k;", "k"),
    ],
)
def test_a_value(text: str, value: str) -> None:
    assert within(text).attributes == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        "a : 8 ; b : 9 ; pin (A) { }",
        "a : 8 b : 9 pin (A) { }",
        "a : 8\n b : 9\n pin (A) { }",
        "a : 8 /* ; */ b : 9; ; pin (A) { } ;",
        'a : "8" b : "9" pin (A) { }',
    ],
)
def test_semicolons_may_be_missing(text: str) -> None:
    group = within(text)
    assert (group.attributes, [inner.names for inner in group.groups]) == ({"a": "8", "b": "9"}, [("A",)])


def test_a_statement_on_its_own_line_is_one() -> None:
    group = within("a : 8\n technology (cmos)\n b : 9\n")
    assert (group.attributes, group.complex) == ({"a": "8", "b": "9"}, {"technology": ("cmos",)})
    assert within("a : 8 technology (cmos);").attributes == {"a": "8 technology ( cmos )"}  # no number: refused if read


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a (1, pf);", ("1", "pf")),
        ("a (1, pf)", ("1", "pf")),
        ('a ("1", "pf");', ("1", "pf")),
        ("a (1 pf);", ("1", "pf")),
        ("a\\\n (1, \\\n pf);", ("1", "pf")),
        ('a ("1, 2", \\\n "3, 4");', ("1, 2", "3, 4")),
        ('a ("1, 2, \\\n3");', ("1, 2, 3",)),
        ('a ("1, 2,\n 3");', ("1, 2,\n 3",)),
        ("a ();", ()),
        ("a (x:ck, x:d);", ("x:ck", "x:d")),
        ("a (A[3:0]);", ("A[3:0]",)),
        ("a (A[3:0] B);", ("A[3:0]", "B")),
        ("a (b, c, string);", ("b", "c", "string")),
    ],
)
def test_values(text: str, names: tuple[str, ...]) -> None:
    assert within(text).complex == {"a": names}


def test_repeated_lists_are_kept() -> None:
    group = within("fanout_length (1, 2); fanout_length (2, 4); define_group (a, b);")
    assert group.complex["fanout_length"] == ("2", "4")
    assert group.earlier == [("fanout_length", ("1", "2"))]


def test_groups_have_several_names_and_their_place() -> None:
    (cell,) = within("\n cell (X) {\n pin (A, B) {\n capacitance : 1,5;\n capacitance : no; } }").groups
    (pin,) = cell.groups
    assert (pin.names, pin.name, pin.parent) == (("A", "B"), "A", cell)
    with pytest.raises(UsageError) as error:
        pin.number("capacitance")
    assert str(error.value) == (
        "liberty 'text' has 'no' as capacitance of pin 'A', 'B' of cell 'X' (line 5); a number such as 1.5 is needed"
    )
    with pytest.raises(UsageError, match=r"has no values in pin 'A', 'B' of cell 'X' \(line 3\); some"):
        raise pin.lack("values", "some")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "starts with nothing where 'library' is expected (line 1)"),
        ("\n\n cell (x) { }", "starts with 'cell' where 'library' is expected (line 3)"),
        (
            "library (x) { }\nlibrary (y) { }",
            "'library' stands behind the library's end; one library per file is allowed",
        ),
        ("library (x) { } }", "'}' stands behind the library's end"),
        ("library (x) {\n a : b;\n", "it ends inside a group (line 3)"),
        ("library (x) { a :", "it ends inside a group"),
        ("library (x", "it ends inside a group"),
        ('library (x) {\n a : "b;\n }', "the string that begins there does not end (line 2)"),
        ("library (x) {\n /* a : b;\n }", "the comment that begins there does not end (line 2)"),
        ("library (x) { /*/ }", "the comment that begins there does not end"),
        ('library (x) { a : "b" c; }', "';' stands where ':' or '(' is expected behind 'c'"),
        ('library (x) { a : "b" "c"; }', "'\"c\"' stands where a name is expected"),
        ("library (x) { a (b (c)); }", "'(' stands where ')' is expected"),
        ("library (x) { a (b; }", "';' stands where ')' is expected"),
        ("library (x) { a : b { } }", "'{' stands where a name is expected"),
        ("library (x) {\n include_file (y.lib);\n }", "it includes 'y.lib'; a library in one file is needed (line 2)"),
        ("library (x) {" + "a () {" * 50, "'a' is 41 groups deep; 40 are allowed"),
        ("library (x) {" + "a () {" * 100_000, "40 are allowed"),
    ],
)
def test_what_is_no_liberty_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text, "some.lib")
    assert str(error.value).startswith("'some.lib' is not a liberty file: ")
    assert says in str(error.value)


@pytest.mark.parametrize("text", ["1", "+1.", "-.5", "1e-3", " 2 ", "1E+3"])
def test_numbers(text: str) -> None:
    assert number(text) == float(text)


@pytest.mark.parametrize("text", ["", "1,5", "1.5V", "nan", "inf", "1e999", "1_000", "١", "VDD + 0.5", "1 2"])
def test_what_is_no_number(text: str) -> None:
    assert number(text) is None


def test_flags() -> None:
    group = within('a : true; b : "TRUE"; c : false; d : 1;')
    assert [group.flag(name) for name in "abcx"] == [True, True, False, False]
    with pytest.raises(UsageError, match=r"has '1' as d of library 'x' \(line 1\); true or false is needed"):
        group.flag("d")


def test_a_default_and_a_decimal_comma() -> None:
    group = within("a : 1,5;")
    assert group.number("b", 7) == 7
    with pytest.raises(UsageError, match="has '1,5' as a of library 'x'"):
        group.number("a")
