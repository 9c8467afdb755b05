"""The page needs nothing but itself, and a browser shows it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers import report_samples

from amxfp4.accuracy.choice import as_used
from amxfp4.hw.mac.config import MacConfig
from amxfp4.report import inputs
from amxfp4.report.answer import answer
from amxfp4.report.inputs import Inputs
from amxfp4.report.measured_charts import measured_charts
from amxfp4.report.page import TITLE, page

pytest.importorskip("plotly", reason="the extra report is not installed")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    report_samples.write(folder)
    found = inputs.read_inputs(
        *(folder / path for path in (inputs.AREA, inputs.ACCURACY, inputs.SWEEP, inputs.FPGA, inputs.ENERGY))
    )
    return page(found, answer(found), measured_charts(found), ["A note <b>."])


def test_nothing_is_fetched(text: str) -> None:
    own = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.DOTALL)  # plotly's own text
    assert len(own) < len(text) / 5
    assert not re.search(r"\b(?:src|href)\s*=\s*[\"'](?!#)", own)
    assert not re.search(r"@import|url\(", own)


def test_text_is_escaped_and_tabled(text: str) -> None:
    assert "A note &lt;b&gt;." in text
    assert f"<title>{TITLE}</title>" in text
    assert text.count("<tr") == 1 + len(report_samples.area_records())
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text


def test_a_unit_in_blocks_of_16_has_their_accuracy(found: Inputs) -> None:
    found.units[:] = [report_samples.area_record(MacConfig("AMXFP4-X2", "AMXFP4-X2", size, 8)) for size in (16, 32)]
    in_16 = report_samples.case(as_used("AMXFP4-X2/16"))
    in_16["linear_layers_mean"]["output"] = 20.5
    found.cases.append(in_16)
    rows = page(found, ["No."], [], []).split("<tbody>")[1].split("<tr>")[1:]
    first, second = (re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in rows)
    assert (first[:2], first[-1]) == (["AMXFP4-X2/16"] * 2, "20.50")
    assert (second[:2], second[-1]) == (["AMXFP4-X2"] * 2, "19.27")


def test_a_browser_shows_every_chart_and_hover_values(text: str, tmp_path: Path) -> None:
    browser = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("chromium is not on PATH")
    hover = "<script>Plotly.Fx.hover('chart-cost-accuracy', [{curveNumber: 1, pointNumber: 0}])</script>"
    file = tmp_path / "index.html"
    file.write_text(text.replace("</body>", f"{hover}</body>"))
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1366,768", "--virtual-time-budget=20000"),
            *("--enable-logging=stderr", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr, [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    shown = done.stdout
    titles = {title.strip() for title in re.findall(r"<h2>(.*?)</h2>", shown)}
    assert "Cost against accuracy" in titles
    drawn = re.findall(r'<div id="(chart-[\w-]+)" class="plotly-graph-div js-plotly-plot"', shown)
    assert drawn == re.findall(r'<div id="(chart-[\w-]+)" class="plotly-graph-div"', text)
    assert len(drawn) == 8
    points = len(re.findall(r'<path class="point', shown)) + len(re.findall(r'<g class="point"', shown))
    assert points > 150
    hovered = [part[:5000] for part in shown.split('<g class="hoverlayer">')[1:]]
    assert any("16.22 dB" in part for part in hovered)
