"""The table of ways of quantising, for the study and for a user's own tensors, on screen and in Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isinf, isnan
from typing import Any


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        heading: two lines.
        digits: how many digits follow the point.
        value: reads the value of a case of `run_study`. KeyError: the case does not have that figure.
    """

    heading: str
    digits: int
    value: Callable[[dict[str, Any]], float | None]


def _mean(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda case: case["linear_layers_mean"][name]


def _end_to_end(name: str, products: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda case: case["end_to_end"][products][name]


COLUMNS = (
    Column("input\nbits", 2, lambda case: case["activation_bits"]),
    Column("SQNR\ninputs", 2, _mean("activation")),
    Column("\nweights", 2, _mean("weight")),
    Column("\noutputs", 2, _mean("output")),
    Column("cosine\nlinear", 4, _end_to_end("cosine_mean", "linear")),
    Column("\n+ att.", 4, _end_to_end("cosine_mean", "linear and attention")),
    Column("rank\nlinear", 4, _end_to_end("rank_correlation", "linear")),
    Column("\n+ att.", 4, _end_to_end("rank_correlation", "linear and attention")),
)
"""Narrow enough for 80 columns on screen."""

OF_TENSORS = "SQNR in dB"
OF_MODEL = (
    "SQNR in dB, the mean over linear layers; cosine of sentence embeddings to float32's and rank correlation of their "
    "pairwise similarities, with linear layers quantised, and with the products of attention too"
)
"""What the columns mean: for a user's tensors, and for a model."""


def table_columns(cases: Sequence[dict[str, Any]]) -> list[Column]:
    """The columns of which any of the cases has a value."""
    return [column for column in COLUMNS if any(_value(column, case) is not None for case in cases)]


def cells(columns: Sequence[Column], case: dict[str, Any]) -> list[str]:
    """A row of the table, without its label."""
    return [number(_value(column, case), column.digits) for column in columns]


def _value(column: Column, case: dict[str, Any]) -> float | None:
    try:
        return column.value(case)
    except KeyError:
        return None


def number(value: float | None, digits: int) -> str:
    """A value with so many digits after the point, or "exact": an infinite ratio means that nothing was lost."""
    if value is None or isnan(value):
        return "-"
    return "exact" if isinf(value) and value > 0 else f"{value:.{digits}f}"


def select_cases(cases: Sequence[dict[str, Any]], block_size: int, rounding: str) -> list[dict[str, Any]]:
    """The cases with this block size and rounding."""
    return [case for case in cases if case["block_size"] == block_size and case["rounding"] == rounding]
