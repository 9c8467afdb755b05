"""A chart as data, so that the page and the still pictures show the same."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["points", "lines", "bars", "stacked"]
Symbol = Literal["circle", "square", "circle-open", "square-open", "diamond", "diamond-open", "none"]


@dataclass(frozen=True)
class Series:
    """What the legend has one entry for.

    Attributes:
        name: The entry; several series may share one.
        x: One per point; words for bars. For "stacked", whose bars lie, their lengths.
        y: One per point. For "stacked", the bars' words.
        hover: One text per point.
        colour: As #rrggbb.
        symbol: Of points. "none" draws only a dashed line, without an entry.
    """

    name: str
    x: list[float] | list[str]
    y: list[float] | list[str]
    hover: list[str]
    colour: str
    symbol: Symbol = "circle"


@dataclass(frozen=True)
class Panel:
    """A part of a chart with axes of its own."""

    title: str
    series: list[Series]


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        key: Its file's name and its anchor on the page.
        title: A few words.
        caption: What is shown, and how it was measured.
        kind: How it is drawn.
        x_title: Of the x axis.
        y_title: Of the y axis.
        panels: From left to right, then down.
        reference: A dotted line at this value of the y axis, or None.
        log_x: The x axis doubles from tick to tick.
        shared_x: Panels have one scale for x.
        shared_y: Panels have one scale for y.
    """

    key: str
    title: str
    caption: str
    kind: Kind
    x_title: str
    y_title: str
    panels: list[Panel] = field(default_factory=list)
    reference: float | None = None
    log_x: bool = False
    shared_x: bool = False
    shared_y: bool = True


PALETTE = ("#6b7280", "#0072b2", "#e69f00", "#d55e00", "#56b4e9", "#009e73", "#8b3fa8", "#b8860b", "#cc79a7", "#1f2937")
"""Told apart by colour-blind people too; the baseline comes first, in grey."""
