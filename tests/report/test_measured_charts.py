"""The charts' figures are those that were measured."""

import pytest

from amxfp4.report.inputs import Inputs
from amxfp4.report.measured_charts import measured_charts
from amxfp4.report.pairs import is_asymmetric


def test_each_is_there_for_which_there_are_figures(found: Inputs) -> None:
    keys = [chart.key for chart in measured_charts(found)]
    assert keys == [
        *("cost-accuracy", "error-bits", "price-of-asymmetry", "ratio-lanes", "submodules", "delay", "trade-off"),
        *("energy", "fpga"),
    ]
    bare = Inputs([unit | {"breakdown": None} for unit in found.units], [], found.cases, "m", False, [], [])
    assert [chart.key for chart in measured_charts(bare)] == [
        "cost-accuracy",
        "price-of-asymmetry",
        "ratio-lanes",
        "delay",
    ]


def test_every_series_is_whole(found: Inputs) -> None:
    for chart in measured_charts(found):
        for panel in chart.panels:
            for series in panel.series:
                assert len(series.x) == len(series.y) == len(series.hover) > 0, (chart.key, series.name)


def test_cost_and_accuracy(found: Inputs) -> None:
    chart = measured_charts(found)[0]
    assert [panel.title for panel in chart.panels] == ["1 lane", "8 lanes", "32 lanes"]
    points = {(s.name, s.symbol): (s.x[0], s.y[0]) for s in chart.panels[1].series if s.symbol != "none"}
    assert points["MXFP4", "square"] == (1.0, 16.22)
    assert points["MXFP4, even", "square"] == (1.0, pytest.approx(17.72))
    assert "NVFP4 has 19.80 dB." in chart.caption
    unit = found.unit(("AMXFP4-X2", "MXFP4-UE5M3"), 8)
    assert unit is not None
    assert points["AMXFP4-X2 × MXFP4-UE5M3", "circle"] == (unit["ratio_to_mxfp4"], pytest.approx(19.12))
    assert points["AMXFP4-X2", "circle-open"] == (points["AMXFP4-X2", "circle"][0], pytest.approx(19.77))
    (front,) = [s for s in chart.panels[1].series if s.symbol == "none"]

    def is_beaten(x: float, y: float) -> bool:
        return any((a <= x and b > y) or (a < x and b >= y) for a, b in points.values())

    better = {(x, y) for x, y in points.values() if not is_beaten(x, y)}
    assert sorted(zip(front.x, front.y, strict=True)) == sorted(better)


def test_no_accuracy_no_point(found: Inputs) -> None:
    for case in found.cases:
        if case["activation"] == "MXFP4":
            case["linear_layers_mean"]["output"] = None
    assert "MXFP4" not in [series.name for series in measured_charts(found)[0].panels[0].series]


def test_the_price_is_of_asymmetric_units_only(found: Inputs) -> None:
    (panel,) = measured_charts(found)[2].panels
    assert [s.name for s in panel.series] == [
        *("AMXFP4-E5M2 × MXFP4-E5M2", "AMXFP4-E5M2", "AMXFP4-X2 × MXFP4-UE5M3", "AMXFP4-X2")
    ]
    assert panel.series[1].x == ["1 lane", "8 lanes", "32 lanes"]
    assert panel.series[1].y == pytest.approx([100 * (1.3 / 1.05 - 1)] * 3, abs=0.01)
    assert not is_asymmetric(("MXFP4", "MXFP4-UE5M3"))


def test_a_sweep_fills_in_lanes(found: Inputs) -> None:
    series = {s.name: s for s in measured_charts(found)[3].panels[0].series}
    assert series["AMXFP4-X2"].x == [1, 2, 4, 8, 16, 32]
    assert series["AMXFP4-E5M2"].x == [1, 8, 32]


def test_submodules_add_up(found: Inputs) -> None:
    chart = measured_charts(found)[4]
    for panel, lanes in zip(chart.panels, (1, 8, 32), strict=True):
        for pair in found.pairs:
            unit = found.unit(pair, lanes)
            assert unit is not None
            name = pair[0] if pair[0] == pair[1] else " × ".join(pair)
            shown = [x for s in panel.series for x, word in zip(s.x, s.y, strict=True) if word == name]
            assert sum(map(float, shown)) == pytest.approx(sum(unit["breakdown"].values()) / lanes, abs=0.05)


def test_fpga(found: Inputs) -> None:
    ratios, clocks = measured_charts(found)[-1].panels
    assert ratios.series[0].y == [1.0, 1.0, 1.0]
    assert set(clocks.series[0].y) == {60.0}


def test_energy(found: Inputs) -> None:
    energy, ratios = measured_charts(found)[-2].panels
    assert [(series.x, series.y) for series in energy.series] == [(["8 lanes"], [130.0])] * len(found.pairs)
    assert {number for series in ratios.series for number in series.y} == {1.25}
    assert "logic 100, registers 20, clock 10" in energy.series[0].hover[0]
