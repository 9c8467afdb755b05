"""The table's columns and numbers."""

from typing import Any

from amxfp4.accuracy.summary import COLUMNS, cells, number, select_cases, table_columns


def test_a_study_has_every_column(result: dict[str, Any]) -> None:
    (case,) = [case for case in select_cases(result["cases"], 32, "nearest-away") if case["label"] == "AMXFP4-X2"]
    columns = table_columns([case])
    assert columns == list(COLUMNS)
    end = case["end_to_end"]
    assert cells(columns, case) == [
        "4.31",
        *(f"{case['linear_layers_mean'][name]:.2f}" for name in ("activation", "weight", "output")),
        *(f"{end[name]['cosine_mean']:.4f}" for name in ("linear", "linear and attention")),
        *(f"{end[name]['rank_correlation']:.4f}" for name in ("linear", "linear and attention")),
    ]


def test_a_tensor_alone_has_two() -> None:
    case = {"activation_bits": 4.25, "linear_layers_mean": {"activation": 17.123, "weight": None, "output": None}}
    columns = table_columns([case])
    assert cells(columns, case) == ["4.25", "17.12"]


def test_numbers() -> None:
    assert number(1.2345, 2) == "1.23"
    assert number(float("inf"), 2) == "exact"
    assert number(float("nan"), 2) == number(None, 2) == "-"
    assert number(float("-inf"), 2) == "-inf"
