"""Bits and error of formats, as the study has them."""

from helpers import report_samples

from amxfp4.accuracy.choice import as_used
from amxfp4.accuracy.int4 import Int4
from amxfp4.report.accuracy_chart import error_and_bits
from amxfp4.report.inputs import Inputs


def points(found: Inputs) -> dict[str, tuple[str, float, float, str]]:
    """Of the panel with attention: by the label, what the legend says, both coordinates and the mark."""
    _, panel = error_and_bits(found).panels
    return {
        series.hover[0].split("</b>")[0].removeprefix("<b>"): (
            series.name,
            float(series.x[0]),
            round(float(series.y[0]), 6),
            series.symbol,
        )
        for series in panel.series
    }


def test_every_format_as_it_is_used(found: Inputs) -> None:
    shown = points(found)
    assert set(shown) == {case["label"] for case in found.headline}
    assert shown["MXFP4"] == ("MXFP4", 4.25, 2.0, "circle")
    assert shown["MXFP4, even"] == ("MXFP4", 4.25, 1.85, "circle")
    assert shown["NVFP4"] == ("NVFP4", 4.5, 2.0, "circle")
    assert shown["AMXFP4-E5M2"] == ("two free scales", 4.5, 2.0, "square")
    assert shown["AMXFP4-X2"] == ("a halved side", 4.3125, 2.0, "circle")
    assert shown["INT4 per token and channel"] == ("INT4", 4.0, 2.0, "circle")


def test_blocks_of_16_are_named(found: Inputs) -> None:
    found.headline[:] = [report_samples.case(as_used("AMXFP4-Z8/16"))]
    assert points(found) == {"AMXFP4-Z8/16": ("a special value", 4.5, 2.0, "circle")}


def test_int4_that_errs_more_is_left_out(found: Inputs) -> None:
    worse = report_samples.case(Int4(32))
    for end in worse["end_to_end"].values():
        end["cosine_mean"] = 0.7
    found.headline.append(worse)
    assert "INT4 in groups of 32" not in points(found)


def test_nothing_without_a_study_of_today(found: Inputs) -> None:
    found.headline.clear()
    assert not any(panel.series for panel in error_and_bits(found).panels)
