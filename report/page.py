"""The page: one HTML file with everything in it."""

import html
from typing import TYPE_CHECKING, Any

from amxfp4.report.chart import Chart, Panel, Series
from amxfp4.report.inputs import Inputs
from amxfp4.report.pairs import RATIOS, pair_of
from amxfp4.synth.record import Record

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TITLE = "AMXFP4 in hardware: cost against accuracy"

_STYLE = """
:root { color-scheme: light; --ink: #1f2937; --soft: #6b7280; --line: #e5e7eb; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink);
  background: #f6f7f9; }
main, header > div { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { background: #fff; border-bottom: 1px solid var(--line); padding: 28px 0 14px; }
h1 { margin: 0; font-size: 27px; line-height: 1.25; }
h2 { margin: 0 0 4px; font-size: 20px; }
nav { margin-top: 10px; font-size: 14px; }
nav a { margin-right: 16px; white-space: nowrap; color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; margin: 20px 0;
  padding: 20px 22px 14px; }
.answer { border-left: 5px solid var(--accent); font-size: 17px; }
.answer p { margin: 6px 0 8px; }
.caption, .notes { color: var(--soft); font-size: 14px; max-width: 100ch; margin: 2px 0 10px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th.word, td.word { text-align: left; }
tr.group td { border-top: 2px solid #9ca3af; }
"""

_HEADINGS = (
    *("activation", "weight", "accumulator", "lanes", "GE", "GE per lane", "flip-flops", "period, ps", "latency"),
    *("/ MXFP4", "/ window", "/ symmetric", "SQNR, dB"),
)
_WORDS = 3
_MARKER_SIZE = 12
# All that work without a network.
_BUTTONS = ["toImage", "zoom2d", "pan2d", "resetScale2d"]


def page(inputs: Inputs, sentences: list[str], charts: list[Chart], notes: list[str]) -> str:
    """The HTML text.

    Args:
        inputs: What was measured.
        sentences: The answer, the verdict first.
        charts: In the order of the page.
        notes: What is left out, and how to have it.
    """
    import plotly.offline

    links = [f'<a href="#{chart.key}">{html.escape(chart.title)}</a>' for chart in charts]
    sections = [
        f'<section id="{chart.key}"><h2>{html.escape(chart.title)}</h2>\n'
        f'<p class="caption">{html.escape(chart.caption)}</p>\n{_drawn(chart)}</section>'
        for chart in charts
    ]
    remarks = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{TITLE}</title>",
            f"<style>{_STYLE}</style>",
            f"<script>{plotly.offline.get_plotlyjs()}</script>",
            "</head><body>",
            f"<header><div><h1>{TITLE}</h1>",
            f'<nav>{" ".join(links)} <a href="#units">All units</a></nav></div></header>',
            "<main>",
            f'<section class="answer" id="answer"><h2>Is asymmetry’s cost negligible, and for which design?</h2>'
            f"<p><strong>{_unbroken(sentences[0])}</strong> {_unbroken(' '.join(sentences[1:]))}</p></section>",
            *sections,
            f'<section id="units"><h2>All units</h2>\n<p class="caption">Library {html.escape(inputs.library)}; '
            "GE: gate equivalents, the area over that of the smallest two-input NAND.</p>\n"
            f'<div class="scroll">{_table(inputs)}</div></section>',
            f'<section class="notes"><ul>{remarks}</ul></section>' if notes else "",
            "</main></body></html>",
            "",
        ]
    )


def _unbroken(text: str) -> str:
    """Text in which no format's name is broken at its hyphen."""
    return html.escape(text).replace("-", "&#8209;")


def _table(inputs: Inputs) -> str:
    head = "".join(f"<th{_word(index)}>{heading}</th>" for index, heading in enumerate(_HEADINGS))
    rows, last = [], None
    for unit in sorted(inputs.units, key=lambda unit: unit["lanes"]):
        cells = "".join(f"<td{_word(index)}>{html.escape(text)}</td>" for index, text in enumerate(_row(inputs, unit)))
        group = ' class="group"' if last not in (None, unit["lanes"]) else ""
        rows.append(f"<tr{group}>{cells}</tr>")
        last = unit["lanes"]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _word(index: int) -> str:
    return ' class="word"' if index < _WORDS else ""


