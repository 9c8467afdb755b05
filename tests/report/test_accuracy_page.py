"""docs/accuracy.md has the tables of the results beside it."""

import json
import re
from pathlib import Path

import pytest
from helpers import report_samples

from amxfp4.accuracy.choice import as_used, study_cases
from amxfp4.accuracy.int4 import BASELINES
from amxfp4.accuracy.study_tables import TABLES, Record, best_rule
from amxfp4.accuracy.variants import VARIANTS
from amxfp4.errors import UsageError
from amxfp4.golden import block_format
from amxfp4.report.accuracy_page import PAGE, RESULTS, dumped, main, needed, update

DOCS = Path(__file__).parents[2] / "docs"
STUDY = json.loads((DOCS / RESULTS).read_text())
TEXT = (DOCS / PAGE).read_text()
DIRECT = [
    case
    for case in STUDY["cases"]
    if case["activation_bits"] <= 4.5 and case["weight_encode"] == "direct" and not case["rotation"]
]

WAY = tuple(key for key in as_used("NVFP4").to_dict() if key != "label")
"""What tells ways of quantising apart."""


def plain_of(record: Record, attribute: str, value: str | None = None) -> Record:
    """The record of the same way with this value of one attribute."""
    wanted = {key: record[key] for key in WAY} | {attribute: value}
    (found,) = (case for case in STUDY["cases"] if {key: case[key] for key in WAY} == wanted)
    return dict(found)


def error_of(record: Record) -> float:
    return float(1 - record["end_to_end"]["linear and attention"]["cosine_mean"])


@pytest.mark.parametrize("place", TABLES)
def test_the_table_is_that_of_the_results(place: str) -> None:
    """`python -m amxfp4.report.accuracy_page build/accuracy docs` brings it up to date."""
    assert f"<!-- {place} -->\n\n{TABLES[place](STUDY)}\n\n<!-- end of {place} -->\n" in TEXT


def test_the_page_has_no_other_table_of_figures() -> None:
    outside = re.sub(r"<!-- ([a-z0-9 ]+) -->\n.*?<!-- end of \1 -->", "", TEXT, flags=re.DOTALL)
    assert "<!--" not in outside
    assert not [line for line in outside.splitlines() if line.startswith("|")]


def test_the_results_are_of_todays_study() -> None:
    """Every way of today, in order."""
    for name, ways in ("cases", study_cases(quick=False)), ("int4", BASELINES):
        expected = [way.to_dict() for way in ways]
        assert [{key: case[key] for key in expected[0]} for case in STUDY[name]] == expected
    assert [variant["name"] for variant in STUDY["variants"]] == list(VARIANTS)


def test_results_are_kept_as_they_are() -> None:
    assert needed({**STUDY, "example_blocks": []}) == STUDY
    assert dumped(STUDY) == (DOCS / RESULTS).read_text()


def test_what_the_page_says_in_words_is_so() -> None:
    """The claims of its first section."""

    def error(label: str, size: int = 32) -> float:
        (found,) = (
            case
            for case in STUDY["cases"]
            if (case["label"], case["block_size"]) == (label, size)
            and (case["rounding"] == "nearest-away" or label.startswith("NVFP4"))
        )
        return error_of(found)

    best = best_rule(STUDY)
    assert best is not None and best["label"] == "MXFP4, even"
    assert error("MXFP4, even") < error("MXFP4, ceil") < error("MXFP4")
    steps = error("MXFP4, even") - error("MXFP4-E4M3"), error("MXFP4-E4M3") - error("AMXFP4-E4M3")
    assert steps[0] > 2 * steps[1] > 0
    assert max(error("MXFP4-E4M3", 16), error("NVFP4", 16)) < error("AMXFP4-E5M2")
    assert error("AMXFP4-E4M3") < min(error("MXFP4-E4M3", 16), error("NVFP4", 16))
    assert abs(error("AMXFP4-Z8") - error("NVFP4", 16)) < 0.001
    sides = ("activation", "weight")
    one_sum = [case for case in DIRECT if not any(block_format(case[side]).asymmetric for side in sides)]
    least, second = sorted(one_sum, key=error_of)[:2]
    assert (least["label"], least["block_size"]) == ("AMXFP4-Z8", 16)
    assert error_of(second) > error_of(least) + 0.002


