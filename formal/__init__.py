"""Proofs that the hardware is plain arithmetic: for all inputs, by SMT, each with a broken twin that is refuted."""
