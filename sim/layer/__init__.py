"""A whole linear layer through the simulated RTL."""
