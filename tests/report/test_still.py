"""The still pictures."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers import report_samples

from amxfp4.report import inputs, still
from amxfp4.report.measured_charts import measured_charts


def test_every_chart_is_drawn_the_same_every_time(tmp_path: Path) -> None:
    report_samples.write(tmp_path)
    found = inputs.read_inputs(
        *(tmp_path / path for path in (inputs.AREA, inputs.ACCURACY, inputs.SWEEP, inputs.FPGA, inputs.ENERGY))
    )
    for chart in measured_charts(found):
        path = tmp_path / f"{chart.key}.svg"
        still.write(chart, path)
        first = path.read_bytes()
        ElementTree.fromstring(first)
        if chart.key == "cost-accuracy":
            still.write(chart, path)
            assert path.read_bytes() == first


def test_a_picture_that_breaks_off_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report_samples.write(tmp_path)
    found = inputs.read_inputs(
        *(tmp_path / path for path in (inputs.AREA, inputs.ACCURACY, inputs.SWEEP, inputs.FPGA, inputs.ENERGY))
    )
    chart = measured_charts(found)[2]
    (tmp_path / "out").mkdir()
    with pytest.raises(ValueError):
        still.write(chart, tmp_path / "out" / "picture.nonsense")
    assert not list((tmp_path / "out").iterdir())
