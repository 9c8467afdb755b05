"""What was measured, on one page: cost against accuracy, where the area sits, delay, FPGA, energy."""

from typing import TYPE_CHECKING

from amxfp4.lazy import lazy_exports

if TYPE_CHECKING:
    from amxfp4.report.inputs import Inputs, read_inputs
else:
    __getattr__, __dir__ = lazy_exports(__name__)

__all__ = ["Inputs", "read_inputs"]
