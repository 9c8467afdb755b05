"""Arithmetic that several blocks of the hardware share."""
