"""The tables of docs/accuracy.md, from made-up figures."""

from typing import Any

import pytest
from helpers import report_samples

from amxfp4.accuracy import study_tables
from amxfp4.accuracy.case import Case
from amxfp4.accuracy.choice import as_used
from amxfp4.accuracy.int4 import Int4

STUDY = report_samples.study()


def rows(table: str) -> dict[str, list[str]]:
    """The cells behind the first one of each row, which is its name."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert len({len(row) for row in found}) == 1
    return {row[0]: row[1:] for row in found}


def test_the_headline_has_bits_cost_and_error() -> None:
    found = rows(study_tables.headline(STUDY))
    assert list(found)[2:5] == ["MXFP4", "MXFP4, even", "MXFP4, ceil"]
    assert found["MXFP4, even"] == [
        *("one sum, E8M0 scales", "4.25", "17.72", "1.85 ± 0.10", "1.85 ± 0.10", "+0.15 ± 0.05")
    ]
    assert found["NVFP4"][:2] == ["one sum, E4M3 scales, float32 a tensor", "4.50"]
    assert found["INT4 per token and channel"][0] == "one sum of integers"


@pytest.mark.parametrize(
    ("way", "label", "cost"),
    [
        (as_used("AMXFP4-Z8/16"), "AMXFP4-Z8/16", "one sum, a shift by one more, E4M3 scales"),
        (as_used("AMXFP4-E5M2"), "AMXFP4-E5M2", "four sums, E5M2 scales"),
        (
            as_used("AMXFP4-E4M3", tensor_scale="max"),
            "AMXFP4-E4M3, tensor scale",
            "four sums, E4M3 scales, float32 a tensor",
        ),
        (Int4(32), "INT4 in groups of 32", "an integer sum and a float scale a group"),
    ],
)
def test_what_a_way_is_called_and_costs(way: Case | Int4, label: str, cost: str) -> None:
    assert study_tables.shown_label(way.to_dict()) == label
    assert study_tables.cost(way.to_dict()) == cost


def test_two_formats_and_sizes_are_named() -> None:
    pair = Case("AMXFP4-X2", "NVFP4", 16, "nearest-away")
    assert study_tables.shown_label(pair.to_dict()) == "AMXFP4-X2/16 x NVFP4"


def test_nvfp4_is_not_compared_with_itself() -> None:
    record = report_samples.case(as_used("NVFP4"))
    for end in record["end_to_end"].values():
        end["to_nvfp4"] = {"difference": 0.0, "error": 0.0}
    assert study_tables.difference(record) == "-"


def test_ways_stand_beside_what_they_are_without_one_attribute() -> None:
    cases = [case for case in STUDY["cases"] if case["rounding"] == "nearest-away"]
    found = rows(study_tables.offline({**STUDY, "cases": cases}))
    assert list(found)[2:] == ["AMXFP4-X2"]
    assert found["AMXFP4-X2"][:2] == ["19.27", "19.77"]


def test_ties_are_the_largest_change() -> None:
    found = rows(study_tables.ties(STUDY))
    assert found["mean SQNR of outputs, dB"] == ["5.0000"]
    assert found["mean cosine"] == ["0.0000"]


def test_block_sizes_that_were_not_measured() -> None:
    found = rows(study_tables.block_sizes(STUDY))
    assert found["MXFP4"] == ["-", "16.22", "-", "-", "-", "2.00", "-", "-"]


def test_tensors() -> None:
    found = rows(study_tables.tensors(STUDY))
    assert found["tensor"] == ["share of blocks", "SQNR MXFP4", "SQNR AMXFP4-X2"]
    assert found["weights of linear layers"] == ["25.0%", "17.22", "20.27"]


def test_the_best_rule_is_that_with_the_closest_embeddings() -> None:
    best = study_tables.best_rule(STUDY)
    assert best is not None and best["label"] == "MXFP4, even"
    cases: list[dict[str, Any]] = [case for case in STUDY["cases"] if case["activation"] != "MXFP4"]
    assert study_tables.best_rule({"cases": cases}) is None


def test_every_table_of_a_quick_study_can_be_made(result: dict[str, Any]) -> None:
    for name, table in study_tables.TABLES.items():
        made = table(result)
        assert made.startswith("| ") or name == "nan"
