"""Boolean expressions of liberty files."""

import pytest

from amxfp4.synth.cells.expressions import evaluate, python


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
        ("!!A", {1, 3}),
        ("!A'", {1, 3}),
        ("(A | B)'", {0}),
        ("A + B * A", {1, 3}),
        ("A ^ B ^ A", {2, 3}),
        (" ( A ) ", {1, 3}),
        ("A (B)", {3}),
        ("(A) B'", {1}),
        ("A 1", {1, 3}),
        ('"A" B', {3}),
    ],
)
def test_expressions(function: str, ones: set[int]) -> None:
    values = [evaluate(function, {"A": row & 1, "B": row >> 1}) for row in range(4)]
    assert {row for row, value in enumerate(values) if value} == ones


def test_expressions_of_many_cases_at_once() -> None:
    assert eval(python("!A ^ (B | 0)", {"A": "a", "B": "b"}, "15"), {"a": 0b0101, "b": 0b0011}) == 0b1001


@pytest.mark.parametrize(
    "function",
    ["", "A &", "(A", "A)", "A ? B", "& A", "A B |", "!", "()", "'A", "A ^", "(" * 500 + "A" + ")" * 500],
)
def test_what_is_no_expression_is_refused(function: str) -> None:
    with pytest.raises(ValueError, match=r"stands where|is not a boolean expression|within each other"):
        evaluate(function, {"A": 1, "B": 1})


def test_an_unknown_pin_is_refused() -> None:
    with pytest.raises(KeyError, match="C"):
        evaluate("A & C", {"A": 1})


def test_names_that_are_no_words() -> None:
    """With brackets as they are; beginning with a digit in quotation marks."""
    assert evaluate('A[1] & "2B" & C<0>', {"A[1]": 1, "2B": 1, "C<0>": 1}) == 1


@pytest.mark.parametrize("function", ["!" * 999 + "A", "A" + "'" * 999, " | ".join("A" * 999), "A " * 999])
def test_long_expressions(function: str) -> None:
    assert {evaluate(function, {"A": value}) for value in (0, 1)} == {0, 1}
