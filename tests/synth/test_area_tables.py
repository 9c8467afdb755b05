"""Area records as tables and as a chart."""

import re
from pathlib import Path
from typing import Any

import pytest

from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.hw.units import described
from amxfp4.synth import area_tables
from amxfp4.synth.area_tables import by_part
from amxfp4.synth.ratios import REFERENCES, with_ratios


def record(config: Any, ge: float, breakdown: dict[str, float] | None) -> dict[str, Any]:
    return {
        **described(config),
        "library": "x",
        "area": 4 * ge,
        "area_ge": ge,
        "area_ge_per_mac": ge / config.lanes,
        "flip_flops": 1234,
        "delay_ps": 987.6,
        "breakdown": breakdown,
        **dict.fromkeys(REFERENCES),
    }


RECORDS = with_ratios(
    [
        record(MacConfig("MXFP4", "MXFP4"), 4000.0, {"pipeline": 1500.0, "pipeline.sums": 2400.0}),
        record(MacConfig("AMXFP4", "AMXFP4"), 6000.4, {"pipeline": 2500.0, "pipeline.terms": 3400.0}),
        record(MacConfig("MXFP4", "MXFP4", lanes=1), 2000.0, None),
        record(
            QuantizerConfig("AMXFP4"), 3000.0, {"pipeline": 100.0, "pipeline.narrow0": 1.0, "pipeline.narrow1": 2.0}
        ),
    ]
)


LATENCY = [str(record["latency"]) for record in RECORDS]


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the table below a heading, its own headings first."""
    section = text.split(f"## {heading}\n")[1].split("##")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [rows[0], *rows[2:]]


def test_tables() -> None:
    text = area_tables.markdown(RECORDS)
    assert text.startswith("# Area and delay, library x\n")
    assert table(text, "MAC units")[1:] == [
        ["MXFP4", "MXFP4", "8", "fp32", "4,000", "500", "1,234", "988", LATENCY[0], "1.000", "-", "1.000"],
        ["AMXFP4-E5M2", "AMXFP4-E5M2", "8", "exact", "6,000", "750", "1,234", "988", LATENCY[1], "1.500", "-", "-"],
        ["MXFP4", "MXFP4", "1", "fp32", "2,000", "2,000", "1,234", "988", LATENCY[2], "1.000", "-", "1.000"],
    ]
    (row,) = table(text, "Quantisers")[1:]
    assert row[:5] == ["AMXFP4-E5M2", "bfloat16", "8", "3,000", "375"]
    assert row[-3:] == ["-", "-", "0.500"]
    assert table(text, "MAC units")[0] == [
        *("activation", "weight", "lanes", "accumulator", "GE", "GE/MAC", "flip-flops", "delay, ps", "latency"),
        *("/ MXFP4", "/ window", "/ symmetric"),
    ]
    assert table(text, "Quantisers")[0] == [
        *("format", "input", "lanes", "GE", "GE/element", "flip-flops", "delay, ps", "latency"),
        *("/ MXFP4", "/ symmetric", "/ MAC"),
    ]


def test_a_rule_has_a_column_where_one_was_chosen() -> None:
    plain, even = (record(QuantizerConfig("MXFP4", rule=rule), 3000.0, None) for rule in (None, "even"))
    rows = table(area_tables.markdown([plain, even]), "Quantisers")
    assert [row[:4] for row in rows] == [
        *(["format", "input", "lanes", "rule"], ["MXFP4", "bfloat16", "8", "floor"]),
        ["MXFP4", "bfloat16", "8", "even"],
    ]
    assert "rule" not in table(area_tables.markdown([plain]), "Quantisers")[0]


def test_a_chain_has_a_table_too() -> None:
    config = ChainConfig(MacConfig("AMXFP4", "MXFP4-E5M2", lanes=1))
    heading, row = table(area_tables.markdown([record(config, 3000.0, None)]), "Chains")
    assert heading[:6] == ["activation", "weight", "input", "lanes", "accumulator", "GE"]
    assert row[:6] == ["AMXFP4-E5M2", "MXFP4-E5M2", "bfloat16", "1", "exact", "3,000"]


@pytest.mark.parametrize(
    ("sizes", "says"),
    [((16,), "/ MXFP4 in blocks of 16"), ((16, 32), "/ MXFP4 in the same blocks"), ((32,), "/ MXFP4")],
)
def test_mxfp4_in_other_blocks_is_called_so(sizes: tuple[int, ...], says: str) -> None:
    units = [record(MacConfig("MXFP4", "MXFP4", size), 3000.0, None) for size in sizes]
    heading, *rows = table(area_tables.markdown(units), "MAC units")
    assert heading[-3] == says
    if sizes != (32,):
        assert [row[heading.index("block size")] for row in rows] == [str(size) for size in sizes]


def test_the_breakdown_has_a_column_for_each_part() -> None:
    parts, first, second = table(area_tables.markdown(RECORDS), "Breakdown of the MAC units, GE")
    assert parts == ["unit", "sums", "terms", "pipeline"]
    assert first == ["mac_mxfp4_x_mxfp4_l8_fp32", "2,400", "", "1,500"]
    assert second[1:] == ["", "3,400", "2,500"]
    parts, row = table(area_tables.markdown(RECORDS), "Breakdown of the Quantisers, GE")
    assert (parts[1:], row[1:]) == (["narrow", "pipeline"], ["3", "100"])


def test_every_row_has_as_many_cells_as_its_table() -> None:
    for block in re.findall(r"(?:^\|.*\n)+", area_tables.markdown(RECORDS), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_without_quantisers_there_is_no_table_of_them() -> None:
    text = area_tables.markdown(RECORDS[:1])
    assert "## MAC units" in text
    assert "Quantisers" not in text


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_chart_is_the_same_every_time(suffix: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{run}.{suffix}" for run in range(2)]
    for path in paths:
        area_tables.write_chart(RECORDS, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert sorted(tmp_path.iterdir()) == paths


def test_the_chart_names_units_and_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As text rather than outlines, which a reader could not search and a test could not read."""
    area_tables.write_chart(RECORDS, tmp_path / "x.svg")
    text = (tmp_path / "x.svg").read_text()
    for word in (
        "AMXFP4-E5M2, exact",
        "MXFP4, fp32",
        "AMXFP4-E5M2, bfloat16",
        "narrow",
        "terms",
        "whole unit",
        "8 lanes",
    ):
        assert word in text
    assert "1 lane" not in text  # has no breakdown


def test_the_breakdown_by_submodule() -> None:
    breakdown = {
        "": 1.0,
        "pipeline": 2.0,
        "pipeline.scale0": 3.0,
        "pipeline.scale1": 4.0,
        "pipeline.product$": 5.0,
        "pipeline.accumulator": 6.0,
        "pipeline.accumulator.rounder": 7.0,
        "pipeline.rounder": 8.0,
        "pipeline.rounder.leading": 9.0,
        "pipeline.sums.tree0": 10.0,
    }
    parts = by_part({"breakdown": breakdown})
    assert parts == {"pipeline": 3.0, "scale": 7.0, "product": 5.0, "accumulator": 6.0, "rounder": 24.0, "sums": 10.0}
    assert sum(parts.values()) == sum(breakdown.values())
    assert by_part({"breakdown": None}) == {}
