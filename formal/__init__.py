"""Proofs that the hardware is plain arithmetic for all inputs, each with a broken twin that must be refuted."""

from amxfp4.formal.run import all_proofs, chosen_proofs, prove_all, prove_by_name

__all__ = ["all_proofs", "chosen_proofs", "prove_all", "prove_by_name"]


def __dir__() -> list[str]:
    return sorted(__all__)
