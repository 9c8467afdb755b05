"""Area records for people: Markdown and a bar chart of the breakdown.

`python -m amxfp4.synth.tables build/area/area.md docs/results.md "area amxfp4_generic"` puts the tables into the
documentation, and any other file's likewise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from amxfp4.errors import UsageError
from amxfp4.files import replacing, write_text
from amxfp4.synth.area import OWN, Record, by_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEANING = """\
- GE: area in gate equivalents, the library's smallest two-input NAND; the whole unit, registers included.
- GE/MAC: gate equivalents for one MAC a cycle, which is what a lane does.
- delay: longest path through logic, without clock-to-output and setup; no wires.
- / MXFP4: area over that of MXFP4's unit with its float32 accumulator and as many lanes: what a user pays in all.
- / symmetric: area over that of the unit with the same scale format and accumulator, but one scale a block: what
  asymmetry alone costs.
- / MAC: a quantiser's area over that of the MAC unit that it feeds (the same format on both sides).
"""

Row = tuple[str, ...]

MAC_HEADINGS: Row = (
    "activation",
    "weight",
    "lanes",
    "accumulator",
    "GE",
    "GE/MAC",
    "flip-flops",
    "delay, ps",
    "latency",
    "/ MXFP4",
    "/ symmetric",
)
QUANTIZER_HEADINGS: Row = (
    "format",
    "input",
    "lanes",
    "GE",
    "GE/lane",
    "flip-flops",
    "delay, ps",
    "latency",
    "/ MXFP4",
    "/ symmetric",
    "/ MAC",
)

LEFT = {"activation", "weight", "accumulator", "format", "input", "unit"}
"""Headings of columns that are words, not numbers."""


def mac_rows(records: Iterable[Record]) -> list[Row]:
    """The cells of the MAC units' table, in the order of `MAC_HEADINGS`."""
    return [
        (
            record["activation"],
            record["weight"],
            str(record["lanes"]),
            record["accumulator"],
            f"{record['area_ge']:,.0f}",
            f"{record['area_ge_per_mac']:,.0f}",
            f"{record['flip_flops']:,}",
            f"{record['delay_ps']:,.0f}",
            str(record["latency"]),
            _ratio(record["ratio_to_mxfp4"]),
            _ratio(record["ratio_to_symmetric"]),
        )
        for record in records
        if record["unit"] == "mac"
    ]


def quantizer_rows(records: Iterable[Record]) -> list[Row]:
    """The cells of the quantisers' table, in the order of `QUANTIZER_HEADINGS`."""
    return [
        (
            record["activation"],
            record["config"]["input"],
            str(record["lanes"]),
            f"{record['area_ge']:,.0f}",
            f"{record['area_ge_per_mac']:,.0f}",
            f"{record['flip_flops']:,}",
            f"{record['delay_ps']:,.0f}",
            str(record["latency"]),
            _ratio(record["ratio_to_mxfp4"]),
            _ratio(record["ratio_to_symmetric"]),
            _ratio(record["ratio_to_mac"]),
        )
        for record in records
        if record["unit"] == "quantizer"
    ]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def markdown(records: list[Record]) -> str:
    """Tables of the MAC units, of the quantisers and of the breakdown, with what each column means."""
    library = records[0]["library"]
    lines = [f"# Area and delay, library {library}", "", MEANING]
    for title, headings, rows in (
        ("MAC units", MAC_HEADINGS, mac_rows(records)),
        ("Quantisers", QUANTIZER_HEADINGS, quantizer_rows(records)),
    ):
        if rows:
            lines += [f"## {title}", "", *_table(headings, rows), ""]
    for unit, title in (("mac", "MAC units"), ("quantizer", "Quantisers")):
        broken = [record for record in records if record["unit"] == unit and record["breakdown"]]
        if broken:
            parts = _parts(broken)
            rows = [
                (
                    record["name"],
                    *(f"{by_part(record)[part]:,.0f}" if part in by_part(record) else "" for part in parts),
                )
                for record in broken
            ]
            lines += [f"## Breakdown of the {title}, GE", "", *_table(("unit", *parts), rows), ""]
    lines += [
        f"By submodule, `{OWN}` being what lies outside any: registers between stages, and control. From a second run, "
        "which keeps submodules apart and maps them all for area alone, so its sum is not the unit's area.",
        "",
    ]
    return "\n".join(lines)


def _table(headings: Row, rows: list[Row]) -> list[str]:
    rule = (":--" if heading in LEFT else "--:" for heading in headings)
    return [f"| {' | '.join(row)} |" for row in (headings, tuple(rule), *rows)]


def _parts(records: list[Record]) -> list[str]:
    """Every part of any record, in the order of appearance, the unit's own logic last."""
    parts = dict.fromkeys(part for record in records for part in by_part(record))
    return [part for part in parts if part != OWN] + [OWN]


def write_chart(records: list[Record], path: Path) -> None:
    """A bar a unit, stacked by submodule, in gate equivalents a lane; a tick where the unit as a whole comes out.

    Written whole or not at all, as the format that the path's suffix names.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = [
        (title, [r for r in records if (r["unit"], r["lanes"]) == key and r["breakdown"]])
        for key, title in _panels(records).items()
    ]
    panels = [(title, members) for title, members in panels if members]
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


def _panels(records: list[Record]) -> dict[tuple[str, int], str]:
    names = {"mac": "MAC units", "quantizer": "quantisers"}
    keys = sorted({(record["unit"], record["lanes"]) for record in records})
    return {(unit, lanes): f"{names[unit]}, {lanes} {'lane' if lanes == 1 else 'lanes'}" for unit, lanes in keys}


def _label(record: Record) -> str:
    if record["unit"] == "quantizer":
        return f"{record['activation']}, {record['config']['input']}"
    pair = (record["activation"], record["weight"])
    return f"{pair[0] if pair[0] == pair[1] else ' x '.join(pair)}, {record['accumulator']}"


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
    axis.set_yticks(list(where), [_label(record) for record in records])
    axis.set_ylim(len(records) - 0.4, -0.6)
    axis.set_title(title, loc="left", fontsize=9)
    axis.set_xlabel("gate equivalents a lane")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)


def insert(page: Path, place: str, text: str) -> None:
    """Put the tables of `text` into a page of the documentation, between its comments `PLACE` and `end of PLACE`.

    The title and what precedes the first table or heading stay out; headings go down a level.
    Raises UsageError when the page does not have the comments.
    """
    begin, end = f"<!-- {place} -->\n", f"<!-- end of {place} -->\n"
    try:
        before, rest = page.read_text().split(begin)
        _, after = rest.split(end)
    except (OSError, ValueError):
        raise UsageError(f"{str(page)!r} has no lines {begin.strip()!r} and {end.strip()!r}; both are needed") from None
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith(("## ", "|"))), len(lines))
    tables = "\n".join(f"#{line}" if line.startswith("## ") else line for line in lines[first:]).strip()
    write_text(page, f"{before}{begin}\n{tables}\n\n{end}{after}")


if __name__ == "__main__":
    insert(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[1]).read_text())
