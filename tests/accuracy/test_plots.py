"""The figures: what they show, that they are small, and the same each time."""

from typing import Any
from xml.etree import ElementTree

import numpy as np

from amxfp4.accuracy import plots
from amxfp4.golden import BLOCK_FORMAT_NAMES


def test_figures_are_small_svg_and_always_the_same(result: dict[str, Any]) -> None:
    found = plots.figures(result)
    assert set(found) == {"error_by_format.svg", "error_by_layer.svg", "blocks.svg", "sides.svg", "reference_nan.svg"}
    for content in found.values():
        assert ElementTree.fromstring(content).tag.endswith("svg")
        assert len(content) < 100_000
    assert plots.figures(result) == found


def test_every_format_has_its_line(result: dict[str, Any]) -> None:
    axes = plots.error_by_layer(result).axes
    assert [axis.get_title() for axis in axes] == list(result["cases"][0]["kinds"])
    for axis in axes:
        assert {line.get_label() for line in axis.lines} == {*BLOCK_FORMAT_NAMES, "MXFP4, even"}
    case = next(case for case in result["cases"] if case["label"] == "AMXFP4-X2")
    (line,) = [line for line in axes[0].lines if line.get_label() == "AMXFP4-X2"]
    np.testing.assert_array_equal(line.get_ydata(), [of_layer["output"] for of_layer in case["kinds"]["query"]])


def test_error_by_format(result: dict[str, Any]) -> None:
    axes = plots.error_by_format(result).axes
    case = next(case for case in result["cases"] if case["label"] == "AMXFP4-E4M3")
    (line,) = [line for line in axes[2].lines if line.get_label() == "AMXFP4-E4M3"]
    assert line.get_ydata().tolist() == [1 - case["end_to_end"]["linear and attention"]["cosine_mean"]]


def test_blocks_before_and_after(result: dict[str, Any]) -> None:
    figure = plots.blocks(result)
    example = result["example_blocks"][0]
    title = figure.axes[0].get_title(loc="left")
    assert title == f"before: {len(set(example['before']))} different values"
    heights = figure.axes[0].patches[0].get_xy()[:, 1]
    assert heights.max() >= 1