def _row(inputs: Inputs, unit: Record) -> tuple[str, ...]:
    pair = pair_of(unit)
    case = inputs.accuracy(pair, unit["accumulator"])
    sqnr = case and case["linear_layers_mean"]["output"]
    return (
        *pair,
        unit["accumulator"],
        str(unit["lanes"]),
        f"{unit['area_ge']:,.0f}",
        f"{unit['area_ge_per_mac']:,.0f}",
        f"{unit['flip_flops']:,}",
        f"{unit['period_ps']:,.0f}",
        str(unit["latency"]),
        *("–" if unit.get(key) is None else f"{unit[key]:.3f}" for key, _ in RATIOS),
        "–" if sqnr is None else f"{sqnr:.2f}",
    )


def _drawn(chart: Chart) -> str:
    text: str = figure(chart).to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"chart-{chart.key}",
        config={"displaylogo": False, "responsive": True, "modeBarButtons": [_BUTTONS]},
    )
    return text


def figure(chart: Chart) -> "Figure":
    """The chart in plotly."""
    from plotly.subplots import make_subplots

    stacked = chart.kind == "stacked"
    across = 1 if stacked else min(len(chart.panels), 3)
    down = -(-len(chart.panels) // across)
    heights = [max(len(_words(panel)), 1) + 1.0 for panel in chart.panels] if stacked else [1.0] * down
    drawn = make_subplots(
        rows=down,
        cols=across,
        row_heights=heights,
        shared_xaxes="all" if chart.shared_x else False,
        shared_yaxes=chart.shared_y and not stacked,
        horizontal_spacing=0.035 if chart.shared_y else 0.07,
        vertical_spacing=min(0.12, 0.5 / down),
        subplot_titles=[panel.title for panel in chart.panels],
    )
    seen: set[str] = set()
    for index, panel in enumerate(chart.panels):
        row, column = index // across + 1, index % across + 1
        for series in panel.series:
            drawn.add_trace(_trace(chart, series, series.name not in seen), row=row, col=column)
            seen.add(series.name)
        if chart.reference is not None:
            line = {"color": "#374151", "width": 1, "dash": "dot"}
            drawn.add_hline(chart.reference, line=line, row=row, col=column)
        drawn.update_xaxes(
            title_text=chart.x_title if row == down or chart.kind == "points" else "", row=row, col=column
        )
        if column == 1:
            drawn.update_yaxes(title_text=chart.y_title, row=row, col=column)
        if stacked:
            drawn.update_yaxes(categoryorder="array", categoryarray=_words(panel)[::-1], row=row, col=column)
    if chart.log_x:
        ticks = sorted({x for panel in chart.panels for series in panel.series for x in series.x})
        drawn.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    if chart.kind == "bars":
        drawn.update_yaxes(rangemode="tozero")
    height = int(26 * sum(heights)) + 190 if stacked else 400 * down + 40
    drawn.update_layout(
        template="plotly_white",
        barmode="stack" if stacked else "group",
        height=height,
        margin={"l": 10, "r": 10, "t": 56 if any(panel.title for panel in chart.panels) else 34, "b": 10},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1f2937"},
        legend={"orientation": "h", "y": -(80 if chart.x_title else 50) / height, "yanchor": "top", "x": 0},
        hoverlabel={"align": "left", "bgcolor": "white", "font": {"color": "#1f2937"}},
    )
    drawn.update_xaxes(automargin=True, gridcolor="#eef0f3")
    drawn.update_yaxes(automargin=True, gridcolor="#eef0f3")
    return drawn


def _words(panel: Panel) -> list[str]:
    return list(dict.fromkeys(str(word) for series in panel.series for word in series.y))


def _trace(chart: Chart, series: Series, first: bool) -> Any:
    from plotly import graph_objects

    common: dict[str, Any] = {
        "name": series.name,
        "legendgroup": series.name,
        "showlegend": first,
        "hovertext": series.hover,
        "hovertemplate": "%{hovertext}<extra></extra>",
        "x": series.x,
        "y": series.y,
    }
    if series.symbol == "none":
        line = {"color": series.colour, "dash": "dash", "width": 1.5}
        return graph_objects.Scatter(
            x=series.x, y=series.y, mode="lines", line=line, showlegend=False, hoverinfo="skip"
        )
    if chart.kind in ("bars", "stacked"):
        orientation = "h" if chart.kind == "stacked" else "v"
        return graph_objects.Bar(**common, orientation=orientation, marker_color=series.colour)
    marker = {
        "color": series.colour,
        "symbol": series.symbol,
        "size": _MARKER_SIZE if chart.kind == "points" else 8,
        "line": {"width": 2 if series.symbol.endswith("open") else 0, "color": series.colour},
    }
    mode = "markers" if chart.kind == "points" else "lines+markers"
    return graph_objects.Scatter(**common, mode=mode, marker=marker, line={"color": series.colour})
