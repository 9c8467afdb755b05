"""The same charts as still pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from amxfp4.files import replacing
from amxfp4.report.chart import Chart, Panel, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKERS = {"circle": "o", "square": "s", "diamond": "D"}
_MARKERS |= {f"{symbol}-open": marker for symbol, marker in _MARKERS.items()}


def write(chart: Chart, path: Path) -> None:
    """Writes the chart, the same bytes every time.

    Args:
        chart: What is drawn.
        path: Written whole or not at all, as the format that its suffix names.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    lying = chart.kind == "stacked"
    across = 1 if lying else min(len(chart.panels), 3)
    down = -(-len(chart.panels) // across)
    heights = [len(_words(panel)) + 1.0 for panel in chart.panels] if lying else [1.0] * down
    size = (10, 0.33 * sum(heights) + 1.2) if lying else (10, 3.9 * down + 0.6)
    settings: dict[str, Any] = {
        "svg.hashsalt": "amxfp4",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e5e7eb",
        "axes.axisbelow": True,
    }
    with matplotlib.rc_context(settings):
        figure, axes = plt.subplots(
            down,
            across,
            figsize=size,
            squeeze=False,
            sharex=chart.shared_x,
            sharey=chart.shared_y and not lying,
            layout="constrained",
            gridspec_kw={"height_ratios": heights},
        )
        for index, axis in enumerate(axes.flat):
            if index >= len(chart.panels):
                axis.set_visible(False)
                continue
            _panel(axis, chart, chart.panels[index])
            if index % across == 0:
                axis.set_ylabel(chart.y_title)
        entries: dict[str, Any] = {}
        for axis in axes.flat:
            handles, names = axis.get_legend_handles_labels()
            for name, handle in zip(names, handles, strict=True):
                entries.setdefault(name, handle)
        # Below the axes, in as many columns as fit.
        columns = max(1, min(len(entries), int(150 / (max(map(len, entries), default=1) + 8))))
        figure.legend(
            entries.values(), entries.keys(), loc="outside lower left", ncols=columns, frameon=False, fontsize=8
        )
        figure.suptitle(chart.title, x=0.01, ha="left", fontweight="bold")
        with replacing(path) as temporary:
            figure.savefig(temporary, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)
        plt.close(figure)


def _words(panel: Panel) -> list[str]:
    return list(dict.fromkeys(str(word) for series in panel.series for word in series.y))


def _panel(axis: "Axes", chart: Chart, panel: Panel) -> None:
    draw = {"bars": _bars, "stacked": _stacked, "points": _points, "lines": _points}[chart.kind]
    draw(axis, chart, panel.series)
    axis.set_title(panel.title, loc="left", fontsize=9)
    axis.set_xlabel(chart.x_title)
    if chart.reference is not None:
        axis.axhline(chart.reference, color="#374151", linewidth=0.8, linestyle=":")
    if chart.log_x:
        ticks = sorted({float(x) for series in panel.series for x in series.x})
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()


def _points(axis: "Axes", chart: Chart, members: list[Series]) -> None:
    for series in members:
        if series.symbol == "none":
            axis.plot(series.x, series.y, "--", color=series.colour, linewidth=1, zorder=1)
            continue
        axis.plot(
            series.x,
            series.y,
            linestyle="-" if chart.kind == "lines" else "none",
            marker=_MARKERS[series.symbol],
            markersize=7 if chart.kind == "points" else 5,
            markerfacecolor="none" if series.symbol.endswith("open") else series.colour,
            color=series.colour,
            label=series.name,
        )


def _bars(axis: "Axes", chart: Chart, members: list[Series]) -> None:
    words = list(dict.fromkeys(str(word) for series in members for word in series.x))
    words.sort(key=lambda word: int(word.split()[0]))
    width = 0.8 / max(len(members), 1)
    for index, series in enumerate(members):
        where = [words.index(str(word)) - 0.4 + width * (index + 0.5) for word in series.x]
        axis.bar(where, series.y, width * 0.92, color=series.colour, label=series.name)
    axis.set_xticks(range(len(words)), words)
    axis.grid(axis="x", visible=False)


def _stacked(axis: "Axes", chart: Chart, members: list[Series]) -> None:
    words = _words(Panel("", members))
    left = dict.fromkeys(words, 0.0)
    for series in members:
        lengths = [float(length) for length in series.x]
        for number, (length, word) in enumerate(zip(lengths, map(str, series.y), strict=True)):
            name = series.name if number == 0 else "_"
            axis.barh(words.index(word), length, 0.7, left[word], color=series.colour, label=name)
            left[word] += length
    axis.set_yticks(range(len(words)), words)
    axis.set_ylim(len(words) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
