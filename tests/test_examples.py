"""The Python of the pages runs, and gives what the pages say."""

import doctest
import inspect
from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Fragment
from helpers.documented import ROOT, python_blocks

from amxfp4.synth import area
from amxfp4.synth.ratios import REFERENCES

PAGES = [page for page in (*ROOT.glob("*.md"), *sorted((ROOT / "docs").glob("*.md"))) if python_blocks(page)]
FULL = ("docs/sweeps.md",)
"""Pages whose examples take minutes. The quick run has them with figures that are not measured."""


def play(page: Path, names: dict[str, Any]) -> None:
    """Runs a page's examples one after the other: as a session of the interpreter if they look like one."""
    text = "\n".join(python_blocks(page))
    if ">>> " not in text:
        exec(compile(text, str(page), "exec"), names)
        return
    examples = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), None)
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append, clear_globs=False)
    assert not report, "".join(report)


def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """`measure_area` takes what it takes, and gives a record of no unit."""
    signature = inspect.signature(area.measure_area)

    def measure(*args: Any, **options: Any) -> dict[str, Any]:
        config = signature.bind(*args, **options).arguments["config"]
        fields = ("name", "activation", "weight", "block_size", "lanes", "accumulator")
        described = {field: getattr(config, field) for field in fields}
        ratios = dict.fromkeys(REFERENCES)
        return {"unit": "mac", "config": config.as_dict(), "library": "none", "area": 1.0, **ratios, **described}

    monkeypatch.setattr(area, "measure_area", measure)


def check(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    play(page, names)
    if page.name == "README.md":
        assert (names["y"].shape, str(names["y"].dtype)) == ((64, 256), "float32")
        assert {"i", "o"} <= set(names["unit"].signature.members)
        Fragment.get(names["unit"], None)  # which is also what Amaranth warns of when it is never done
    if page.name == "sweeps.md":
        assert len(names["records"]) > len(names["configs"]) > 0  # with the units that ratios are taken to
        assert None not in {record["ratio_to_mxfp4"] for record in names["records"]}


def test_pages_with_examples() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "api.md", "sweeps.md"}
    assert python_blocks(ROOT / "docs" / "api.md")[0].startswith(">>> ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if str(page.relative_to(ROOT)) in FULL:
        unmeasured(monkeypatch)
    check(page)


@pytest.mark.full
@pytest.mark.parametrize("page", FULL)
def test_long_examples(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check(ROOT / page)


def test_a_wrong_example_is_caught(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    fence = 3 * "`"
    page.write_text(f"Says:\n\n{fence}python\n>>> 1 + 1\n3\n{fence}\n")
    with pytest.raises(AssertionError, match=r"Expected:\s+3\s+Got:\s+2"):
        play(page, {})
