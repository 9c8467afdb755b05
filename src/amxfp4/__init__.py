"""AMXFP4: 4-bit floats in blocks of 32 with one scale for positive and one for negative elements.

    import amxfp4

    blocks = amxfp4.quantize(x, "AMXFP4")  # x: a float32, float16 or bfloat16 array
    y = amxfp4.matmul(blocks, amxfp4.quantize(w, "AMXFP4"))

The rooms of the project are packages:

- `amxfp4.golden`: the bit-exact NumPy model.
- `amxfp4.hw`: the hardware in Amaranth.
- `amxfp4.sim`: the benches, and layers through the simulated hardware.
- `amxfp4.synth`: gates, delay, energy and FPGA.
- `amxfp4.formal`: the proofs.
- `amxfp4.accuracy`: what each format does to a real transformer.
- `amxfp4.report`: all results on one page.
- `amxfp4.cli`: the command line.

Each name is imported when it is first used, so that a program pays only for the names that it uses.
"""

from typing import TYPE_CHECKING

from amxfp4.errors import UsageError
from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4 import accuracy, cli, formal, golden, hw, report, sim, synth
    from amxfp4.golden import Blocks, block_format, dot, matmul, quantize
    from amxfp4.version import __version__
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "Blocks",
    "UsageError",
    "__version__",
    "accuracy",
    "block_format",
    "cli",
    "dot",
    "formal",
    "golden",
    "hw",
    "matmul",
    "quantize",
    "report",
    "sim",
    "synth",
]
