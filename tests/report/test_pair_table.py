"""The table of the README."""

from amxfp4.report.inputs import Inputs
from amxfp4.report.pair_table import pair_table


def test_a_row_for_each_pair(found: Inputs) -> None:
    for case in found.cases:
        case["end_to_end"]["linear and attention"] = {"cosine_mean": 0.91234, "rank_correlation": 0.9}
    unit = found.unit(("AMXFP4-X2", "AMXFP4-X2"), 8)
    assert unit is not None
    unit |= {"area_ge": 5526.67, "ratio_to_mxfp4": 1.2006, "ratio_to_window": 1.5, "ratio_to_symmetric": None}
    headings, rule, *rows = pair_table(found).splitlines()
    assert headings.split(" | ")[4:] == ["GE, 8 lanes", "1 lane", "8 lanes", "32 lanes |"]
    assert {line.count("|") for line in (headings, rule, *rows)} == {9}
    pairs = [" x ".join(dict.fromkeys(pair)) for pair in found.pairs]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == ["MXFP4", "MXFP4, even", "NVFP4", *pairs[1:]]
    ocp, best, nvfp4 = (row.split(" | ") for row in rows[:3])
    assert (ocp[2], best[2], nvfp4[2]) == ("16.22", "17.72", "19.80")
    assert best[4:] == ocp[4:]  # its rule is the quantiser's
    assert nvfp4[4:] == ["-", "-", "-", "- |"]
    (row,) = (row for row in rows if row.startswith("| AMXFP4-X2 | "))
    sqnr = found.accuracy(("AMXFP4-X2", "AMXFP4-X2"))["linear_layers_mean"]["output"]  # type: ignore[index]
    assert row.startswith(f"| AMXFP4-X2 | exact | {sqnr:.2f} | 0.9123 | 5527 | ")
    assert row.split(" | ")[6] == "1.20 / 1.50 / -"


def test_what_was_not_measured(found: Inputs) -> None:
    found.cases.clear()
    found.baselines.clear()
    found.units[:] = [unit for unit in found.units if unit["lanes"] != 8 or unit["activation"] == "MXFP4"]
    row = pair_table(found).splitlines()[-1].split(" | ")
    assert row[2:5] == ["-", "-", "-"]
    assert row[6] == "-"
