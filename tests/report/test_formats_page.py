"""docs/formats.md has today's tables and pictures, and docs/numerics.md the same facts."""

import re
from pathlib import Path

import pytest
from helpers.command_line import check_refused
from helpers.docs import DOCS, generated, page, tables

from amxfp4.errors import UsageError
from amxfp4.golden import BLOCK_FORMAT_NAMES, SCALE_FORMATS, block_format
from amxfp4.report.format_picture import format_picture
from amxfp4.report.format_table import casts_table, facts_table
from amxfp4.report.formats_page import main, picture_name, update

# -- docs/formats.md: `python -m amxfp4.report.formats_page docs` brings it up to date ---------------------------------


def test_the_tables_are_todays() -> None:
    assert generated("formats.md", "formats") == facts_table()
    assert generated("formats.md", "casts") == casts_table()


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_the_picture_is_todays_and_shown(name: str) -> None:
    assert (DOCS / picture_name(name)).read_text() == format_picture(block_format(name))
    assert f"]({picture_name(name)})" in page("formats.md")


def test_no_picture_is_left_over() -> None:
    there = {path.name for path in (DOCS / "images").glob("format-*.svg")}
    assert there == {Path(picture_name(name)).name for name in BLOCK_FORMAT_NAMES}


def test_every_format_has_a_section_and_a_word_on_when_to_take_it() -> None:
    headings = " ".join(re.findall(r"^## (.*)$", page("formats.md"), re.MULTILINE))
    advice = next(
        table for table in tables(page("formats.md")) if table[0] == ["format", "who made it", "when to take it"]
    )
    named = " ".join(row[0] for row in advice[1:])
    for name in BLOCK_FORMAT_NAMES:
        assert re.search(rf"(^|[ ,]){name}([ ,]|$)", headings), name
        assert f"`{name}`" in named, name


def test_update_writes_the_page(tmp_path: Path) -> None:
    text = re.sub(r"(<!-- (formats|casts) -->\n).*?(<!-- end)", r"\1\3", page("formats.md"), flags=re.DOTALL)
    (tmp_path / "formats.md").write_text(text)
    update(tmp_path)
    assert (tmp_path / "formats.md").read_text() == page("formats.md")
    assert len(list((tmp_path / "images").iterdir())) == len(BLOCK_FORMAT_NAMES)
    (tmp_path / "formats.md").write_text("no places")
    with pytest.raises(UsageError, match="has no lines"):
        update(tmp_path)


@pytest.mark.parametrize(
    ("words", "says"),
    [([], "0 words were given; it takes one"), (["nowhere"], "there is no file 'nowhere/formats.md'")],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as done:
        main(words)
    check_refused(done.value.code, *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())


# -- docs/numerics.md -------------------------------------------------------------------------------------------------


def numerics(first: str) -> list[list[str]]:
    """The rows of the table whose heading begins so."""
    return next(table[1:] for table in tables(page("numerics.md")) if table[0][0] == first)


def test_the_contract_has_every_scale() -> None:
    rows = {row[0]: row[1:] for row in numerics("name")}
    assert set(rows) == set(SCALE_FORMATS)
    for name, scale in SCALE_FORMATS.items():
        bits, values, nan = rows[name]
        assert bits.split()[0] == str(scale.bits)
        assert nan.split()[0] == f"0x{scale.nan_codes[0]:02X}"
        if scale.is_fp8:
            assert f"2^{scale.least_exponent} .. {scale.max_value:g}" in values
        else:
            assert values.startswith("2^-127 .. 2^127")


def contract() -> dict[str, list[str]]:
    """The rows of the contract's table of formats, by name."""
    rows = {}
    for names, *facts in numerics("format"):
        for name in re.findall(r"`([^`]+)`", names):
            rows[name] = facts
    return rows


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_the_contract_has_every_format(name: str) -> None:
    fmt = block_format(name)
    scales, asymmetry, memory, size, _ = contract()[name]
    count = {"one": 1, "two": 2}[scales.split()[0]]
    assert (count, scales.split()[1]) == (fmt.scales_per_block, fmt.scale.name)
    assert asymmetry == (f"{fmt.asymmetry_bits}" if fmt.has_asymmetry_code else "none")
    assert memory == f"{fmt.bits_per_element:g}"
    assert size == f"{fmt.block_size}"


def test_the_contract_has_no_other_format() -> None:
    assert {block_format(name).name for name in contract()} == set(BLOCK_FORMAT_NAMES)


def test_the_contract_says_where_asymmetry_bits_lie() -> None:
    rows = {row[0].strip("`"): row[1:] for row in numerics("asymmetry code of")}
    assert set(rows) == {name for name in BLOCK_FORMAT_NAMES if block_format(name).has_asymmetry_code}
    for name, (within, apart, _, _) in rows.items():
        fmt = block_format(name)
        low = fmt.asymmetry_bits_in_scale
        assert within == ("bit 0" if low else "none")
        assert apart == {(0, 2): "bits 0 and 1", (1, 0): "none", (1, 1): "bit 1"}[low, fmt.asymmetry_bits_apart]
