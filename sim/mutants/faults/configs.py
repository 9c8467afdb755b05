"""The units that faults are put into: for each part of the hardware a small unit that has it."""

from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig
from amxfp4.sim.units import narrowest

EXACT = MacConfig("AMXFP4", "AMXFP4", lanes=8)
"""The project's format and an exact accumulator."""
NARROW = narrowest(EXACT)
"""The same with so few bits that totals overflow."""
ONE_LANE = MacConfig("AMXFP4", "AMXFP4", lanes=1)
"""A product is a term of its own."""
FLOAT = MacConfig("AMXFP4", "AMXFP4", lanes=8, accumulator="fp32")
"""A float32 accumulator with shifters, and two scales per side."""
BASELINE = MacConfig("MXFP4", "MXFP4", lanes=8)
"""A float32 accumulator whose scales reach subnormals and infinity."""
STEPS = MacConfig("MXFP4", "MXFP4", lanes=1)
"""A float32 accumulator that shifts step by step."""
DIGITS_FLOAT = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1, accumulator="fp32")
"""The same, and its terms are made of digits."""
HALVING = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=8)
"""Halved sides, terms made of digits, and a total in words that are rounded on their way."""
SPECIAL = MacConfig("AMXFP4-Z", "AMXFP4-Z8", lanes=4)
"""Special values on both operands, one of two and one of one."""
ONE_SPECIAL = MacConfig("AMXFP4-Z8", "MXFP4-E4M3", lanes=4)
"""Special values on one operand."""
SERIAL = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=2)
"""The total is rounded in place."""
PLACED = MacConfig("AMXFP4-X2", "AMXFP4-X2", lanes=1)
"""Terms are made at their place in a word."""
WINDOW = MacConfig("MXFP4", "MXFP4", block_size=8, lanes=8, accumulator="window")
"""A window, whose terms are added in one cycle."""
WINDOW_WORDS = MacConfig("MXFP4", "MXFP4", lanes=8, accumulator="window")
"""A window in words."""

QUANTIZER = QuantizerConfig("AMXFP4", lanes=8)
"""The project's format from bfloat16."""
ONE_BEAT_QUANTIZER = QuantizerConfig("AMXFP4", lanes=8, block_size=8, maximum_registers=0)
"""A block is one beat."""
EVEN_QUANTIZER = QuantizerConfig("AMXFP4", lanes=4, input="float32", rounding="nearest-even")
"""Ties go to even."""
HALVING_QUANTIZER = QuantizerConfig("AMXFP4-X2", lanes=4, input="float32")
"""Chooses which side is halved."""
SPECIAL_QUANTIZER = QuantizerConfig("AMXFP4-Z", lanes=4)
"""Chooses between two special values, and their side."""
POWERS_QUANTIZER = QuantizerConfig("MXFP4", lanes=4, input="float32", rounding="nearest-even")
"""Scales are powers of two."""
ROUNDED_QUANTIZER = QuantizerConfig("MXFP4", lanes=2, rule="even")
"""Powers of two, of which a maximum from 7 scales on takes the next."""
CEIL_QUANTIZER = QuantizerConfig("MXFP4", lanes=4, input="float32", rule="ceil")
"""Powers of two, of which a maximum above 6 scales takes the next."""

TENSOR_QUANTIZER = QuantizerConfig("NVFP4", lanes=2)
"""Multiplies by the reciprocal of a tensor's scale."""

CHAIN = ChainConfig(MacConfig("MXFP4", "MXFP4", lanes=4))
"""A quantiser and a MAC unit."""
