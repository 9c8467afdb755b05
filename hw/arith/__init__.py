"""Arithmetic that more than one block of the hardware is made of."""
