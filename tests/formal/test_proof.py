"""Deciding proofs: a false claim is found, a proof without claims refused, a twin that holds is no good."""

from collections.abc import Iterable

import pytest
import z3

from amxfp4.formal.proof import Claim, Proof, by_cases, counterexample, prove

x = z3.BitVec("x", 8)
TRUE = (x & 1) + (z3.LShR(x, 1) << 1) == x
FALSE = x + 1 > x


def proof(claims: Iterable[Claim], twin: Iterable[Claim]) -> Proof:
    return Proof("name", "statement", "method", "scope", "twin", lambda broken: twin if broken else claims)


def test_a_good_proof() -> None:
    verdict = prove(proof([TRUE, TRUE], [TRUE, FALSE]))
    assert verdict.good
    assert (verdict.proven, verdict.refuted, verdict.claims, verdict.found) == (True, True, 2, "")


def test_a_false_claim_is_found_with_values_that_contradict_it() -> None:
    verdict = prove(proof([TRUE, FALSE, TRUE], [FALSE]))
    assert not verdict.good and not verdict.proven
    assert verdict.found == "claim 2 does not hold for x = 127"


def test_a_twin_that_holds_is_no_good() -> None:
    verdict = prove(proof([TRUE], [TRUE]))
    assert verdict.proven and not verdict.refuted and not verdict.good


def test_a_proof_without_claims_is_refused() -> None:
    with pytest.raises(AssertionError, match="name claims nothing"):
        prove(proof([], [FALSE]))


def test_counterexample() -> None:
    assert counterexample(TRUE) is None
    model = counterexample(x != 77)
    assert model is not None and model[x].as_long() == 77


def test_cases_that_cover_everything_are_as_good_as_the_claim() -> None:
    patterns = [z3.Concat(z3.BitVecVal(top, 2), z3.Extract(5, 0, x)) for top in range(4)]
    claims = list(by_cases(TRUE, x, patterns))
    assert len(claims) == 5
    assert all(counterexample(claim) is None for claim in claims)
    assert any(counterexample(claim) is not None for claim in by_cases(FALSE, x, patterns))


def test_a_case_left_out_is_found() -> None:
    patterns = [z3.Concat(z3.BitVecVal(top, 2), z3.Extract(5, 0, x)) for top in range(3)]
    covered, *cases = by_cases(x != 200, x, patterns)
    assert all(counterexample(claim) is None for claim in cases), "200 is in none of the cases"
    model = counterexample(covered)
    assert model is not None and model[x].as_long() >= 192


def test_cases_need_cover_only_what_is_given() -> None:
    covered, only = by_cases(x == 3, x, [z3.BitVecVal(3, 8)], given=z3.And(z3.UGT(x, 2), z3.ULT(x, 4)))
    assert counterexample(covered) is None and counterexample(only) is None
