"""What the hardware costs: gates, delay, energy, FPGA, and what each is compared with."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.synth.area import measure_area
    from amxfp4.synth.cells.liberty import Library
    from amxfp4.synth.cells.liberty import read as read_library
    from amxfp4.synth.flow import SynthResult, synthesise
    from amxfp4.synth.fpga import measure_fpga
    from amxfp4.synth.layer_energy import measure_energy
    from amxfp4.synth.ratios import with_ratios
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = [
    "Library",
    "SynthResult",
    "measure_area",
    "measure_energy",
    "measure_fpga",
    "read_library",
    "synthesise",
    "with_ratios",
]
