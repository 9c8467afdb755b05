"""Faults put into the RTL on purpose, each of which a bench must catch."""
