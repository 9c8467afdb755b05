"""What the study takes."""

import pytest

from amxfp4.accuracy import choice
from amxfp4.accuracy.case import Case
from amxfp4.accuracy.choice import BY_BLOCK_SIZE, as_used, headline_cases, study_cases
from amxfp4.golden import BLOCK_FORMAT_NAMES, rules_of


def test_each_way_is_measured_once() -> None:
    for quick in True, False:
        cases = study_cases(quick=quick)
        assert len(cases) == len(set(cases))
        assert set(headline_cases()) <= set(cases)
    assert set(study_cases(quick=True)) < set(study_cases(quick=False))


def test_every_format_is_measured() -> None:
    assert {*BY_BLOCK_SIZE, "NVFP4"} == set(BLOCK_FORMAT_NAMES)
    assert {case.activation for case in study_cases(quick=True)} == set(BLOCK_FORMAT_NAMES)


def test_labels_tell_ways_of_a_block_size_and_rounding_apart() -> None:
    cases = study_cases(quick=False)
    assert len({(case.label, case.block_size, case.rounding) for case in cases}) == len(cases)


def test_mxfp4_is_never_shown_by_its_plain_rule_alone() -> None:
    labels = [case.label for case in headline_cases()]
    assert labels[:3] == ["MXFP4", "MXFP4, even", "MXFP4, ceil"]
    assert "NVFP4" in labels


def test_a_format_as_it_is_used() -> None:
    assert as_used("NVFP4") == Case("NVFP4", "NVFP4", 16, "nearest-even")
    assert as_used("AMXFP4-Z8/16") == Case("AMXFP4-Z8", "AMXFP4-Z8", 16, "nearest-away")
    assert as_used("MXFP4", rule="ceil") == Case("MXFP4", "MXFP4", 32, "nearest-away", rule="ceil")


def test_a_rule_that_golden_gets_is_measured_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here MXFP4's own rules stand for one that FP8 scales may get."""
    monkeypatch.setattr(choice, "rules_of", lambda name: ("nearest", "even"))
    monkeypatch.setattr("amxfp4.accuracy.case.resolve_rule", lambda rule, fmt: rule)
    assert "NVFP4, even" in [case.label for case in headline_cases()]
    assert "AMXFP4-X2, even" in [case.label for case in study_cases(quick=False)]
    assert "even" not in rules_of("NVFP4")
