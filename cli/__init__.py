"""AMXFP4: 4-bit floats in blocks of 32 with one scale for positive and one for negative elements.

`amxfp4.golden` is the bit-exact NumPy model, `amxfp4.hw` the Amaranth hardware, `amxfp4.sim` the benches.
"""
