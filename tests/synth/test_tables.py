"""Tables go into pages of the documentation, between comments."""

import re
from pathlib import Path

import pytest
from helpers.command_line import check_refused

from amxfp4.errors import UsageError
from amxfp4.synth.tables import insert, main

TEXT = "# A title\n\nWhat it means.\n\n## MAC units\n\n| a |\n| --: |\n| 1 |\n"


def test_tables_go_into_a_page_and_can_be_renewed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- area x -->\nold\n<!-- end of area x -->\nafter\n")
    insert(page, "area x", TEXT)
    once = page.read_text()
    assert once.startswith("before\n<!-- area x -->\n\n### MAC units\n")
    assert once.endswith("<!-- end of area x -->\nafter\n")
    assert "old" not in once
    insert(page, "area x", TEXT)
    assert page.read_text() == once


@pytest.mark.parametrize("text", ["", "<!-- area x -->\n", "<!-- area y -->\n<!-- end of area y -->\n"])
def test_a_page_without_a_place_for_tables_is_refused(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(UsageError, match=re.escape("has no lines '<!-- area x -->' and '<!-- end of area x -->'")):
        insert(page, "area x", TEXT)
    assert page.read_text() == text


def test_from_the_command_line(tmp_path: Path) -> None:
    page, tables = tmp_path / "page.md", tmp_path / "area.md"
    page.write_text("<!-- area x -->\n<!-- end of area x -->\n")
    tables.write_text(TEXT)
    main([str(tables), str(page), "area x"])
    assert "| 1 |" in page.read_text()


@pytest.mark.parametrize(
    "words, says",
    (
        ((), "0 words were given; it takes three"),
        (("area.md", "page.md"), "2 words were given; it takes three"),
        (("none.md", "page.md", "area x"), "there is no file 'none.md'"),
        (("area.md", "none.md", "area x"), "there is no file 'none.md'"),
    ),
)
def test_a_mistake_is_one_line(
    words: tuple[str, ...],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("area.md").write_text(TEXT)
    with pytest.raises(SystemExit) as done:
        main(words)
    check_refused(done.value.code, *capsys.readouterr(), says)
