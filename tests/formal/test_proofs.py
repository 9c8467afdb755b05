"""Every proof, with its broken twin; the quick ones in every run."""

import pytest

from amxfp4.formal.proof import Proof, prove
from amxfp4.formal.run import all_proofs

QUICK = {
    "element-sign",
    "element-product",
    "direct-product",
    "direct-term",
    "scale-decode",
    "rounder",
    "float32-rounding",
    "float32-steps",
    "quantizer-scale-bfloat16",
    "quantizer-scale-float32",
    "quantizer-rules-bfloat16",
    "quantizer-rules-float32",
    "quantizer-rules-monotone",
    "quantizer-monotone",
    "special-eight",
    "special-twelve",
    "stream-store",
}
"""Proofs that take three seconds of CPU at most."""
PROOFS = [
    pytest.param(proof, id=proof.name, marks=[] if proof.name in QUICK else [pytest.mark.full])
    for proof in all_proofs()
]


@pytest.mark.parametrize("proof", PROOFS)
def test_proof_holds_and_its_twin_is_refuted(proof: Proof) -> None:
    verdict = prove(proof)
    assert verdict.proven, verdict.found
    assert verdict.refuted, f"the twin holds: {proof.twin}"


def test_quick_proofs_exist() -> None:
    assert {proof.name for proof in all_proofs()} >= QUICK
