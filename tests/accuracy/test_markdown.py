"""The page of tables."""

from typing import Any

from amxfp4.accuracy.markdown import cases_table, study_page
from amxfp4.accuracy.summary import select_cases


def tables(page: str) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    inside = False
    for line in page.splitlines():
        if line.startswith("|"):
            if not inside:
                found.append([])
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        inside = line.startswith("|")
    return found


def test_every_row_has_every_column(result: dict[str, Any]) -> None:
    page = study_page(result, ["one.svg", "two.svg"])
    found = tables(page)
    # What is used; rotations and least error, empty in a quick study; four over six; tensor scales; blocks of 32;
    # blocks of 16 with NVFP4's ties, and without; three operands; one feature; variants; sides. None of NaN.
    assert len(found) == 14
    for table in found:
        assert {len(row) for row in table} == {len(table[0])}
        assert all(all(row) for row in table)
    assert page.endswith("![one.svg](one.svg)\n\n![two.svg](two.svg)\n")
    assert "There is none." in page


def test_nan_by_activation(result: dict[str, Any]) -> None:
    def layer(blocks: int, bad: int, ratio: float | None, lost: float) -> dict[str, Any]:
        names = (
            "blocks",
            "reference_nan_blocks",
            "reference_nan_elements",
            "our_nan_blocks",
            "our_sqnr",
            "largest_lost",
        )
        return dict(zip(names, (blocks, bad, bad, 0, ratio, lost), strict=True))

    underflow = {
        "16": {"value": [layer(100, 3, 19.0, 1e-6), layer(100, 1, 17.25, 2e-6)], "key": [layer(9, 0, None, 0)]}
    }
    sentences = {"16": {"linear": 2, "linear and attention": 5}}
    page = study_page({**result, "underflow": underflow, "sentences_with_reference_nan": sentences})
    assert tables(page)[-1][2:] == [["value, blocks of 16", "200", "4", "2%", "0", "17.2", "2.0e-06"]]
    assert f"blocks of 16: 2 of {result['sentences']} in linear layers, 5 with attention." in page


def test_the_table_says_what_was_measured(result: dict[str, Any]) -> None:
    cases = select_cases(result["cases"], 32, "nearest-away")
    ((headings, _, *rows),) = tables(cases_table(cases))
    assert headings[:5] == ["format", "input bits", "SQNR inputs", "SQNR weights", "SQNR outputs"]
    assert headings[5:] == ["cosine linear", "cosine + att.", "rank linear", "rank + att."]
    assert [row[0] for row in rows] == [case["label"] for case in cases]
    assert rows[2][4] == f"{cases[2]['linear_layers_mean']['output']:.2f}"


def test_without_variants_there_is_no_table_of_them(result: dict[str, Any]) -> None:
    assert "## One sum" in study_page(result)
    assert "## One sum" not in study_page({**result, "variants": []})


def test_agreement_is_said(result: dict[str, Any]) -> None:
    assert "2.7e-07, where 1e-04 is allowed" in study_page({**result, "published_difference": 2.7e-7})
    assert "No sentence was among those" in study_page({**result, "published_difference": None})
