"""Holds the simulated RTL to the golden model: cocotb benches, and a run of a whole layer."""
