"""The bit-exact golden model: what every unit must compute, and in which cycle."""
