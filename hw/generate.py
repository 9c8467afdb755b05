"""A component as Verilog text."""

from amaranth.back import verilog
from amaranth.lib import wiring


def verilog_text(component: wiring.Component, name: str) -> str:
    """Verilog of `component` as module `name`; the same component gives the same bytes in every run."""
    return verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
