"""Proofs that the hardware is plain arithmetic for all inputs, each with a broken twin that must be refuted."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.formal.proof import Proof, Verdict, prove
    from amxfp4.formal.run import all_proofs, chosen_proofs, prove_all
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["Proof", "Verdict", "all_proofs", "chosen_proofs", "prove", "prove_all"]