def test_four_over_six_helps_every_format() -> None:
    by_rule = [case for case in STUDY["cases"] if case["rule"] == "four-over-six"]
    for case in by_rule:
        assert error_of(case) < error_of(plain_of(case, "rule")) - 0.001, case["label"]
    (free,) = (case for case in by_rule if case["activation"] == "AMXFP4-E4M3")
    (z8,) = (case for case in DIRECT if (case["label"], case["block_size"]) == ("AMXFP4-Z8", 16))
    assert abs(error_of(free) - error_of(z8)) < 0.0005


def test_int4_is_where_the_page_says() -> None:
    per_row, turned, grouped, both = map(error_of, STUDY["int4"])
    assert both < grouped < turned < per_row
    in_32 = [case for case in DIRECT if case["block_size"] == 32 and case["activation"] == case["weight"]]
    mantissa = [case for case in in_32 if block_format(case["activation"]).scale.is_fp8]
    assert max(map(error_of, mantissa)) < both < min(error_of(case) for case in in_32 if case not in mantissa)


def test_rotations_help_int4_and_no_format_of_blocks() -> None:
    for turned in (case for case in STUDY["cases"] if case["rotation"]):
        assert error_of(turned) > error_of(plain_of(turned, "rotation")) + 0.002, turned["label"]


def test_least_error_weights_gain_what_the_page_says() -> None:
    gains = {
        (case["label"].removesuffix(", least-error weights"), case["block_size"]): (
            error_of(plain_of(case, "weight_encode", "direct")) - error_of(case)
        )
        for case in STUDY["cases"]
        if case["weight_encode"] == "least-error"
    }
    assert abs(gains.pop(("MXFP4, even", 32))) < 0.0005
    assert min(gains, key=lambda name: gains[name]) == ("AMXFP4-E5M2", 32)
    best = [gains[name] for name in gains if name[0] in ("AMXFP4-Z", "AMXFP4-Z8") or name[1] == 16]
    assert min(best) > max(gain for gain in gains.values() if gain not in best)


def test_variants_are_in_the_order_that_the_page_says() -> None:
    outputs = {variant["name"]: variant["output"] for variant in STUDY["variants"]}
    assert max(outputs, key=lambda name: outputs[name]) == "AMXFP4-Z"
    assert outputs["AMXFP4-X2"] < outputs["ratios 1, 3/4, 1/2, 1/4"] < outputs["AMXFP4-Z8"]
    assert outputs["shared exponent, a 4-bit significand a side"] < outputs["AMXFP4-E4M3"]


def test_update_writes_tables_results_and_pictures(tmp_path: Path) -> None:
    report_samples.write(tmp_path)
    docs, measured = tmp_path / "docs", tmp_path / "build/accuracy"
    (docs / RESULTS.parent).mkdir(parents=True)
    (docs / PAGE).write_text(TEXT)
    (measured / "sides.svg").write_text("<svg/>")
    update(measured, docs)
    kept = needed(report_samples.study())
    assert json.loads((docs / RESULTS).read_text()) == kept
    assert TABLES["headline"](kept) in (docs / PAGE).read_text()
    assert (docs / RESULTS.parent / "sides.svg").read_text() == "<svg/>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "what `amxfp4 accuracy` writes"),
        ("[]", "what `amxfp4 accuracy` writes"),
        ('{"quick": false, "model": "m", "cases": []}', "it lacks something of a study: 'int4'"),
        (json.dumps(report_samples.study() | {"quick": True}), "is of a quick study"),
    ],
)
def test_another_study_is_refused_before_anything_is_written(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "accuracy.json").write_text(text)
    with pytest.raises(UsageError, match=says):
        update(tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["accuracy.json"]


@pytest.mark.parametrize(
    ("words", "says"), [([], "0 words were given; it takes two"), (["nowhere", "docs"], "accuracy.json'")]
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(words)
    said = capsys.readouterr().err
    assert (stopped.value.code, said.count("\n")) == (2, 1)
    assert said.startswith("error: ") and says in said
    assert not list(tmp_path.iterdir())
