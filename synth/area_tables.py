"""Area records for people: Markdown tables, and a bar chart of the areas of submodules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amxfp4.files import replacing
from amxfp4.hw.units import UNITS, Unit
from amxfp4.synth.record import Record
from amxfp4.synth.tables import Columns, Row, Table, by_unit, of_each_unit, ratio_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEANING = """\
- GE: area in gate equivalents, the library's smallest two-input NAND; the whole unit, registers included.
- GE/MAC, GE/element: gate equivalents per lane, which does one MAC, or converts one element, per cycle.
- delay: longest path through logic, without clock-to-output and setup; no wires.
- / MXFP4: area over that of MXFP4's unit with its float32 accumulator and as many lanes: what a user pays in all.
  MXFP4 is defined in blocks of 32. In other blocks the ratio is to a unit of its formats in the same blocks.
- / window: area over that of MXFP4's unit with a windowed accumulator and as many lanes, the smaller baseline.
- / symmetric: area over that of the unit with the same scale format and accumulator, but one scale per block: what
  asymmetry alone costs.
- / MAC: a quantiser's area over that of the MAC unit that it feeds (the same format on both sides).
"""

OWN = "pipeline"
"""What `by_part` calls a unit's own logic outside its submodules: registers between stages, and control."""


def area_tables(records: list[Record]) -> list[Table]:
    """A table for each kind of unit."""
    return by_unit(records, _figures)


def _figures(unit: Unit, members: list[Record]) -> Columns:
    return {
        "GE": lambda record: f"{record['area_ge']:,.0f}",
        f"GE/{unit.work}": lambda record: f"{record['area_ge_per_mac']:,.0f}",
        "flip-flops": lambda record: f"{record['flip_flops']:,}",
        "delay, ps": lambda record: f"{record['delay_ps']:,.0f}",
        "latency": lambda record: str(record["latency"]),
        **ratio_columns(unit, members),
    }


def markdown(records: list[Record]) -> str:
    """The tables of the units and of their submodules, with what each column means."""
    lines = [f"# Area and delay, library {records[0]['library']}", "", MEANING]
    for table in area_tables(records):
        lines += [f"## {table.title}", "", *table.markdown(), ""]
    for unit, members in of_each_unit(record for record in records if record["breakdown"]):
        lines += [f"## Breakdown of the {unit.title}, GE", "", *_breakdown(unit, members).markdown(), ""]
    lines += [
        f"By submodule, `{OWN}` being what lies outside any: registers between stages, and control. From a second run, "
        "which keeps submodules apart and maps them all for area alone, so its sum is not the unit's area.",
        "",
    ]
    return "\n".join(lines)


def _breakdown(unit: Unit, members: list[Record]) -> Table:
    parts = _parts(members)
    rows: list[Row] = []
    for record in members:
        areas = by_part(record)
        rows.append((record["name"], *(f"{areas[part]:,.0f}" if part in areas else "" for part in parts)))
    return Table(unit.title, ("unit", *parts), rows)


def by_part(record: Record) -> dict[str, float]:
    """The breakdown by submodule, in gate equivalents.

    Instances of a kind are added up: `scale0` and `scale1` to `scale`. A rounder counts for itself wherever it is, so
    that accumulators compare.
    """
    parts: dict[str, float] = {}
    for path, area in (record["breakdown"] or {}).items():
        names = [name.rstrip("$0123456789") for name in path.split(".") if name not in ("", OWN)]
        part = "rounder" if "rounder" in names else (names or [OWN])[0]
        parts[part] = round(parts.get(part, 0.0) + area, 2)
    return parts


def _parts(records: list[Record]) -> list[str]:
    """Every part of any record, in the order of appearance, the unit's own logic last."""
    parts = dict.fromkeys(part for record in records for part in by_part(record))
    return [part for part in parts if part != OWN] + [OWN]


def write_chart(records: list[Record], path: Path) -> None:
    """Writes a chart with one bar per unit: gate equivalents per lane, stacked by submodule.

    A tick shows where the unit as a whole comes out.

    Args:
        records: Those with a breakdown are drawn.
        path: Written whole or not at all, as the format that its suffix names.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = _panels([record for record in records if record["breakdown"]])
    heights = [len(members) + 1.2 for _, members in panels]
    # The same bytes every time: no date, and names of elements that do not change. Text stays text.
    with matplotlib.rc_context({"svg.hashsalt": "amxfp4", "svg.fonttype": "none", "font.size": 9}):
        figure, axes = plt.subplots(
            len(panels),
            1,
            figsize=(10, 0.36 * sum(heights) + 1),
            gridspec_kw={"height_ratios": heights},
            squeeze=False,
            layout="constrained",
        )
        for axis, (title, members) in zip(axes[:, 0], panels, strict=True):
            _bars(axis, title, members)
        figure.suptitle(f"Area by submodule, library {records[0]['library']}")
        with replacing(path) as temporary:
            figure.savefig(temporary, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=110)
        plt.close(figure)


def _panels(records: list[Record]) -> list[tuple[str, list[Record]]]:
    """A panel's title and its units, for each kind of unit and number of lanes."""
    panels = []
    for unit, members in of_each_unit(records):
        for lanes in sorted({record["lanes"] for record in members}):
            title = f"{unit.title}, {lanes} {'lane' if lanes == 1 else 'lanes'}"
            panels.append((title, [record for record in members if record["lanes"] == lanes]))
    return panels


def _label(unit: Unit, record: Record) -> str:
    """Formats, and what else tells a unit from others with as many lanes."""
    formats = dict.fromkeys(name for name in (record["activation"], record["weight"]) if name)
    others = [field for field in unit.columns if field not in ("activation", "weight", "format", "lanes")]
    return ", ".join([" x ".join(formats), *(str(record["config"][field]) for field in others)])


def _bars(axis: Axes, title: str, records: list[Record]) -> None:
    import matplotlib.pyplot as plt

    colours = plt.get_cmap("tab20").colors
    where = range(len(records))
    left = [0.0] * len(records)
    for index, part in enumerate(_parts(records)):
        widths = [by_part(record).get(part, 0.0) / record["lanes"] for record in records]
        colour = "0.75" if part == OWN else colours[index % len(colours)]
        axis.barh(where, widths, left=left, label=part, color=colour, height=0.7)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    whole = [record["area_ge_per_mac"] for record in records]
    axis.plot(whole, where, "k|", markersize=13, markeredgewidth=1.6, label="whole unit")
    axis.set_yticks(list(where), [_label(UNITS[record["unit"]], record) for record in records])
    axis.set_ylim(len(records) - 0.4, -0.6)
    axis.set_title(title, loc="left", fontsize=9)
    axis.set_xlabel("gate equivalents per lane")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
