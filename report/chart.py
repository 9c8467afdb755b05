"""A chart as data, so that the page and the still pictures show the same."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["points", "lines", "bars", "stacked"]
Symbol = Literal["circle", "square", "circle-open", "square-open", "none"]


@dataclass(frozen=True)
class Series:
    """What the legend has one entry for.

    Attributes:
        name: the entry; several series may share one.
        x, y: as many of each; x are words for bars. For "stacked" bars lie, and `x` is their length, `y` their word.
        hover: a text a point.
        colour: as #rrggbb.
        symbol: of points; "none" draws a dashed line only, without an entry.
    """

    name: str
    x: list[float] | list[str]
    y: list[float] | list[str]
    hover: list[str]
    colour: str
    symbol: Symbol = "circle"


@dataclass(frozen=True)
class Panel:
    """Axes of their own."""

    title: str
    series: list[Series]


@dataclass(frozen=True)
class Chart:
    """One figure.

    Attributes:
        key: its file's name and its anchor on the page.
        title: a few words.
        caption: what is shown, and how it was measured.
        reference: a dotted line at this value of the y axis, or None.
        log_x: the x axis doubles from tick to tick.
        shared_x: panels have one scale for x.
        shared_y: panels have one scale for y.
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
